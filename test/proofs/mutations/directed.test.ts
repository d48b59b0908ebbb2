/* Mutations that orders of commands alone don't reveal, each with the check that it fails. */
import { redisStore } from "session-sets/redis";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { SessionStore, StoredSession } from "../../../src/store/contract.ts";
import { command, commandStore } from "../../../src/testing/commands/steps.ts";
import { newIdBeside } from "../../../src/testing/ids.ts";
import {
  change,
  createForUser,
  createRotation,
  expectDone,
  HOUR_MS,
  of,
  renew,
  signIn,
} from "../../../src/testing/steps.ts";
import { type InterceptedClient, intercepted } from "../../support/intercept.ts";
import { type MutationName, mutatedClient, mutations } from "../../support/proofs/mutations.ts";
import { snapshot } from "../../support/proofs/operations.ts";
import { type RedisServer, startRedis } from "../../support/redis/server.ts";
import { expectHeard, hear, listEnded, openFeedStore } from "../../support/stores/feeds.ts";
import { tie, USER } from "../../support/stores/paged-sets.ts";
import { type Client, clients } from "../../support/stores/stores.ts";

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
beforeEach(() => client.flushall());

/** The place of a page's budget among the arguments of `clear`. */
const BUDGET = 7;

function createClient(mutation: MutationName | null): InterceptedClient {
  return mutation ? mutatedClient(client, mutations[mutation]) : client;
}

/** Whether a session that is to be left alone is, where it rotates between two pages of `clear`. */
async function isSpared(mutation: MutationName | null): Promise<boolean> {
  const direct = redisStore(client, { timeout: "20 seconds" });
  for (let others = 2; others > 0; others--) await createForUser(direct, "1");
  const first = await createForUser(direct, "1");
  const [kept, to] = [newIdBeside(first), newIdBeside(first)];
  // An id that is no lineage, or the pointer would lead to it.
  expectDone(await change(direct, first, { rotation: createRotation(kept, { grace: 0 }) }));
  let rotated = false;
  const paged = intercepted(createClient(mutation), async ({ script, args }, pass) => {
    if (script !== "endAll") return pass();
    const reply = await pass(args.with(BUDGET, "1"));
    if (!rotated)
      expectDone(await change(direct, kept, { rotation: createRotation(to, { grace: 0 }) }));
    rotated = true;
    return reply;
  });
  await redisStore(paged, { timeout: "20 seconds" }).endAll(of("user_id", "1"), { except: kept });
  return (await direct.find(to)).state === "live";
}

/** Whether a set that a clear leaves one session in expires with that session. */
async function isDueWithTheSpared(mutation: MutationName | null): Promise<boolean> {
  const store = redisStore(createClient(mutation), { timeout: "20 seconds" });
  const kept = await createForUser(store, "1", { idleTimeout: HOUR_MS });
  await createForUser(store, "1", { idleTimeout: 2 * HOUR_MS });
  expect(await store.endAll(USER, { except: kept })).toBe(1);
  const keys = [store.sessionKey(kept), store.setKey(USER)];
  const [session, set] = await Promise.all(keys.map((key) => client.pexpiretime(key)));
  return set === session;
}

/** Whether a change that is refused, for a key of a wrong type, leaves everything as it was. */
async function isWhole(mutation: MutationName | null): Promise<boolean> {
  const store: SessionStore = redisStore(createClient(mutation), { timeout: "20 seconds" });
  const id = await createForUser(store, "1");
  await client.set(store.setKey(of("user_id", "2")), "something else");
  const before = await snapshot(client);
  const move = { set: { user_id: "2" }, references: { user_id: ["2"] } };
  await expect(change(store, id, move)).rejects.toMatchObject({ code: "ERR_STORE_UNAVAILABLE" });
  return JSON.stringify(await snapshot(client)) === JSON.stringify(before);
}

/** Whether sessions of one deadline are given once each, where the last of each page is ended. */
async function isPaged(mutation: MutationName | null): Promise<boolean> {
  const store = redisStore(createClient(mutation), { timeout: "20 seconds" });
  for (const limit of [1, 2, 3]) {
    await client.flushall();
    const ids = await Promise.all(Array.from({ length: 9 }, () => createForUser(store, "1")));
    await tie(client, { other: store, ids });
    const given: string[] = [];
    for (let after: StoredSession | null = null; ; ) {
      const page: StoredSession[] = await store.list(USER, { limit, order: "deadline", after });
      given.push(...page.map(({ id }) => id));
      after = page.at(-1) ?? null;
      if (after === null) break;
      await store.end(after.id);
    }
    if (given.join() !== ids.sort().join()) return false;
  }
  return true;
}

/** Whether a command makes a session at the id it is given, where an alias of one that ended is. */
async function isMadeWhereAsked(mutation: MutationName | null): Promise<boolean> {
  const store = commandStore(redisStore(createClient(mutation), { timeout: "20 seconds" }));
  const [first = ""] = await renew(store, await createForUser(store, "1"), 1);
  await store.endAll(USER);
  const made = await command(store, first, { absoluteTimeout: HOUR_MS, create: true });
  return expectDone(made).id === first;
}

/** Whether what the feed tells has happened: a sign-in where memory is full ends nothing. */
async function isToldOnceDone(mutation: MutationName | null): Promise<boolean> {
  const direct = openFeedStore(client, { prefix: "told" });
  const store = redisStore(createClient(mutation), { prefix: "told", timeout: "20 seconds" });
  const id = await createForUser(direct, "1");
  await signIn(store, newIdBeside(id), "1"); // the server knows the script
  const heard = await hear(direct);
  await client.config("SET", "maxmemory", "1");
  await expect(signIn(store, id, "2")).rejects.toMatchObject({ code: "ERR_STORE_UNAVAILABLE" });
  await client.config("SET", "maxmemory", "0");
  await expectHeard(direct, heard, newIdBeside(id)); // and all that was told before
  await direct.close();
  return !listEnded(heard).includes(id);
}

/** Whether the feed tells of each session that `clear` ends. */
async function isToldByPages(mutation: MutationName | null): Promise<boolean> {
  const direct = openFeedStore(client, { prefix: "told" });
  const id = await createForUser(direct, "1");
  const heard = await hear(direct);
  await redisStore(createClient(mutation), { prefix: "told", timeout: "20 seconds" }).endAll(USER);
  await expectHeard(direct, heard, newIdBeside(id));
  await direct.close();
  return listEnded(heard).includes(id);
}

describe.each([
  ["ending told before it is done", isToldOnceDone],
  ["page that isn't told", isToldByPages],
  ["session made at the end of an alias", isMadeWhereAsked],
  ["clear that forgets the set's expiry", isDueWithTheSpared],
  ["except that forgets a rotation", isSpared],
  ["page that forgets the rest of a deadline", isPaged],
  ["page that loses its place", isPaged],
  ["page that ends at the wrong sessions of a deadline", isPaged],
  ["write before the look", isWhole],
] as const)("%s", (name, holds) => {
  test("without it, all is well", async () => {
    expect(await holds(null)).toBe(true);
  });

  test("with it, it is not", async () => {
    expect(await holds(name)).toBe(false);
  });
});
