/*
 * The look (docs/design.md, "The look"): what the scripts really send, by MONITOR. Before its first
 * write, each asks every set that it writes, so that one of the wrong type stops it.
 */
import { redisStore } from "session-sets/redis";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { FieldReferences, SessionStore } from "../../../../src/store/contract.ts";
import { commandStore, createMerge } from "../../../../src/testing/commands/steps.ts";
import { newId, newIdBeside } from "../../../../src/testing/ids.ts";
import {
  change,
  createChange,
  createChanges,
  createDraft,
  createRotation,
  createSignIn,
  expectDone,
  HOUR_MS,
} from "../../../../src/testing/steps.ts";
import {
  type ScriptRun,
  type ScriptWatch,
  watchScripts,
} from "../../../support/redis/script-watch.ts";
import { type RedisServer, startRedis } from "../../../support/redis/server.ts";
import { type Client, clients } from "../../../support/stores/stores.ts";

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
  SET: (args) => args.slice(0, 1),
  DEL: (args) => args,
  RENAME: (args) => args,
};

/** How scripts ask a set, by the part of its keys that says what they are. */
const ASKS = { ":r:": ["ZSCORE", "ZRANGE", "ZRANGEBYSCORE", "ZCOUNT"], ":m:": ["SISMEMBER"] };

function expectLooked({ commands }: ScriptRun): void {
  const writtenBy = ([name = "", ...args]: readonly string[]) => WRITES[name]?.(args) ?? [];
  const first = commands.findIndex((command) => writtenBy(command).length > 0);
  const before = commands.slice(0, first);
  const written = [...new Set(commands.flatMap(writtenBy))];
  expect(written.length, "nothing was written").toBeGreaterThan(0);
  for (const [part, asks] of Object.entries(ASKS)) {
    for (const key of written.filter((name) => name.includes(part))) {
      const asked = before.some(([name = "", asked]) => asks.includes(name) && asked === key);
      expect(asked, `${asks} ${key} before the first write in\n${commands.join("\n")}`).toBe(true);
    }
  }
}

