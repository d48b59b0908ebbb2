/*
 * A slot that is being moved, stopped at every point: of the keys of a session and its sets, each
 * choice has been moved and the others have not. A script that writes is refused then, as one of the keys
 * that it declares is never there; when the move is at its end, the sets are whole, and it is carried
 * out. Without that key, it loses entries. A read takes no session for gone.
 */
import { once } from "node:events";
import { Cluster, Redis } from "ioredis";
import { SessionError } from "session-sets";
import { redisStore } from "session-sets/redis";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { SessionStore } from "../../../src/store/contract.ts";
import { computeSlot } from "../../../src/store/redis/wire/slots.ts";
import { command, commandStore, createMerge } from "../../../src/testing/commands/steps.ts";
import { newIdBeside } from "../../../src/testing/ids.ts";
import {
  change,
  createChanges,
  createForUser,
  createRotation,
  createSignIn,
  of,
} from "../../../src/testing/steps.ts";
import { intercepted } from "../../support/intercept.ts";
import { mutatedClient, mutations } from "../../support/proofs/mutations.ts";
import { everyChoice } from "../../support/proofs/turnstile.ts";
import { type RedisCluster, startCluster } from "../../support/redis/cluster.ts";
import { findOwner, tell } from "../../support/redis/moving-slots.ts";
import { checkInvariants } from "../../support/stores/invariants.ts";
import { freshPrefix } from "../../support/stores/stores.ts";

let cluster: RedisCluster;
let client: Cluster;
let admins: Redis[];
beforeAll(async () => {
  cluster = await startCluster({ count: 2 });
  // It asks again by itself, sixteen times, before it tells that the slot is moving.
  const retryDelayOnTryAgain = 1;
  const nodes = [{ host: "127.0.0.1", port: cluster.masters[0]?.port ?? 0 }];
  client = new Cluster(nodes, { retryDelayOnTryAgain });
  await once(client, "ready");
  // Each move is told where a key of the slot is asked for. To ask for all slots after it would be most of the work.
  client.refreshSlotsCache = (callback) => callback?.();
  admins = cluster.masters.map(({ port }) => new Redis(port));
});
afterAll(async () => {
  client?.disconnect();
  for (const admin of admins ?? []) admin.disconnect();
  await cluster?.stop();
});

/** How much longer keys may live than was said, for MIGRATE sends how long they have left (ms). */
const DELAY = 5000;
const TOO_LATE = /no answer within|reached too late/;
const USER = of("user_id", "1");
const NEXT = of("user_id", "2");

type Call<T> = (store: SessionStore) => Promise<T>;
type Operation = (store: SessionStore, id: string, lineage: string) => Promise<unknown>;

const OPERATIONS: Readonly<Record<string, Operation>> = {
  touch: (store, id) => change(store, id),
  "set the idle timeout": (store, id) => change(store, id, { idleTimeout: 60_000 }),
  "set a field": (store, id) => change(store, id, { set: { a: "1" } }),
  "unset a field": (store, id) => change(store, id, { unset: ["a"] }),
  "set another user": (store, id) =>
    change(store, id, { set: { user_id: "2" }, references: { user_id: ["2"] } }),
  rotate: (store, id) => change(store, id, { rotation: createRotation(newIdBeside(id)) }),
  "rotate for good": (store, id) =>
    change(store, id, { rotation: createRotation(newIdBeside(id), { when: "credentials" }) }),
  "rotate to another user": (store, id) =>
    change(store, id, {
      set: { user_id: "2" },
      references: { user_id: ["2"] },
      rotation: createRotation(newIdBeside(id)),
    }),
  "merge another user": (store, id) =>
    commandStore(store).command(id, createMerge(newIdBeside(id), "2")),
  "make by a command, or change": (store, id) =>
    command(commandStore(store), id, { set: { a: "1" }, create: true, absoluteTimeout: 60_000 }),
  "replace all fields": (store, id) =>
    command(commandStore(store), id, { set: { a: "1" }, replace: true }),
  "sign in": (store, id) => store.signIn(id, createSignIn(id, "2")),
  end: (store, id) => store.end(id),
  "end by lineage": (store, _id, lineage) => store.end(lineage, { byName: true }),
  "change of a set": (store) => store.changeAll(USER, createChanges({ set: { theme: "dark" } })),
  "end of a set": (store) => store.endAll(USER),
  "end of a set but one": (store, _id, except) => store.endAll(USER, { except }),
};

