/*
 * Commands that arrive when nobody waits for them any more, or twice, and servers whose clock is not
 * ours (docs/design.md, "Not after").
 */
import { setTimeout as sleep } from "node:timers/promises";
import { redisStore } from "session-sets/redis";
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import type { SessionStore, Times } from "../../../../src/store/contract.ts";
import { commandStore, createMerge } from "../../../../src/testing/commands/steps.ts";
import { newIdBeside } from "../../../../src/testing/ids.ts";
import {
  assertMembers,
  change,
  create,
  createChange,
  createChanges,
  createDraft,
  createForUser,
  createRotation,
  expectDone,
  findLive,
  of,
  pickTimes,
  signIn,
} from "../../../../src/testing/steps.ts";
import { intercepted, type Sent } from "../../../support/intercept.ts";
import {
  catchFailure,
  createSessionsOn,
  makeSession,
  operations,
  runAll,
  snapshot,
} from "../../../support/proofs/operations.ts";
import { type CommandProxy, openProxy } from "../../../support/redis/proxy.ts";
import { type RedisServer, startRedis } from "../../../support/redis/server.ts";
import { omitMarks } from "../../../support/stores/clearing-marks.ts";
import { type Client, clients } from "../../../support/stores/stores.ts";

let server: RedisServer;
let client: Client;
beforeAll(async () => {
  server = await startRedis();
  client = clients["ioredis 6"](server.url);
});
afterAll(async () => {
  await client.quit();
  await server.stop();
});
beforeEach(() => client.flushall());

describe("a command that arrives after its caller has stopped waiting does nothing", () => {
  let proxy: CommandProxy;
  let slow: Client;
  beforeAll(async () => {
    proxy = await openProxy(server.port);
    slow = clients["ioredis 6"](proxy.url);
  });
  afterAll(async () => {
    await slow.quit();
    await proxy.close();
  });

  test.each([
    ["of a store that knows the server's time", true],
    ["of a store that has yet to ask for it", false],
  ])("%s", async (_, known) => {
    const patient = createSessionsOn(redisStore(client, { timeout: "20 seconds" }));
    const sessions = createSessionsOn(redisStore(slow, { timeout: 400 }));
    await runAll(patient); // so that the server knows the scripts
    const late = await makeSession(patient);
    const read = () => sessions.get(late.token, { touch: false }).catch(() => null);
    if (known) await vi.waitUntil(read, 60_000);
    const before = await snapshot(client);
    proxy.hold();
    const all = Object.values(operations(sessions, late));
    await Promise.all(all.map((operation) => catchFailure(operation)));
    proxy.release();
    await slow.ping();
    await slow.ping(); // what the store sends when a held reply has come
    expect(await snapshot(client)).toEqual(before);
    await vi.waitUntil(read, 60_000);
  });
});

describe.each([
  "NOSCRIPT No matching script. Please use EVAL.",
  "TRYAGAIN Multiple keys request during rehashing of slot",
])("a command that is sent again after %s", (refusal) => {
  test.each([
    ["create", (store: SessionStore) => create(store)],
    ["update", async (store: SessionStore, id: string) => change(store, id, { set: { a: "1" } })],
    ["change", async (store: SessionStore, id: string) => change(store, id, { idleTimeout: 9000 })],
  ])("%s is to be done no later than the first one was", async (name, call) => {
    const moments: (string | undefined)[] = [];
    const store = redisStore(
      intercepted(client, async ({ script, args }, pass) => {
        if (script !== name || !isRefusing) return pass();
        moments.push(args[3]);
        if (moments.length > 1) return pass();
        await sleep(50);
        throw new Error(refusal);
      }),
      { timeout: "20 seconds" },
    );
    let isRefusing = false;
    const id = await create(store); // from here on it knows the server's time
    isRefusing = true;
    await call(store, id);
    expect(moments).toEqual([moments[0], moments[0]]);
    expect(Number(moments[0])).toBeGreaterThan(0);
  });
});

function omitMarksOf(keys: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(omitMarks(Object.keys(keys)).map((key) => [key, keys[key]]));
}

