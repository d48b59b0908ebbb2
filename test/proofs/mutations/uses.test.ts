/*
 * What a write leaves undone because it isn't due. A store that leaves too much or too little fails the
 * contract, or breaks an invariant in one of the cases below; the store as it is passes them all.
 */
import assert from "node:assert/strict";
import { redisStore } from "session-sets/redis";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { changing } from "../../../src/testing/core/changing.ts";
import { REJECT } from "../../../src/testing/core/full-sets.ts";
import { newIdBeside } from "../../../src/testing/ids.ts";
import {
  change,
  createDraft,
  createForUser,
  createRotation,
  createSession,
  createSignIn,
  expectDone,
  findLive,
  HOUR_MS,
  of,
  toLimited,
  toReferences,
} from "../../../src/testing/steps.ts";
import { type StoreTest, storeTest } from "../../../src/testing/store-test.ts";
import { type Mutation, mutatedClient } from "../../support/proofs/mutations.ts";
import { useMutations } from "../../support/proofs/use-mutations.ts";
import { type RedisServer, startRedis } from "../../support/redis/server.ts";
import { checkInvariants, type Layout } from "../../support/stores/invariants.ts";
import { type Client, clients, elapseOn, freshPrefix } from "../../support/stores/stores.ts";
import { editTimes } from "../../support/stores/times.ts";

let server: RedisServer;
let client: Client;
beforeAll(async () => {
  server = await startRedis();
  client = clients["ioredis 6"](server.socket);
});
afterAll(async () => {
  client.disconnect();
  await server.stop();
});

const DECLARED: Layout["references"] = { user_id: {}, team: {} };

type Store = Parameters<typeof createForUser>[0];

/** Checks all keys of a store. */
async function check(store: Store, references: Layout["references"] = DECLARED): Promise<void> {
  const [, prefix = ""] = /^\{(.*):0\}/.exec(store.sessionKey("AA")) ?? [];
  await checkInvariants(client, { prefix, shards: 1, references });
}

/** As if the session was last seen so much earlier. */
async function age(store: Store, id: string, ms: number): Promise<void> {
  const { lastSeenAt } = await findLive(store, id);
  await editTimes(client, store.sessionKey(id), { seen: lastSeenAt - ms });
}