type Read = (store: SessionStore, old: string, lineage: string) => Promise<number>;

/** Each sees the one session of a set, by its old id or lineage where it takes one: how often. */
const READS: Readonly<Record<string, Read>> = {
  count: (store) => store.count(USER),
  list: async (store) => (await store.list(USER, { limit: 10, order: "last-seen" })).length,
  "list by deadlines": async (store) =>
    (await store.list(USER, { limit: 10, order: "deadline" })).length,
  ids: (store) => countSessions(store.pages(USER)),
  iteration: (store) => countSessions(store.pages(USER, { withFields: true })),
  has: async (store, old) => Number(await store.has(USER, old)),
  "has by lineage": async (store, _old, lineage) => Number(await store.has(USER, lineage)),
  find: async (store, old) => Number((await store.find(old)).state === "live"),
  "find by lineage": async (store, _old, lineage) =>
    Number((await store.find(lineage, { byName: true })).state === "live"),
};

/**
 * Calls on a store that gives up soon, as the move does not end before the call. One that had no answer
 * by then, on a busy machine, says nothing of the move: it is called again, with twice the time.
 */
async function whileMoving<T>(open: (timeout: number) => SessionStore, call: Call<T>): Promise<T> {
  for (let timeout = 60; ; timeout *= 2) {
    try {
      return await call(open(timeout));
    } catch (error) {
      if (!(error instanceof SessionError && TOO_LATE.test(error.message))) throw error;
    }
  }
}

/** A session of the first user that was rotated, and nothing is left of that but the pointer to it. */
async function makeRotated(store: SessionStore, prefix: string) {
  const lineage = await createForUser(store, "1");
  const id = newIdBeside(lineage);
  await change(store, lineage, { rotation: createRotation(id, { grace: 0 }) });
  return { id, lineage, pointer: `{${prefix}:0}:l:${lineage}` };
}

async function countSessions(pages: AsyncIterable<readonly unknown[]>): Promise<number> {
  let size = 0;
  for await (const page of pages) size += page.length;
  return size;
}

/** Moves a slot, and stops after some of its keys for `meanwhile`. */
async function move(slot: number, first: readonly string[], meanwhile: () => Promise<unknown>) {
  const owner = await findOwner(slot, admins);
  const [from, to] = [admins[owner], admins[1 - owner]] as [Redis, Redis];
  const [source, target] = await Promise.all([from.cluster("MYID"), to.cluster("MYID")]);
  const send = (keys: readonly string[]) => {
    const { host = "127.0.0.1", port = 0 } = to.options;
    const head = [host, String(port), "", "0", "5000", "REPLACE", "KEYS"];
    return from.call("MIGRATE", [...head, ...keys]);
  };
  await to.cluster("SETSLOT", slot, "IMPORTING", source as string);
  await from.cluster("SETSLOT", slot, "MIGRATING", target as string);
  if (first.length > 0) await send(first);
  await meanwhile();
  const left = (await from.cluster("GETKEYSINSLOT", slot, 100)) as string[];
  if (left.length > 0) await send(left);
  await tell([to, from], slot, target as string);
  return to;
}

const SLOTS = 16_384;
/** By the slot of their keys. */
const prefixes = new Map<number, string>();
let moves = 0;

/**
 * The first slot that the second master has left, and a prefix whose keys are in it. When it has moved, either master
 * has still one range of slots: of many that have moved, each by itself, servers tell at length, and clients
 * ask them after each move.
 */
function takeSlot() {
  const slot = SLOTS / 2 + moves++;
  for (;;) {
    const prefix = prefixes.get(slot);
    if (prefix !== undefined) return { slot, prefix };
    const other = freshPrefix();
    prefixes.set(computeSlot(`{${other}:0}`), other);
  }
}

type Used = ReturnType<typeof mutatedClient> | Cluster;

