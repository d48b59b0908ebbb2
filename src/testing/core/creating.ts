import assert from "node:assert/strict";
import { newId, newIdInShard } from "../ids.ts";
import {
  assertGone,
  assertMembers,
  change,
  create,
  createDraft,
  createForUser,
  createSession,
  DAY_MS,
  expectDone,
  findLive,
  HOUR_MS,
  of,
  pickTimes,
  readTexts,
} from "../steps.ts";
import { type StoreTest, storeTest } from "../store-test.ts";

export const creating: readonly StoreTest[] = [
  storeTest("create makes a session with its fields and its times", async ({ store }) => {
    const made = createDraft(store, {
      fields: { user_id: "1", theme: "dark" },
      references: { user_id: ["1"] },
      idleTimeout: HOUR_MS,
      absoluteTimeout: DAY_MS,
    });
    const times = await createSession(store, made);
    assert.ok(Number.isInteger(times.createdAt), "times are whole milliseconds");
    assert.deepEqual(pickTimes(times), {
      createdAt: times.createdAt,
      lastSeenAt: times.createdAt,
      idleTimeout: HOUR_MS,
      absoluteDeadline: times.createdAt + DAY_MS,
      expiresAt: times.createdAt + HOUR_MS,
    });
    const session = await findLive(store, made.id);
    assert.equal(session.id, made.id);
    assert.deepEqual(session.fields, made.fields);
    assert.deepEqual(pickTimes(session), pickTimes(times));
  }),

  storeTest("create works without an absolute timeout", async ({ store }) => {
    const id = await create(store, { idleTimeout: HOUR_MS, absoluteTimeout: null });
    const session = await findLive(store, id);
    assert.equal(session.absoluteDeadline, null);
    assert.equal(session.expiresAt, session.createdAt + HOUR_MS);
  }),

  storeTest("create works without an idle timeout", async ({ store }) => {
    const id = await create(store, { idleTimeout: null, absoluteTimeout: DAY_MS });
    const session = await findLive(store, id);
    assert.equal(session.idleTimeout, null);
    assert.equal(session.absoluteDeadline, session.createdAt + DAY_MS);
    assert.equal(session.expiresAt, session.createdAt + DAY_MS);
  }),

  storeTest("a session ends at the nearer one of its two deadlines", async ({ store }) => {
    const session = await findLive(store, await create(store, { idleTimeout: DAY_MS }));
    const short = await findLive(store, await create(store, { absoluteTimeout: HOUR_MS / 2 }));
    assert.equal(session.expiresAt, session.createdAt + DAY_MS);
    assert.equal(short.expiresAt, short.createdAt + HOUR_MS / 2);
  }),

  storeTest("create lists the session in the set of each of its values", async ({ store }) => {
    const id = await create(store, {
      fields: { user_id: "1", team_ids: "[7,8]" },
      references: { user_id: ["1"], team_ids: ["7", "8"] },
    });
    await assertMembers(store, of("user_id", "1"), [id]);
    await assertMembers(store, of("team_ids", "7"), [id]);
    await assertMembers(store, of("team_ids", "8"), [id]);
    await assertMembers(store, of("user_id", "7"), []);
  }),

  storeTest("create lists a session without a value nowhere", async ({ store }) => {
    const id = await create(store, { fields: { user_id: "null" }, references: { user_id: [] } });
    assert.deepEqual(await readTexts(store, id), { user_id: "null" });
    await assertMembers(store, of("user_id", "null"), []);
  }),

  storeTest(
    "create called again with the same id gives the same times and changes nothing",
    async ({ store, elapse }) => {
      const made = createDraft(store, { fields: { user_id: "1" }, references: { user_id: ["1"] } });
      const first = await createSession(store, made);
      await elapse(5);
      assert.deepEqual(await createSession(store, made), first);
      const other = createDraft(store, {
        id: made.id,
        fields: { user_id: "2", more: "x" },
        references: { user_id: ["2"] },
        idleTimeout: DAY_MS,
      });
      assert.deepEqual(pickTimes(await createSession(store, other)), pickTimes(first));
      assert.deepEqual(await readTexts(store, made.id), { user_id: "1" });
      await assertMembers(store, of("user_id", "1"), [made.id]);
      await assertMembers(store, of("user_id", "2"), []);
    },
  ),

  storeTest("a session may have no fields at all", async ({ store }) => {
    const id = await create(store);
    assert.deepEqual(await readTexts(store, id), {});
  }),

  storeTest("create works in the first shard and in the last one", async ({ store }) => {
    const first = await createForUser(store, "1", { id: newIdInShard(0) });
    const last = await createForUser(store, "1", { id: newIdInShard(store.shards - 1) });
    await assertMembers(store, of("user_id", "1"), [first, last]);
  }),

  storeTest("find answers gone for an id that was never used", async ({ store }) => {
    await create(store);
    await assertGone(store, newId(store.shards), newId(store.shards));
    assert.deepEqual(await store.find(newId(store.shards), { names: ["user_id"] }), {
      state: "gone",
    });
  }),

  storeTest("find gives only the named fields", async ({ store }) => {
    const id = await create(store, { fields: { a: "1", b: "2", c: "3" } });
    const session = await findLive(store, id, ["a", "c", "absent"]);
    assert.deepEqual(Object.fromEntries(session.fields), { a: "1", c: "3" });
    assert.deepEqual(pickTimes(session), pickTimes(await findLive(store, id)));
  }),

  storeTest("find gives a session whose named fields are all absent", async ({ store }) => {
    const id = await create(store, { fields: { a: "1" } });
    assert.equal((await findLive(store, id, ["absent"])).fields.size, 0);
    assert.equal((await findLive(store, id, [])).fields.size, 0);
  }),

  storeTest("find says what time it is on the store's clock", async ({ store, elapse }) => {
    const made = createDraft(store);
    const { createdAt, expiresAt } = await createSession(store, made);
    // A store may know its server's clock from the last reply, so it may be behind for a while.
    for (let passed = 0; passed < 30; ) {
      await elapse(10);
      const lookup = await store.find(made.id);
      assert.equal(lookup.state, "live");
      assert.ok(lookup.now >= createdAt + passed, "the clock goes on");
      assert.ok(lookup.now <= expiresAt, `live at ${lookup.now}, after ${expiresAt}`);
      passed = lookup.now - createdAt;
    }
  }),

  storeTest("find writes nothing: no deadline moves", async ({ store, elapse }) => {
    const id = await createForUser(store, "1");
    const before = await findLive(store, id);
    await elapse(10);
    await findLive(store, id, ["user_id"]);
    assert.deepEqual(await findLive(store, id), before);
  }),

  storeTest("a store of one part takes any text but an empty one for an id", async ({ store }) => {
    if (store.shards > 1) return;
    const ids = [" ", "*", "}", "{b}", "a:b", "zz", "s:1 2", "é\n\0", "__proto__", "x".repeat(999)];
    for (const id of ids) await createForUser(store, "1", { id, fields: { own: id } });
    for (const id of ids) assert.equal((await findLive(store, id)).fields.get("own"), id);
    await assertMembers(store, of("user_id", "1"), ids);
    expectDone(await change(store, "*", { set: { a: "1" } }));
    assert.equal(await store.end("*"), "*");
    const left = ids.filter((id) => id !== "*");
    await assertMembers(store, of("user_id", "1"), left);
  }),

  storeTest("each session and each set has a place of its own", async ({ store }) => {
    const [a, b] = [newId(store.shards), newId(store.shards)];
    assert.notEqual(store.sessionKey(a), store.sessionKey(b));
    const sets = [of("a", "1"), of("a", "2"), of("b", "1")].map((set) => store.setKey(set));
    assert.equal(new Set(sets).size, 3);
    assert.equal(store.setKey(of("a", "1")), sets[0]);
  }),
];
