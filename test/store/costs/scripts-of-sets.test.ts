/* The commands that the scripts of a session set call, as the server counts them. */
import { redisStore } from "session-sets/redis";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import type { SessionStore } from "../../../src/store/contract.ts";
import { newIdBeside } from "../../../src/testing/ids.ts";
import {
  change,
  createForUser,
  createRotation,
  expectDone,
  of,
} from "../../../src/testing/steps.ts";
import { redisUrl } from "../../support/redis/shared.ts";
import { iterate } from "../../support/stores/costs.ts";
import { type Client, clients, freshPrefix } from "../../support/stores/stores.ts";

const USER = of("user_id", "1");

let client: Client;
let store: SessionStore;
beforeAll(async () => {
  client = clients["ioredis 6"](redisUrl());
});
afterAll(() => client.quit());
beforeEach(async () => {
  store = redisStore(client, { prefix: freshPrefix(), timeout: "20 seconds" });
  for (let n = 0; n < 10; n++) await createForUser(store, "1", { references: { team: ["1"] } });
  await store.endAll(of("user_id", "2")); // so that the server knows the script
});

/** How often the scripts of an operation call each command. */
async function countCommands(operation: () => Promise<unknown>): Promise<Record<string, number>> {
  await operation(); // so that the server knows the script
  await client.config("RESETSTAT");
  await operation();
  return readCounts();
}

async function readCounts(): Promise<Record<string, number>> {
  const info = await client.info("commandstats");
  const counts = Array.from(info.matchAll(/^cmdstat_(\w+):calls=(\d+)/gm), ([, name, calls]) => [
    name,
    Number(calls),
  ]);
  const { info: _, evalsha, ...inScripts } = Object.fromEntries(counts);
  expect(evalsha, "the operation is one script").toBe(1);
  return inScripts;
}

test("count reads the clock and counts", async () => {
  expect(await countCommands(() => store.count(USER))).toEqual({ time: 1, zcount: 1 });
});

const EXPIRED = { zrangebyscore: 1 }; // entries that are dropped

test("list of all reads each session once", async () => {
  const list = () => store.list(USER, { limit: 10, order: "last-seen" });
  const cost = { time: 1, zrange: 1, hgetall: 10, ...EXPIRED };
  expect(await countCommands(list)).toEqual(cost);
});

test("where there is nothing, as in most shards of a user's, little is done", async () => {
  const none = of("user_id", "404");
  expect(await countCommands(() => store.count(none))).toEqual({ time: 1, zcount: 1 });
  const list = () => store.list(none, { limit: 10, order: "last-seen" });
  expect(await countCommands(list)).toEqual({ time: 1, zrange: 1 });
  const mark = { del: 1, set: 1 };
  const cost = { time: 1, zrange: 1, ...mark };
  expect(await countCommands(() => store.endAll(none))).toEqual(cost);
});

test("list of some reads when each was seen, and those that it gives", async () => {
  const list = () => store.list(USER, { limit: 3, order: "last-seen" });
  const cost = { time: 1, zrange: 1, hget: 10, hgetall: 3, ...EXPIRED };
  expect(await countCommands(list)).toEqual(cost);
});

test("pages read each session once", async () => {
  const page = { time: 1, zcount: 1, zrange: 1, ...EXPIRED };
  const whole = () => iterate(store.pages(USER, { withFields: true }));
  expect(await countCommands(whole)).toEqual({ ...page, hgetall: 10 });
  expect(await countCommands(() => iterate(store.pages(USER)))).toEqual({ ...page, hmget: 10 });
});

test("endAll reads each session once, and ends all by one DEL and one ZREM a set", async () => {
  const team = { zscore: 1, zrangebyscore: 1 }; // its type, and what is stale of it
  const lasting = { zrange: 2 }; // the set's own, and the other set's last entry
  await client.config("RESETSTAT");
  expect(await store.endAll(USER)).toBe(10);
  const ended = { hmget: 10, del: 1, zrem: 2, set: 1, spublish: 1 };
  expect(await readCounts()).toEqual({ time: 1, ...ended, ...team, ...lasting });
});

test("endAll of sessions that were rotated deletes their pointers by the same DEL", async () => {
  for (const { id } of await store.list(USER, { limit: 10, order: "last-seen" })) {
    const rotation = createRotation(newIdBeside(id), { grace: 0 });
    expectDone(await change(store, id, { rotation }));
  }
  await client.config("RESETSTAT");
  expect(await store.endAll(USER)).toBe(10);
  expect(await readCounts()).toMatchObject({ hmget: 10, del: 1, zrem: 2 });
});