describe("a command that arrives twice", () => {
  /** A store each of whose scripts arrives twice, and that gets the second answer. */
  let twice: SessionStore;
  let store: SessionStore;
  /** All keys after the first time, and after the second. */
  let first: Record<string, unknown>;
  let second: Record<string, unknown>;
  beforeEach(() => {
    store = redisStore(client, { timeout: "20 seconds" });
    const resending = intercepted(client, async ({ script }, pass) => {
      const reply = await pass();
      if (script === undefined) return reply;
      first = await snapshot(client);
      const again = await pass();
      second = await snapshot(client);
      return again;
    });
    twice = redisStore(resending, { timeout: "20 seconds" });
  });

  const one = { fields: { user_id: "1" }, references: { user_id: ["1"], team: ["1", "2"] } };
  const USER = of("user_id", "1");

  test("create makes one session, and gives the same times", async () => {
    const made = createDraft(store, one);
    const times = await twice.create(made);
    expect(second).toEqual(first);
    expect(await findLive(store, made.id)).toMatchObject(pickTimes(times as Times));
    await assertMembers(store, USER, [made.id]);
  });

  test.each([0, 10_000])("rotate rotates once, with %i ms of grace", async (grace) => {
    const id = await create(store, one);
    const to = newIdBeside(id);
    const answer = expectDone(await change(twice, id, { rotation: createRotation(to, { grace }) }));
    expect(answer).toMatchObject({ id: to, rotated: true });
    expect(Object.fromEntries(answer.fields ?? [])).toEqual({ user_id: "1" });
    expect(second).toEqual(first);
    await assertMembers(store, USER, [to]);
  });

  test.each([0, 10_000])(
    "a sign-in makes one session, and gives it again, with tombstones for %i ms",
    async (tombstone) => {
      const id = await create(store, one);
      await change(store, id, { set: { a: "1" } });
      const { to, answer } = await signIn(twice, id, "1", { keep: ["team", "a"], tombstone });
      expect(answer.ended).toBe(true);
      expect(Object.fromEntries(answer.fields)).toEqual({ user_id: "1", a: "1" });
      expect(second).toEqual(first);
      await assertMembers(store, USER, [to]);
    },
  );

  test.each([
    ["a rotation of the same user", "always", "1"],
    ["a change of another user", "user-changes", "2"],
    ["a change of credentials", "credentials", null],
  ] as const)("%s is done once", async (_, when, user) => {
    const id = await create(store, one);
    const to = newIdBeside(id);
    await change(store, id, { rotation: createRotation(newIdBeside(id)) }); // it comes under an old id
    const names = user === null ? {} : { set: { user_id: user }, references: { user_id: [user] } };
    const answer = expectDone(
      await change(twice, id, { ...names, rotation: createRotation(to, { when }) }),
    );
    expect(answer).toMatchObject({ id: to, rotated: true, lineage: user === "2" ? to : id });
    expect(second).toEqual(first);
    await assertMembers(store, of("user_id", user ?? "1"), [to]);
  });

  test.each([0, 10_000])(
    "a merging sign-in rotates once, its tombstone for %i ms",
    async (tombstone) => {
      const id = await create(store, one);
      const to = newIdBeside(id);
      const answer = expectDone(
        await commandStore(twice).command(id, createMerge(to, "2", { tombstone })),
      );
      expect(answer).toMatchObject({ id: to, rotated: true });
      expect(second).toEqual(first);
      await assertMembers(store, USER, []);
      await assertMembers(store, of("user_id", "2"), [to]);
      await assertMembers(store, of("team", "2"), [to]);
    },
  );

  test("a change has the values and references that it would have once", async () => {
    const id = await create(store, one);
    const set = { set: { a: "1" }, references: { team: ["2", "3"] }, idleTimeout: 60_000 };
    expectDone(await change(twice, id, set));
    expect(Object.keys(second)).toEqual(Object.keys(first));
    expect(Object.fromEntries((await findLive(store, id)).fields)).toEqual({
      user_id: "1",
      a: "1",
    });
    for (const [team, members] of [
      ["1", []],
      ["2", [id]],
      ["3", [id]],
    ] as const) {
      await assertMembers(store, of("team", team), members);
    }
    const { lastSeenAt, expiresAt } = await findLive(store, id);
    expect(expiresAt).toBe(lastSeenAt + 60_000);
    expect(await client.zscore(store.setKey(USER), id)).toBe(String(expiresAt));
  });

  test("end ends the session, and says the second time that there is none", async () => {
    const id = await create(store, one);
    const other = await create(store, one);
    expect(await twice.end(id)).toBeNull();
    expect(second).toEqual(first);
    await assertMembers(store, USER, [other]);
  });

  test("ending and changing a set do what they do once", async () => {
    const ids = [await create(store, one), await create(store, one), await create(store, one)];
    const move = createChanges({ set: { user_id: "2" }, references: { user_id: ["2"] } });
    await twice.changeAll(USER, move);
    expect(second).toEqual(first);
    await assertMembers(store, of("user_id", "2"), ids);
    await twice.endAll(of("user_id", "2"), { except: ids[0] });
    expect(omitMarksOf(second)).toEqual(omitMarksOf(first)); // the set counts as cleared anew
    await assertMembers(store, of("team", "1"), [ids[0] ?? ""]);
  });

  test("a change that arrives again after the session's end makes no part of it exist", async () => {
    const sent: { again: () => Promise<unknown> }[] = [];
    const recording = redisStore(
      intercepted(client, (_, pass) => {
        sent.push({ again: pass });
        return pass();
      }),
      { timeout: "20 seconds" },
    );
    const id = await create(store, one);
    const [a, b] = [newIdBeside(id), newIdBeside(id)];
    await change(recording, id, { set: { a: "1" }, references: { team: ["9"] } });
    await change(recording, id, { unset: ["a"], idleTimeout: 60_000 });
    await change(recording, id, { rotation: createRotation(a) });
    await commandStore(recording).command(a, createMerge(b, "2"));
    await recording.changeAll(of("user_id", "2"), createChanges({ set: { b: "1" } }));
    await recording.end(b);
    const ended = await snapshot(client);
    for (const { again } of sent) await again();
    expect(await snapshot(client)).toEqual(ended);
    await assertMembers(store, USER, []);
  });
});