/** The scripts that run meanwhile, each of which must have looked; at least one. */
async function expectLooks(work: () => Promise<unknown>): Promise<void> {
  const runs = await watch.recordRuns(work);
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
    return { ...createDraft(store, { fields: { user_id: "1" } }), references: all };
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
    await expectLooks(() => change(store, id, { set: { a: "1" }, idleTimeout: 2 * HOUR_MS }));
    await expectLooks(() => change(store, id, { unset: ["a"] }));
    const move = { ...createChange({ set: { a: "1" } }), references: references("team", "2", "3") };
    await expectLooks(() => store.change(id, move));
    await expectLooks(() => store.change(id, { ...move, references: references("team") }));
  });

  test.each([0, HOUR_MS])(
    "a rotation, a change through its alias, a sign-in, grace %i",
    async (grace) => {
      const first = await make("1");
      await leaveExpired();
      const [second, third] = [newIdBeside(first), newIdBeside(first)];
      const rotation = createRotation(second, { grace });
      await expectLooks(() => change(store, first, { rotation }));
      const old = grace === 0 ? second : first;
      await expectLooks(() => change(store, old, { set: { a: "1" } }));
      const moved = {
        ...createMerge(third, "2", { tombstone: grace }),
        references: references("user_id", "2"),
      };
      await expectLooks(() => commandStore(store).command(old, moved));
    },
  );

  test.each([0, HOUR_MS])("end, also through an alias, leaving for %i ms", async (grace) => {
    const first = await make("1", "2");
    const second = newIdBeside(first);
    await change(store, first, { rotation: createRotation(second) });
    await leaveExpired();
    const tombstone = { stays: grace };
    await expectLooks(() => store.end(first, { reference: USER, tombstone }));
    const other = await make("1");
    await expectLooks(() => store.end(other));
  });

  /** A session that was rotated so often, with nothing left of its ids where there is no grace. */
  async function makeRotated(times: number, grace: number, ...teams: string[]) {
    const lineage = await make(...teams);
    let id = lineage;
    for (let n = 0; n < times; n++) {
      const to = newIdBeside(id);
      expectDone(
        await change(store, id, { rotation: createRotation(to, { grace, tombstone: 0 }) }),
      );
      id = to;
    }
    return { id, lineage, pointer: `{sessions:0}:l:${lineage}` };
  }

  /** Scripts that must have looked at the pointer, too, because they write it. */
  async function expectPointer(pointer: string, work: () => Promise<unknown>): Promise<void> {
    const [run] = await watch.recordRuns(work);
    if (!run) throw new Error("no script has run");
    expectLooked(run);
    const writes = run.commands.filter(([name = "", ...args]) =>
      WRITES[name]?.(args).includes(pointer),
    );
    expect(writes.length, run.commands.join("\n")).toBeGreaterThan(0);
  }

  test("what a limit ends, what trim ends, and a reservation", async () => {
    const limited = (most: number, whenFull: "end-oldest" | "reject") =>
      drafted("1").references.map((one) => ({ ...one, limit: { most, whenFull } }));
    for (let n = 0; n < 3; n++) await makeRotated(1, HOUR_MS, "1", "2");
    await leaveExpired();
    await expectLooks(() =>
      store.create({ ...drafted("1"), references: limited(2, "end-oldest") }),
    );
    /** The scripts that write must have looked: so many. */
    const expectWriters = async (count: number, work: () => Promise<unknown>) => {
      const runs = await watch.recordRuns(work);
      const writers = runs.filter(({ commands }) => commands.some(([name = ""]) => name in WRITES));
      expect(writers).toHaveLength(count);
      for (const run of writers) expectLooked(run);
    };
    await expectWriters(1, () => store.trim(USER, 1));
    const sharded = redisStore(client, { shards: 2, timeout: "20 seconds" });
    const made = { ...drafted("1"), id: newId(2), references: limited(2, "reject") };
    await expectWriters(2 * 2 + 1, () => sharded.create(made)); // two places, and the session
  });

  test("what moves, and what ends, a session that has a pointer", async () => {
    const { id, lineage, pointer } = await makeRotated(2, HOUR_MS, "1");
    const [next, last] = [newIdBeside(id), newIdBeside(id)];
    await expectPointer(pointer, () => change(store, id));
    await expectPointer(pointer, () => change(store, lineage, { idleTimeout: HOUR_MS }));
    await expectPointer(pointer, () => change(store, id, { rotation: createRotation(next) }));
    const credentials = createRotation(last, { when: "credentials" });
    await expectPointer(pointer, () => change(store, lineage, { rotation: credentials }));
    await expectPointer(pointer, () => store.end(lineage, { byName: true, reference: USER }));
    const all = await makeRotated(1, 0);
    await expectPointer(all.pointer, () => store.endAll(USER));
    const first = await make();
    const to = newIdBeside(first);
    await expectPointer(`{sessions:0}:l:${first}`, () =>
      change(store, first, { rotation: createRotation(to) }),
    );
    const replaced = await makeRotated(1, HOUR_MS, "1");
    const other = {
      ...createChange({ set: { user_id: "2" }, rotation: createRotation(newIdBeside(first)) }),
      references: references("user_id", "2"),
    };
    await expectPointer(replaced.pointer, () => store.change(replaced.id, other));
    const ended = await makeRotated(1, HOUR_MS);
    const rotation = createRotation(newIdBeside(first), { grace: 0 });
    await expectPointer(ended.pointer, () => change(store, ended.lineage, { rotation }));
  });

  test.each([0, HOUR_MS])(
    "a rotation that follows others, with tombstones for %i ms",
    async (stays) => {
      const { id, lineage } = await makeRotated(32, HOUR_MS, "1");
      await leaveExpired();
      const to = newIdBeside(id);
      const same = {
        ...createChange({
          set: { user_id: "1" },
          rotation: createRotation(to, { when: "always", tombstone: stays }),
        }),
        references: references("user_id", "1"),
      };
      await expectLooks(() => store.change(id, same));
      await expectLooks(() => store.end(lineage, { byName: true, tombstone: { stays } }));
    },
  );

  test.each([0, HOUR_MS])(
    "a sign-in, whatever it finds, with tombstones for %i ms",
    async (stays) => {
      const signIn = (id: string, keep: readonly string[] = []) => {
        const asked = createSignIn(id, "1", { tombstone: stays, keep });
        const all = [...references("user_id", "1"), ...references("org", "7")];
        return store.signIn(id, { ...asked, references: all });
      };
      const id = await make("1", "2");
      await change(store, id, { set: { team: "[1,2]", a: "1" } });
      await leaveExpired();
      await expectLooks(() => signIn(id, ["team", "a"]));
      const { lineage, pointer } = await makeRotated(32, HOUR_MS, "1");
      await leaveExpired();
      await expectPointer(pointer, () => signIn(lineage));
      const ended = await makeRotated(1, HOUR_MS);
      await store.end(ended.id);
      await expectLooks(() => signIn(ended.lineage)); // an alias that leads nowhere
      await expectLooks(() => signIn(newIdBeside(id)));
    },
  );

  test("endAll, of all and of all but one", async () => {
    const [kept = ""] = [await make("1"), await make("1", "2"), await make()];
    const { lineage } = await makeRotated(2, 0);
    await leaveExpired();
    await expectLooks(() => store.endAll(USER, { except: kept }));
    await expectLooks(() => store.endAll(USER, { except: lineage })); // which ended with the others
    await make();
    const spared = await makeRotated(2, 0);
    await leaveExpired();
    await expectLooks(() => store.endAll(USER, { except: spared.lineage }));
    await leaveExpired();
    await expectLooks(() => store.endAll(USER));
  });

  test("endAll of entries without a session", async () => {
    await make("1");
    await client.zadd(store.setKey({ ...USER, plain: false }), Date.now() + HOUR_MS, "AAgone");
    await expectLooks(() => store.endAll(USER));
  });

  test("changeAll, of fields and of references", async () => {
    await make("1");
    await make("1");
    await leaveExpired();
    await expectLooks(() => store.changeAll(USER, createChanges({ set: { a: "1" } })));
    await leaveExpired();
    await expectLooks(() => store.changeAll(USER, createChanges({ unset: ["a"] })));
    const move = { ...createChanges({ set: { a: "1" } }), references: references("team", "2") };
    await expectLooks(() => store.changeAll(USER, move));
    const out = { ...createChanges({ set: { a: "1" } }), references: references("user_id", "2") };
    await expectLooks(() => store.changeAll(USER, out));
  });
});