/** Tries every operation at every point of a move; resolves to how many were done. */
async function tryAll(used: Used, names = Object.keys(OPERATIONS)) {
  let done = 0;
  const points = await everyChoice(async (choices) => {
    const operation = OPERATIONS[names[choices.pick(names.length)] ?? ""];
    const { slot, prefix } = takeSlot();
    const direct = redisStore(client, { prefix, shards: 1, timeout: "20 seconds" });
    const { id, lineage, pointer } = await makeRotated(direct, prefix);
    for (const user of ["1", "2"]) await createForUser(direct, user);
    const keys = [direct.sessionKey(id), ...[USER, NEXT].map((set) => direct.setKey(set)), pointer];
    const moved = keys.filter(() => choices.pick(2) === 1);
    const open = (timeout: number) => redisStore(used, { prefix, shards: 1, timeout });
    const last = await move(slot, moved, async () => {
      try {
        await whileMoving(open, async (store) => operation?.(store, id, lineage));
        done++;
      } catch (error) {
        expect(error).toMatchObject({ message: expect.stringMatching(/slot .* is being moved/) });
      }
    });
    const layout = { prefix, shards: 1, references: { user_id: {} }, delay: DELAY };
    await checkInvariants(last, layout);
    await operation?.(direct, id, lineage);
    await checkInvariants(last, layout);
  });
  return { points, done };
}

test("every write is refused while its slot moves, and no set has a hole", async () => {
  const { points, done } = await tryAll(client);
  expect(points).toBe(16 * Object.keys(OPERATIONS).length);
  expect(done).toBe(0);
  console.log(`${points} points of moves`);
});

/** Tries every read at every point of a move; resolves to which were refused. */
async function readAll(used: Used, names = Object.keys(READS)) {
  const refused = new Set<string>();
  const points = await everyChoice(async (choices) => {
    const name = names[choices.pick(names.length)] ?? "";
    const { slot, prefix } = takeSlot();
    const direct = redisStore(client, { prefix, shards: 1, timeout: "20 seconds" });
    const { id: old, lineage, pointer } = await makeRotated(direct, prefix);
    const id = newIdBeside(old);
    await change(direct, old, { rotation: createRotation(id) });
    const keys = [...[old, id].map((one) => direct.sessionKey(one)), direct.setKey(USER), pointer];
    const moved = keys.filter(() => choices.pick(2) === 1);
    const open = (timeout: number) => redisStore(used, { prefix, shards: 1, timeout });
    await move(slot, moved, async () => {
      try {
        const seen = await whileMoving(open, async (store) => READS[name]?.(store, old, lineage));
        expect(seen, `${name}, with ${moved} moved`).toBe(1);
      } catch (error) {
        if (!(error instanceof SessionError)) throw error;
        expect(error.message).toMatch(/slot .* is being moved/);
        refused.add(name);
      }
    });
  });
  return { points, refused };
}

test("a read sees the session, or is refused; one of the session alone is never refused", async () => {
  const { points, refused } = await readAll(client);
  expect(points).toBe(16 * Object.keys(READS).length);
  expect(refused).not.toContain("find");
  expect(refused).not.toContain("find by lineage");
});

async function findFailure(work: Promise<unknown>): Promise<Error | null> {
  return work.then(
    () => null,
    (error: Error) => error,
  );
}

/** A client that declares no second key. */
function declaringOne() {
  return intercepted(client, ({ args, script }, pass) => {
    const [digest = "", count, key = "", , ...rest] = args;
    return script && count === "2" ? pass([digest, "1", key, ...rest]) : pass();
  });
}

test.each([
  "set another user",
  "rotate",
  "rotate for good",
  "rotate to another user",
  "merge another user",
  "sign in",
  "end by lineage",
  "end of a set",
  "end of a set but one",
])("without the second key that is declared, a set has one: %s", async (name) => {
  const failure = await findFailure(tryAll(declaringOne(), [name]));
  expect(String(failure?.cause)).toMatch(/ is (in|of|live)/);
});

test.each([
  "touch",
  "set the idle timeout",
  "make by a command, or change",
  "replace all fields",
  "end",
])("without it, a pointer is left as it was: %s", async (name) => {
  const failure = await findFailure(tryAll(declaringOne(), [name]));
  expect(String(failure?.cause)).toMatch(/the pointer \S+ (lives as long as|leads to) its session/);
});

test("without a look, a list takes a session for gone", async () => {
  const mutated = mutatedClient(client, mutations["list without a look"]);
  const failure = await findFailure(readAll(mutated, ["list"]));
  expect(String(failure?.cause)).toMatch(/^AssertionError: list, with .*expected \+?0 to be 1/);
});