describe("a server whose clock is not ours", () => {
  /** Shows the server's clock as one that is `skew()` ms ahead, in every reply and not-after moment. */
  function skewed(skew: () => number, seen: Sent[] = []) {
    return intercepted(client, async (sent, pass) => {
      seen.push(sent);
      if (sent.name === "INFO") {
        const ahead = (micros: string) => String(Number(micros) + skew() * 1000);
        return String(await pass()).replace(/(?<=server_time_usec:)\d+/, ahead);
      }
      if (sent.script === undefined) return pass();
      const [what = "", count = "", key = "", notAfter = "", ...rest] = sent.args;
      const moment = notAfter === "" ? "" : String(Number(notAfter) - skew());
      const [now, ...reply] = (await pass([what, count, key, moment, ...rest])) as unknown[];
      return [Number(now) + skew(), ...reply];
    });
  }

  async function useAll(store: SessionStore): Promise<void> {
    const id = await createForUser(store, "1");
    expectDone(await change(store, id, { set: { a: "1" } }));
    const to = newIdBeside(id);
    expectDone(await change(store, id, { rotation: createRotation(to) }));
    await assertMembers(store, of("user_id", "1"), [to]);
    expect(await store.changeAll(of("user_id", "1"), createChanges({ set: { b: "1" } }))).toBe(1);
    expect(await store.endAll(of("user_id", "1"))).toBe(1);
    expect(await store.end(to)).toBeNull();
  }

  test.each([3_600_000, -3_600_000, 86_400_000 * 365])("but %i ms ahead", async (skew) => {
    await useAll(
      redisStore(
        skewed(() => skew),
        { timeout: "20 seconds" },
      ),
    );
  });

  test.each([
    ["forward", 3_600_000],
    ["back", -3_600_000],
  ])("and is set %s while the store is in use", async (_, by) => {
    let skew = 0;
    const store = redisStore(
      skewed(() => skew),
      { timeout: "20 seconds" },
    );
    await useAll(store);
    skew = by;
    await useAll(store);
    skew = 0;
    await useAll(store);
  });

  test("a wrong estimate of it takes one command more, once", async () => {
    const seen: Sent[] = [];
    let lied = false;
    const store = redisStore(
      intercepted(client, async (sent, pass) => {
        seen.push(sent);
        if (sent.name !== "INFO") return pass();
        lied = true;
        const hourAgo = `server_time_usec:${(Date.now() - 3_600_000) * 1000}`;
        return String(await pass()).replace(/server_time_usec:\d+/, hourAgo);
      }),
      { timeout: "20 seconds" },
    );
    const id = await createForUser(store, "1");
    expect(lied).toBe(true);
    expect(seen.filter(({ script }) => script === "create").length).toBeGreaterThanOrEqual(2);
    seen.length = 0;
    expectDone(await store.change(id, createChange()));
    expect(seen.filter(({ script }) => script !== undefined).map(({ name }) => name)).toEqual(
      expect.arrayContaining(["EVALSHA"]),
    );
    seen.length = 0;
    expectDone(await store.change(id, createChange()));
    expect(seen.map(({ name }) => name)).toEqual(["EVALSHA"]);
  });
});