const cases: readonly StoreTest[] = [
  storeTest("a session is made whole, whatever sets it enters", async ({ store }) => {
    const made = createDraft(store, { fields: { user_id: "1" }, references: { user_id: ["1"] } });
    await createSession(store, made);
    await createSession(store, { ...made, fields: new Map([["sent", "again"]]) });
    assert.deepEqual((await findLive(store, made.id)).fields, made.fields);
    const teams = Array.from({ length: 20 }, (_, i) => `team${i}`);
    const fields = { team: JSON.stringify(teams) };
    const id = await createForUser(store, "1", { fields, references: { team: teams } });
    await check(store);
    const names = (await client.hget(store.sessionKey(id), "@r")) ?? "";
    assert.ok(names.length <= 64, "a longer value would end the hash's compact encoding");
  }),

  storeTest("a session enters no set that is full or was cleared", async ({ store }) => {
    const { createdAt } = await createSession(store, createDraft(store));
    const made = createDraft(store, { fields: { user_id: "1" } });
    const limited = { ...made, references: toLimited({ user_id: ["1"] }, REJECT) };
    for (let i = 0; i < REJECT.most; i++) await createForUser(store, "1");
    assert.equal((await store.create(limited)).state, "full");
    assert.equal(await store.endAll(of("user_id", "1")), REJECT.most);
    const references = toReferences({ user_id: ["1"] });
    const answer = await store.create({ ...made, references, asOf: createdAt });
    assert.equal(answer.state, "cleared");
    const old = await createSession(store, createDraft(store));
    const asked = createSignIn(old.id, "1", { asOf: createdAt });
    assert.equal((await store.signIn(old.id, asked)).state, "cleared");
    for (let i = 0; i < REJECT.most; i++) await createForUser(store, "1");
    const full = { ...asked, asOf: undefined, references: limited.references };
    assert.equal((await store.signIn(old.id, full)).state, "full");
    await findLive(store, old.id);
    await check(store);
  }),

  storeTest("a sign-in is whole or nothing", async ({ store }) => {
    const { id } = await createSession(store, createDraft(store));
    const entered = createSignIn(id, "1");
    const references = entered.references.map((one) => ({ ...one, plain: true }));
    assert.equal((await store.signIn(id, { ...entered, references })).state, "signed-in");
    await check(store, { user_id: { as: "set" } });
    const old = await createForUser(store, "2");
    await client.set(store.setKey(of("user_id", "2")), "another program's");
    const asked = createSignIn(old, "3");
    await assert.rejects(store.signIn(old, asked), { code: "ERR_STORE_UNAVAILABLE" });
    assert.equal((await store.find(asked.id)).state, "gone");
  }),

  storeTest("a session enters the plain set, too", async ({ store }) => {
    const made = createDraft(store, { fields: { user_id: "1" }, references: { user_id: ["1"] } });
    const references = made.references.map((one) => ({ ...one, plain: true }));
    await createSession(store, { ...made, references });
    await check(store, { user_id: { as: "set" } });
  }),

  storeTest(
    "a new session's entry isn't dropped with those that have expired",
    async ({ store }) => {
      const first = await createForUser(store, "1");
      const id = newIdBeside(first);
      await client.zadd(store.setKey(of("user_id", "1")), "1", id); // as a script that died has left it
      await createForUser(store, "1", { id });
      await check(store);
    },
  ),

  storeTest("sets expire with their last entries, whatever was used last", async ({ store }) => {
    const id = await createForUser(store, "1");
    await check(store);
    const longer = await createForUser(store, "1", { idleTimeout: 2 * HOUR_MS });
    await check(store);
    for (const one of [id, longer, id]) {
      for (const fields of [{ set: { a: "1" } }, {}]) {
        expectDone(await change(store, one, fields));
        await check(store);
        await age(store, one, HOUR_MS / 2);
        expectDone(await change(store, one, fields));
        await check(store);
      }
    }
    const moved = { set: { user_id: "2" }, references: { user_id: ["2"] } };
    expectDone(await change(store, longer, moved));
    await check(store);
    await store.end(longer);
    expectDone(await change(store, id, { idleTimeout: HOUR_MS / 2 }));
    await check(store);
    await store.end(id);
    assert.deepEqual(await client.keys(`${store.setKey(of("user_id", "1"))}*`), []);
  }),

  storeTest("a session of a clock that was set back is used again", async ({ store }) => {
    const id = await createForUser(store, "1");
    await age(store, id, -HOUR_MS);
    const { times } = expectDone(await change(store, id, { set: { a: "1" } }));
    assert.ok(times.lastSeenAt <= Date.now() + 1000, "it isn't seen in the future any more");
    await check(store);
  }),

  storeTest(
    "a touch after the clock was set back brings the set's expiry forward",
    async ({ store }) => {
      const id = await createForUser(store, "1");
      await age(store, id, -HOUR_MS);
      const later = (await findLive(store, id)).lastSeenAt + 2 * HOUR_MS;
      await client.zadd(store.setKey(of("user_id", "1")), later, id);
      for (const key of [store.sessionKey(id), store.setKey(of("user_id", "1"))]) {
        await client.pexpireat(key, later);
      }
      expectDone(await change(store, id));
      await check(store);
    },
  ),

  storeTest("a touch of a rotated session renews its pointer", async ({ store }) => {
    const id = await createForUser(store, "1");
    const rotated = expectDone(
      await change(store, id, { rotation: createRotation(newIdBeside(id)) }),
    );
    await age(store, rotated.id, HOUR_MS / 2);
    const sooner = rotated.times.lastSeenAt + HOUR_MS / 2;
    await client.pexpireat(store.sessionKey(id).replace(":s:", ":l:"), sooner);
    expectDone(await change(store, rotated.id));
    await check(store);
  }),

  storeTest(
    "a session's own entry isn't dropped with those that have expired",
    async ({ store }) => {
      const id = await createForUser(store, "1");
      await createForUser(store, "1");
      await client.zadd(store.setKey(of("user_id", "1")), "1", id); // as a script that died has left it
      expectDone(await change(store, id));
      await check(store);
    },
  ),

  storeTest(
    "a large session stays within its bound, whichever fields are measured",
    async ({ store }) => {
      const small = Object.fromEntries(Array.from({ length: 10 }, (_, i) => [`a${i}`, "1"]));
      for (let n = 0; n < 10; n++) {
        const id = await createForUser(store, "1");
        expectDone(
          await change(store, id, { set: { ...small, [`large${n}`]: "x".repeat(60_000) } }),
        );
        const answer = await change(store, id, { set: { b: "y".repeat(2000) }, maxBytes: 61_000 });
        assert.equal(answer.state, "too-large");
      }
    },
  ),
];

async function findFailures(mutation: Mutation | null) {
  const used = mutation ? mutatedClient(client, mutation) : client;
  const failures: string[] = [];
  for (const one of [...cases, ...changing]) {
    const open = async () => ({
      store: redisStore(used, { prefix: freshPrefix(), timeout: "20 seconds" }),
      elapse: (ms: number) => elapseOn(client, ms),
    });
    await one.run(open).catch((error) => failures.push(`${one.name}: ${error}`));
  }
  return failures;
}

test("without a mutation, all is well", async () => {
  expect(await findFailures(null)).toEqual([]);
});

// They wait for deadlines, so they wait side by side.
describe.concurrent.each(Object.entries<Mutation>(useMutations))("%s", (_, mutation) => {
  test("is caught", async ({ expect }) => {
    const failures = await findFailures(mutation);
    expect(failures).not.toEqual([]);
    // They fail as a rule that is broken does, not as a script that cannot run.
    for (const failure of failures) expect(failure).not.toContain("ERR_STORE_UNAVAILABLE");
  });
});
