import assert from "node:assert/strict";
import type { CommandStore } from "../../store/commanding.ts";
import { newId, newIdBeside } from "../ids.ts";
import {
  assertGone,
  assertMembers,
  createForUser,
  DAY_MS,
  expectDone,
  findLive,
  HOUR_MS,
  of,
  PAST_SOON_MS,
  pickTimes,
  readTexts,
  renew,
  SOON_MS,
} from "../steps.ts";
import type { StoreTest } from "../store-test.ts";
import { command, commandTest, createMerge } from "./steps.ts";

/* Commands by a caller who chooses when a session ends, which one is meant and which fields stay. */

const USER = of("user_id", "1");
const WITHOUT_IDLE = { idleTimeout: null } as const;

/** Creates a session whose deadline was SOON_MS and was moved in time. Tries again if it was too late. */
async function createProlonged(store: CommandStore): Promise<string> {
  for (let tries = 100; tries > 0; tries--) {
    const id = await createForUser(store, "1", { ...WITHOUT_IDLE, absoluteTimeout: SOON_MS });
    const { state } = await command(store, id, { absoluteTimeout: DAY_MS });
    if (state === "changed") return id;
    assert.equal(state, "gone");
  }
  assert.fail("a session that has a moment to live is always gone");
}

export const commanding: readonly StoreTest[] = [
  commandTest("command moves the absolute deadline either way, by how long", async ({ store }) => {
    const id = await createForUser(store, "1", { ...WITHOUT_IDLE, absoluteTimeout: HOUR_MS });
    for (const absoluteTimeout of [DAY_MS, HOUR_MS / 2, 2 * DAY_MS]) {
      const { times } = expectDone(await command(store, id, { absoluteTimeout }));
      assert.equal(times.expiresAt, times.lastSeenAt + absoluteTimeout);
      assert.equal((await findLive(store, id)).absoluteDeadline, times.expiresAt);
    }
    await assertMembers(store, USER, [id]);
  }),

  commandTest("command moves the absolute deadline either way, to a moment", async ({ store }) => {
    const id = await createForUser(store, "1", { ...WITHOUT_IDLE, absoluteTimeout: DAY_MS });
    const start = await readNow(store);
    for (const absoluteDeadline of [start + HOUR_MS + 1, start + 3 * DAY_MS + 2, start + HOUR_MS]) {
      const { times } = expectDone(await command(store, id, { absoluteDeadline }));
      assert.equal(times.expiresAt, absoluteDeadline);
      assert.equal((await findLive(store, id)).expiresAt, absoluteDeadline);
    }
    expectDone(await command(store, id, { set: { a: "1" } }));
    assert.equal(
      (await findLive(store, id)).expiresAt,
      start + HOUR_MS,
      "no other command moves it",
    );
    await assertMembers(store, USER, [id]);
  }),

  commandTest("the idle deadline holds beside a new absolute one", async ({ store }) => {
    const id = await createForUser(store, "1", { idleTimeout: HOUR_MS, absoluteTimeout: HOUR_MS });
    const { times } = expectDone(await command(store, id, { absoluteTimeout: DAY_MS }));
    assert.equal(times.expiresAt, times.lastSeenAt + HOUR_MS);
  }),

  commandTest("a session ends at its new deadline, and its entry with it", async (under) => {
    const { store, elapse } = under;
    const id = await createForUser(store, "1", { ...WITHOUT_IDLE, absoluteTimeout: DAY_MS });
    expectDone(await command(store, id, { absoluteTimeout: SOON_MS }));
    const kept = await createProlonged(store);
    await elapse(PAST_SOON_MS);
    await assertGone(store, id);
    await assertMembers(store, USER, [kept]);
  }),

  commandTest("a deadline that has passed ends the session", async ({ store }) => {
    for (const past of [-1, 0, (await readNow(store)) - 1]) {
      const id = await createForUser(store, "1");
      const answer = await command(store, id, {
        set: { user_id: "2" },
        references: { user_id: ["2"] },
        absoluteDeadline: past,
      });
      assert.equal(expectDone(answer).times.absoluteDeadline, past);
      await assertGone(store, id);
    }
    await assertMembers(store, USER, []);
    await assertMembers(store, of("user_id", "2"), []);
  }),

  commandTest("a deadline that has passed ends a rotated session", async ({ store }) => {
    for (const past of [-1, 0, 1, (await readNow(store)) - 1]) {
      const [first = "", second = ""] = await renew(store, await createForUser(store, "1"), 1);
      const answer = await command(store, second, { set: { a: "1" }, absoluteDeadline: past });
      assert.equal(expectDone(answer).times.absoluteDeadline, past);
      await assertGone(store, first, second);
      assert.deepEqual(await store.find(first, { byName: true }), { state: "gone" });
      const id = await createForUser(store, "1");
      const to = newIdBeside(id);
      const over = { tombstone: 0 };
      expectDone(
        await store.command(id, { ...createMerge(to, "2", over), absoluteDeadline: past }),
      );
      await assertGone(store, id, to);
    }
    await assertMembers(store, USER, []);
  }),

  commandTest(
    "a lineage is gone with its session, by a deadline that has passed",
    async (under) => {
      const { store } = under;
      const [first = "", second = ""] = await renew(store, await createForUser(store, "1"), 1, {
        grace: 0,
      });
      expectDone(await command(store, second, { absoluteDeadline: 1 }));
      assert.deepEqual(await store.find(first, { byName: true }), { state: "gone" });
      assert.equal(await store.has(USER, first), false);
      assert.equal(await store.end(first, { byName: true }), null);
      const other = await createForUser(store, "1");
      assert.equal(await store.endAll(USER, { except: first }), 1, "nothing is spared for it");
      await assertGone(store, other);
    },
  ),

  commandTest("replace takes away all other fields and their references", async ({ store }) => {
    const id = await createForUser(store, "1", {
      fields: { a: "1", b: "2" },
      references: { team: ["7", "8"] },
    });
    expectDone(
      await command(store, id, {
        set: { user_id: "1", b: "3", c: "4" },
        references: { user_id: ["1"] },
        replace: true,
      }),
    );
    assert.deepEqual(await readTexts(store, id), { user_id: "1", b: "3", c: "4" });
    await assertMembers(store, USER, [id]);
    for (const team of ["7", "8"]) await assertMembers(store, of("team", team), []);
    expectDone(await command(store, id, { replace: true }));
    assert.deepEqual(await readTexts(store, id), {});
    await assertMembers(store, USER, []);
  }),

  commandTest("what is replaced does not count as bytes", async ({ store }) => {
    const id = await createForUser(store, "1", { fields: { big: "x".repeat(100) } });
    expectDone(await command(store, id, { set: { a: "1" }, replace: true, maxBytes: 2 }));
    const over = await command(store, id, { set: { b: "12" }, replace: true, maxBytes: 2 });
    assert.deepEqual(over, { state: "too-large", bytes: 3 });
    assert.deepEqual(await readTexts(store, id), { a: "1" });
  }),

  commandTest("command with `where` changes a session that has the value", async ({ store }) => {
    const id = await createForUser(store, "1", { references: { team: ["7", "8"] } });
    const where = of("team", "8");
    expectDone(await command(store, id, { set: { a: "1" }, where }));
    assert.equal((await findLive(store, id)).fields.get("a"), "1");
  }),

  commandTest("command with `where` leaves any other session as it is", async ({ store }) => {
    const id = await createForUser(store, "1");
    const before = await findLive(store, id);
    const answer = await command(store, id, {
      set: { a: "1" },
      absoluteTimeout: SOON_MS,
      replace: true,
      where: of("user_id", "2"),
    });
    assert.deepEqual(answer, { state: "elsewhere" });
    assert.deepEqual(await findLive(store, id), before);
    assert.equal(await store.end(id), id);
    const gone = await command(store, id, { set: { a: "1" }, where: USER });
    assert.deepEqual(gone, { state: "gone" });
  }),

  commandTest("command with `create` makes the session where there is none", async ({ store }) => {
    const id = newId(store.shards);
    const made = {
      set: { user_id: "1", a: "2" },
      references: { user_id: ["1"] },
      absoluteTimeout: HOUR_MS,
      create: true,
      where: of("user_id", "1"),
    };
    const { times, rotated } = expectDone(await command(store, id, made));
    assert.equal(rotated, false);
    assert.equal(times.createdAt, times.lastSeenAt);
    assert.equal(times.idleTimeout, null);
    assert.equal(times.expiresAt, times.lastSeenAt + HOUR_MS);
    assert.deepEqual(await readTexts(store, id), made.set);
    assert.deepEqual(pickTimes(await findLive(store, id)), pickTimes(times));
    await assertMembers(store, USER, [id]);
  }),

  commandTest("command with `create` takes an exact deadline", async ({ store }) => {
    const absoluteDeadline = (await readNow(store)) + 12_345;
    const id = newId(store.shards);
    const made = { references: { user_id: ["1"] }, absoluteDeadline, create: true };
    assert.equal(expectDone(await command(store, id, made)).times.expiresAt, absoluteDeadline);
    const session = await findLive(store, id);
    assert.equal(session.absoluteDeadline, absoluteDeadline);
    assert.equal(session.expiresAt, absoluteDeadline);
    await assertMembers(store, USER, [id]);
  }),

  commandTest(
    "command with `create` makes nothing where the deadline has passed",
    async (under) => {
      const { store } = under;
      for (const past of [-1, 0, 1, (await readNow(store)) - 1]) {
        const id = newId(store.shards);
        const made = { references: { user_id: ["1"] }, absoluteDeadline: past, create: true };
        expectDone(await command(store, id, made));
        await assertGone(store, id);
      }
      await assertMembers(store, USER, []);
    },
  ),

  commandTest("and changes it like any other where there is one", async ({ store }) => {
    const id = await createForUser(store, "1", { ...WITHOUT_IDLE, absoluteTimeout: DAY_MS });
    const { createdAt } = await findLive(store, id);
    expectDone(
      await command(store, id, { set: { a: "1" }, create: true, absoluteTimeout: HOUR_MS }),
    );
    assert.equal((await findLive(store, id)).createdAt, createdAt);
    assert.deepEqual(await readTexts(store, id), { user_id: "1", a: "1" });
    const where = of("user_id", "2");
    const answer = await command(store, id, { create: true, absoluteTimeout: HOUR_MS, where });
    assert.deepEqual(answer, { state: "elsewhere" });
  }),

  commandTest("a session made by a command ends as others do", async ({ store, elapse }) => {
    const [empty, brief, past, large] = Array.from({ length: 4 }, () => newId(store.shards));
    assert.ok(empty && brief && past && large, "there are four ids");
    expectDone(await command(store, empty, { create: true, absoluteTimeout: HOUR_MS }));
    assert.deepEqual(await readTexts(store, empty), {});
    assert.equal(await store.end(empty), empty);
    const references = { user_id: ["1"] };
    expectDone(await command(store, brief, { references, create: true, absoluteTimeout: SOON_MS }));
    expectDone(await command(store, past, { references, create: true, absoluteDeadline: 1 }));
    const answer = await command(store, large, {
      set: { a: "12" },
      references,
      create: true,
      absoluteTimeout: HOUR_MS,
      maxBytes: 2,
    });
    assert.deepEqual(answer, { state: "too-large", bytes: 3 });
    await elapse(PAST_SOON_MS);
    await assertGone(store, empty, brief, past, large);
    await assertMembers(store, USER, []);
  }),

  commandTest(
    "command with `create` makes nothing in the place of a sign-in's old id",
    async (under) => {
      const { store } = under;
      const id = await createForUser(store, "1");
      const to = newIdBeside(id);
      await store.command(id, createMerge(to, "2"));
      const answer = await command(store, id, { create: true, absoluteTimeout: HOUR_MS });
      assert.deepEqual(answer, { state: "superseded", by: "sign-in", hadIdentity: true });
      await findLive(store, to);
    },
  ),

  commandTest(
    'command with `create: "anew"` makes the session also where one was ended',
    async (under) => {
      const { store } = under;
      const id = await createForUser(store, "1", { fields: { old: "1" } });
      const made = {
        set: { user_id: "2", a: "2" },
        references: { user_id: ["2"] },
        absoluteTimeout: HOUR_MS,
        replace: true,
      } as const;
      assert.equal(await store.end(id, { tombstone: { stays: HOUR_MS } }), id);
      const refused = await command(store, id, { ...made, create: true });
      assert.equal(refused.state, "superseded");
      const { times } = expectDone(await command(store, id, { ...made, create: "anew" }));
      assert.equal(times.createdAt, times.lastSeenAt);
      assert.equal(times.expiresAt, times.lastSeenAt + HOUR_MS);
      assert.deepEqual(await readTexts(store, id), made.set);
      assert.deepEqual(pickTimes(await findLive(store, id)), pickTimes(times));
      await assertMembers(store, USER, []);
      await assertMembers(store, of("user_id", "2"), [id]);
      assert.equal(await store.end(id), id);
      await assertGone(store, id);
    },
  ),

  ...[1, 2, 3].map((renewals) =>
    commandTest(
      `command with \`create\` makes the session at the id it is given, over ${renewals} aliases of one that ended`,
      async ({ store }) => {
        const ids = await renew(store, await createForUser(store, "1"), renewals);
        const [first = ""] = ids;
        assert.equal(await store.endAll(USER), 1);
        const made = {
          set: { user_id: "2", a: "2" },
          references: { user_id: ["2"] },
          absoluteTimeout: HOUR_MS,
          create: true,
        };
        const { id, lineage, rotated } = expectDone(await command(store, first, made));
        assert.deepEqual({ id, lineage, rotated }, { id: first, lineage: first, rotated: false });
        assert.deepEqual(await readTexts(store, first), made.set);
        assert.equal((await findLive(store, first)).id, first);
        await assertGone(store, ...ids.slice(1));
        await assertMembers(store, USER, []);
        await assertMembers(store, of("user_id", "2"), [first]);
        expectDone(await command(store, first, { set: { a: "3" }, create: true }));
        assert.deepEqual(await readTexts(store, first), { user_id: "2", a: "3" });
        assert.equal(await store.end(first), first);
        await assertGone(store, ...ids);
      },
    ),
  ),

  commandTest(
    'command with `create: "anew"` makes it there also where a tombstone is behind an alias',
    async ({ store }) => {
      const [first = "", second = ""] = await renew(store, await createForUser(store, "1"), 1);
      assert.equal(await store.end(second, { tombstone: { stays: HOUR_MS } }), first);
      const made = { references: { user_id: ["2"] }, absoluteTimeout: HOUR_MS };
      const refused = await command(store, first, { ...made, create: true });
      assert.equal(refused.state, "superseded");
      const { id } = expectDone(await command(store, first, { ...made, create: "anew" }));
      assert.equal(id, first);
      assert.equal((await findLive(store, first)).id, first);
      assert.equal((await store.find(second)).state, "superseded");
      await assertMembers(store, of("user_id", "2"), [first]);
    },
  ),

  commandTest("and not in the place of a sign-in's old id", async ({ store }) => {
    const id = await createForUser(store, "1");
    await store.command(id, createMerge(newIdBeside(id), "2"));
    const answer = await command(store, id, { create: "anew", absoluteTimeout: HOUR_MS });
    assert.deepEqual(answer, { state: "superseded", by: "sign-in", hadIdentity: true });
  }),
];

/** Reads the time on the store's clock. */
async function readNow(store: Parameters<typeof findLive>[0]): Promise<number> {
  return (await findLive(store, await createForUser(store, "somebody"))).createdAt;
}
