/*
 * The look (docs/design.md, "The look"): what the scripts really send, by MONITOR. Before its first
 * write, each names every key that it writes in one EXISTS, and asks each index by itself.
 */
import { redisStore } from "session-sets/redis";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { FieldReferences, SessionStore } from "../src/store/contract.ts";
import { newIdBeside } from "../src/testing/ids.ts";
import {
  change,
  changeOf,
  changes,
  draft,
  HOUR,
  mergeUser,
  rotationTo,
} from "../src/testing/steps.ts";
import { type RedisServer, startRedis } from "./support/redis-server.ts";
import { type ScriptRun, type ScriptWatch, watchScripts } from "./support/script-watch.ts";
import { type Client, clients } from "./support/stores.ts";

let server: RedisServer;
let client: Client;
let watch: ScriptWatch;
let store: SessionStore;
beforeAll(async () => {
  server = await startRedis();
  client = clients["ioredis 6"](server.url);
  watch = await watchScripts(server.url);
});
afterAll(async () => {
  watch.stop();
  client.disconnect();
  await server.stop();
});
beforeEach(async () => {
  await client.flushall();
  store = redisStore(client, { timeout: "20 seconds" });
});

/** For each write, the keys that it writes. */
const WRITES: { readonly [command: string]: (args: readonly string[]) => readonly string[] } = {
  ...Object.fromEntries(
    ["HSET", "HDEL", "PEXPIREAT", "ZADD", "ZREM", "SADD", "SREM"].map((command) => [
      command,
      (args: readonly string[]) => args.slice(0, 1),
    ]),
  ),
  DEL: (args) => args,
  RENAME: (args) => args,
};

/** What asks an index by itself, by the part of its keys that says what they are. */
const ASKS = { ":r:": "ZSCORE", ":m:": "SISMEMBER" };

function expectLooked({ commands }: ScriptRun): void {
  const writtenBy = ([name = "", ...args]: readonly string[]) => WRITES[name]?.(args) ?? [];
  const first = commands.findIndex((command) => writtenBy(command).length > 0);
  const before = commands.slice(0, first);
  const written = [...new Set(commands.flatMap(writtenBy))];
  const looks = before.filter(([name]) => name === "EXISTS").map(([, ...keys]) => new Set(keys));
  expect(written.length, "nothing was written").toBeGreaterThan(0);
  expect(
    looks.filter((keys) => keys.size >= 2 && written.every((key) => keys.has(key))),
    `one EXISTS of ${written.join(", ")} before the first write in\n${commands.join("\n")}`,
  ).toHaveLength(1);
  for (const [part, ask] of Object.entries(ASKS)) {
    for (const key of written.filter((name) => name.includes(part))) {
      const asked = before.some(([name, asked]) => name === ask && asked === key);
      expect(asked, `${ask} ${key} before the first write in\n${commands.join("\n")}`).toBe(true);
    }
  }
}

/** The scripts that run meanwhile, each of which must have looked; at least one. */
async function expectLooks(work: () => Promise<unknown>): Promise<void> {
  const runs = await watch.runsOf(work);
  expect(runs.length).toBeGreaterThan(0);
  for (const run of runs) expectLooked(run);
}

describe.each([
  ["indexes", false],
  ["indexes and plain sets", true],
])("looks before it writes, with %s:", (_, plain) => {
  const references = (field: string, ...texts: string[]): FieldReferences[] => [
    { field, texts, plain },
  ];
  const reference = (field: string, text: string) => ({ field, text, plain });
  const USER = reference("user_id", "1");

  function drafted(...teams: string[]) {
    const all = [...references("user_id", "1"), ...references("team", ...teams)];
    return { ...draft(store, { fields: { user_id: "1" } }), references: all };
  }

  async function make(...teams: string[]): Promise<string> {
    const made = drafted(...teams);
    await store.create(made);
    return made.id;
  }

  /** Entries whose sessions have expired, which any write of a set takes away. */
  async function leaveExpired(): Promise<void> {
    for (const one of [USER, reference("team", "1"), reference("team", "2")]) {
      await client.zadd(store.setKey({ ...one, plain: false }), "1", "expired");
      if (plain) await client.sadd(store.setKey(one), "expired");
    }
  }

  test("create", async () => {
    await leaveExpired();
    await expectLooks(() => store.create(drafted("1", "2")));
    await expectLooks(() => store.create({ ...drafted(), references: [] }));
  });

  test("a change that touches, sets, unsets, enters and leaves", async () => {
    const id = await make("1");
    await leaveExpired();
    await expectLooks(() => change(store, id));
    await expectLooks(() => change(store, id, { set: { a: "1" }, idleTimeout: 2 * HOUR }));
    await expectLooks(() => change(store, id, { unset: ["a"] }));
    const move = { ...changeOf({ set: { a: "1" } }), references: references("team", "2", "3") };
    await expectLooks(() => store.change(id, move));
    await expectLooks(() => store.change(id, { ...move, references: references("team") }));
  });

  test.each([0, HOUR])(
    "a rotation, a change through its alias, a sign-in, grace %i",
    async (grace) => {
      const first = await make("1");
      await leaveExpired();
      const [second, third] = [newIdBeside(first), newIdBeside(first)];
      const rotation = rotationTo(second, { grace });
      await expectLooks(() => change(store, first, { rotation }));
      const old = grace === 0 ? second : first;
      await expectLooks(() => change(store, old, { set: { a: "1" } }));
      const moved = { ...mergeUser(third, "2", { grace }), references: references("user_id", "2") };
      await expectLooks(() => store.change(old, moved));
    },
  );

  test.each([0, HOUR])("end, also through an alias, leaving for %i ms", async (grace) => {
    const first = await make("1", "2");
    const second = newIdBeside(first);
    await change(store, first, { rotation: rotationTo(second) });
    await leaveExpired();
    await expectLooks(() => store.end(first, USER, { identity: ["user_id"], grace }));
    const other = await make("1");
    await expectLooks(() => store.end(other));
  });

  test("endAll, of all and of all but one", async () => {
    const [kept = ""] = [await make("1"), await make("1", "2"), await make()];
    await leaveExpired();
    await expectLooks(() => store.endAll(USER, { except: kept }));
    await leaveExpired();
    await expectLooks(() => store.endAll(USER));
  });

  test("endAll of entries without a session", async () => {
    await make("1");
    await client.zadd(store.setKey({ ...USER, plain: false }), Date.now() + HOUR, "AAgone");
    await expectLooks(() => store.endAll(USER));
  });

  test("changeAll, of fields and of references", async () => {
    await make("1");
    await make("1");
    await leaveExpired();
    await expectLooks(() => store.changeAll(USER, changes({ set: { a: "1" } })));
    await leaveExpired();
    await expectLooks(() => store.changeAll(USER, changes({ unset: ["a"] })));
    const move = { ...changes({ set: { a: "1" } }), references: references("team", "2") };
    await expectLooks(() => store.changeAll(USER, move));
    const out = { ...changes({ set: { a: "1" } }), references: references("user_id", "2") };
    await expectLooks(() => store.changeAll(USER, out));
  });
});
