import assert from "node:assert/strict";
import { SessionError } from "../../shared/errors.ts";
import { newId } from "../ids.ts";
import {
  assertMembers,
  change,
  create,
  createChanges,
  createForUser,
  expectDone,
  findLive,
  HOUR_MS,
  of,
  pickTimes,
  readAllPages,
  readTexts,
} from "../steps.ts";
import { type StoreTest, storeTest } from "../store-test.ts";

/** Texts that a careless answer would change: they look like JSON, or like the end of something. */
const TEXTS = [
  "[]",
  "{}",
  "null",
  "1.50",
  "1e400",
  '"',
  '","',
  "\\",
  "\\u0041",
  "\r\n$5\r\n",
  "é\u0301",
];

export const sets: readonly StoreTest[] = [
  storeTest("a set without sessions is empty however it is read", async ({ store }) => {
    await createForUser(store, "1");
    await assertMembers(store, of("user_id", "2"), []);
    await assertMembers(store, of("team", "1"), []);
    assert.equal(await store.has(of("user_id", "2"), newId(store.shards)), false);
    assert.equal(await store.changeAll(of("user_id", "2"), createChanges({ set: { a: "1" } })), 0);
  }),

  storeTest("list and pages give whole sessions", async ({ store }) => {
    const fields = { user_id: "1", theme: "dark", empty: "" };
    const id = await createForUser(store, "1", { fields });
    const session = await findLive(store, id);
    assert.deepEqual(await store.list(of("user_id", "1"), { limit: 10, order: "last-seen" }), [
      session,
    ]);
    assert.deepEqual(await readAllPages(store, of("user_id", "1"), { withFields: true }), [
      session,
    ]);
  }),

  storeTest("sets give names and values as they are, whatever is in them", async ({ store }) => {
    const texts = [
      ...TEXTS,
      "",
      ...'"\\/\n\r\t\b\f\u0000\u0001\u001f\u007f\u0085\u2028é€😀',
      TEXTS.join("").repeat(40),
    ];
    const named = texts.map((text, i) => [`${text}${i}`, text] as const);
    const id = await createForUser(store, "1", { fields: Object.fromEntries(named) });
    const session = await findLive(store, id);
    for (const [name, text] of named) assert.equal(session.fields.get(name), text, name);
    for (const order of ["last-seen", "deadline"] as const)
      assert.deepEqual(await store.list(of("user_id", "1"), { limit: 10, order }), [session]);
    const paged = await readAllPages(store, of("user_id", "1"), { withFields: true });
    assert.deepEqual(paged, [session]);
  }),

  storeTest(
    "list gives the sessions that were seen last where more are in the set",
    async (under) => {
      const { store, elapse } = under;
      const ids: string[] = [];
      for (let i = 0; i < 4; i++) {
        // The later a session is seen, the earlier it expires.
        ids.push(await createForUser(store, "1", { idleTimeout: (9 - i) * HOUR_MS }));
        await elapse(3);
      }
      const [, , third = "", fourth = ""] = ids;
      const listed = await store.list(of("user_id", "1"), { limit: 2, order: "last-seen" });
      assert.deepEqual(
        listed.map(({ id }) => id),
        [fourth, third],
      );
    },
  ),

  storeTest("pages without fields give the ids and times of sessions", async ({ store }) => {
    const id = await createForUser(store, "1", { fields: { theme: "dark" } });
    const session = await findLive(store, id);
    const [paged] = await readAllPages(store, of("user_id", "1"));
    assert.ok(paged, "the set has a page");
    assert.equal(paged.id, id);
    assert.equal(paged.fields.size, 0);
    assert.deepEqual(pickTimes(paged), pickTimes(session));
  }),

  storeTest("list gives the most recently seen first", async ({ store, elapse }) => {
    const ids: string[] = [];
    for (let i = 0; i < 5; i++) {
      ids.push(await createForUser(store, "1"));
      await elapse(3);
    }
    const [first = "", second = "", third = "", fourth = "", fifth = ""] = ids;
    expectDone(await change(store, second));
    await elapse(3);
    expectDone(await change(store, first));
    await elapse(3);
    expectDone(await change(store, third, { set: { a: "1" } })); // too soon to count
    const order = [first, second, fifth, fourth, third];
    const listed = async (limit: number) =>
      (await store.list(of("user_id", "1"), { limit, order: "last-seen" })).map(({ id }) => id);
    assert.deepEqual(await listed(10), order);
    for (const limit of [1, 2, 3, 5]) assert.deepEqual(await listed(limit), order.slice(0, limit));
  }),

  storeTest("list goes by when a session was seen, not by when it expires", async (under) => {
    const { store, elapse } = under;
    const first = await createForUser(store, "1", { idleTimeout: 80_000_000 });
    await elapse(3);
    const second = await createForUser(store, "1", { idleTimeout: 10_000_000 });
    const listed = await store.list(of("user_id", "1"), { limit: 10, order: "last-seen" });
    assert.deepEqual(
      listed.map(({ id }) => id),
      [second, first],
    );
  }),

  storeTest("changeAll merges and unsets fields of every session of the set", async ({ store }) => {
    const ids = await Promise.all(
      ["1", "2", "3"].map((n) => createForUser(store, "1", { fields: { n, old: "x" } })),
    );
    const other = await createForUser(store, "2", { fields: { old: "x" } });
    const made = createChanges({ set: { role: "admin" }, unset: ["old", "absent"] });
    assert.equal(await store.changeAll(of("user_id", "1"), made), 3);
    for (const [i, id] of ids.entries()) {
      assert.deepEqual(await readTexts(store, id), {
        user_id: "1",
        n: String(i + 1),
        role: "admin",
      });
    }
    assert.deepEqual(await readTexts(store, other), { user_id: "2", old: "x" });
  }),

  storeTest("changeAll moves no deadline", async ({ store, elapse }) => {
    const id = await createForUser(store, "1");
    const before = await findLive(store, id);
    await elapse(10);
    assert.equal(await store.changeAll(of("user_id", "1"), createChanges({ set: { a: "1" } })), 1);
    assert.deepEqual(pickTimes(await findLive(store, id)), pickTimes(before));
    await assertMembers(store, of("user_id", "1"), [id]);
  }),

  storeTest("changeAll changes other references", async ({ store }) => {
    const a = await createForUser(store, "1", { references: { t: ["7", "8"] } });
    const b = await createForUser(store, "1");
    const made = createChanges({ set: { t: "[8,9]" }, references: { t: ["8", "9"] } });
    assert.equal(await store.changeAll(of("user_id", "1"), made), 2);
    await assertMembers(store, of("t", "7"), []);
    await assertMembers(store, of("t", "8"), [a, b]);
    await assertMembers(store, of("t", "9"), [a, b]);
    await assertMembers(store, of("user_id", "1"), [a, b]);
  }),

  storeTest("changeAll may change the reference that it goes by", async ({ store }) => {
    const ids = await Promise.all([1, 2, 3].map(() => createForUser(store, "1")));
    const there = await createForUser(store, "2");
    const move = createChanges({ set: { user_id: "2" }, references: { user_id: ["2"] } });
    assert.equal(await store.changeAll(of("user_id", "1"), move), 3);
    await assertMembers(store, of("user_id", "1"), []);
    await assertMembers(store, of("user_id", "2"), [...ids, there]);
    const leave = createChanges({ unset: ["user_id"], references: { user_id: [] } });
    assert.equal(await store.changeAll(of("user_id", "2"), leave), 4);
    await assertMembers(store, of("user_id", "2"), []);
    for (const id of ids) assert.deepEqual(await readTexts(store, id), {});
  }),

  storeTest(
    "changeAll that sets the value a session has keeps it in its set",
    async ({ store }) => {
      const ids = await Promise.all([1, 2, 3].map(() => createForUser(store, "1")));
      const made = createChanges({ set: { user_id: "1" }, references: { user_id: ["1"] } });
      assert.equal(await store.changeAll(of("user_id", "1"), made), 3);
      await assertMembers(store, of("user_id", "1"), ids);
    },
  ),

  storeTest("changeAll rejects where a session would grow too large", async ({ store }) => {
    const id = await createForUser(store, "1", { fields: { a: "x".repeat(80) } });
    const made = { set: { b: "y".repeat(20) }, references: { t: ["7"] } };
    // user_id + 1, a + 80, b + 20: 110 bytes.
    await assert.rejects(
      store.changeAll(of("user_id", "1"), createChanges({ ...made, maxBytes: 109 })),
      (error) => error instanceof SessionError && error.code === "ERR_SESSION_TOO_LARGE",
    );
    assert.deepEqual(Object.keys(await readTexts(store, id)).sort(), ["a", "user_id"]);
    await assertMembers(store, of("t", "7"), []);
    const fits = createChanges({ ...made, maxBytes: 110 });
    assert.equal(await store.changeAll(of("user_id", "1"), fits), 1);
    await assertMembers(store, of("t", "7"), [id]);
  }),

  storeTest(
    "a session without the value is not in the set, whatever its fields say",
    async (under) => {
      const { store } = under;
      const id = await create(store, { fields: { user_id: "1" } });
      await assertMembers(store, of("user_id", "1"), []);
      assert.equal(await store.has(of("user_id", "1"), id), false);
      assert.equal(await store.end(id, { reference: of("user_id", "1") }), null);
    },
  ),

  storeTest("values that are also kept as plain sets are the same sets", async ({ store }) => {
    if (store.shards !== 1) return; // a plain set needs one shard
    const plain = (texts: string[]) => [{ field: "u", texts, plain: true }];
    const set = (text: string) => ({ field: "u", text, plain: true });
    const id = newId(1);
    await store.create({
      id,
      fields: new Map(),
      references: plain(["1", "2"]),
      idleTimeout: 3_600_000,
      absoluteTimeout: null,
    });
    await assertMembers(store, set("1"), [id]);
    expectDone(await store.change(id, { ...changeless, references: plain(["2", "3"]) }));
    await assertMembers(store, set("1"), []);
    await assertMembers(store, set("2"), [id]);
    assert.equal(await store.endAll(set("3")), 1);
    await assertMembers(store, set("2"), []);
  }),
];

const changeless = { ...createChanges({}), idleTimeout: null, rotation: null };
