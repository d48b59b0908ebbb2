/* Places of a set that are reserved while a session enters it, over several shards (docs/design.md). */
import { Redis } from "ioredis";
import { redisStore } from "session-sets/redis";
import { afterAll, expect, onTestFinished, test, vi } from "vitest";
import type { Limit } from "../../../src/store/entering.ts";
import {
  create,
  createChanges,
  createDraft,
  createForUser,
  of,
  toLimited,
} from "../../../src/testing/steps.ts";
import { intercepted, type Sent } from "../../support/intercept.ts";
import { redisUrl } from "../../support/redis/shared.ts";
import { freshPrefix } from "../../support/stores/stores.ts";

const client = new Redis(redisUrl());
afterAll(() => client.quit());

const SHARDS = 4;
const REJECT: Limit = { most: 2, whenFull: "reject" };
const USER = of("user_id", "1");

/** The timeout of a program that dies. Its reservations expire after four times that, 6 s. */
const DYING_TIMEOUT = 1500;
/** How long a store tries to get a place that is reserved. Half of the 6 s is left to what is slow. */
const TIMEOUT = 3000;
/** The timeout of what is to succeed. */
const PATIENCE = 20_000;

const RESERVED = {
  code: "ERR_STORE_UNAVAILABLE",
  operation: "enter a session set",
  hint: expect.stringMatching(/last place is reserved.*nothing was done\. Try again/),
};

const listReservations = (prefix: string) => client.keys(`{${prefix}:*}:p:*`);

/** A store whose commands are handed to `before` first. */
function open(prefix: string, timeout: number, before: (sent: Sent) => Promise<void>) {
  const used = intercepted(client, async (sent, pass) => {
    await before(sent);
    return pass();
  });
  return redisStore(used, { prefix, shards: SHARDS, timeout });
}

const login = () => ({
  ...createDraft({ shards: SHARDS } as Parameters<typeof createDraft>[0]),
  references: toLimited({ user_id: ["1"] }, REJECT),
});

/** The prefix of a store whose program has died while it had a place reserved. */
async function die(): Promise<string> {
  for (;;) {
    const prefix = freshPrefix();
    let hasReserved = false;
    const dying = open(prefix, DYING_TIMEOUT, async ({ script }) => {
      if (script !== "create") return;
      hasReserved = true;
      throw new Error("the connection is lost");
    });
    await expect(dying.create(login())).rejects.toMatchObject({ code: "ERR_STORE_UNAVAILABLE" });
    if (!hasReserved) continue; // on a busy machine its timeout may be too short
    expect(await listReservations(prefix)).toHaveLength(1);
    return prefix;
  }
}

/** Stores under one prefix: one that gives up, and one with patience. */
function openBoth(prefix: string) {
  const openOne = (timeout: number) => redisStore(client, { prefix, shards: SHARDS, timeout });
  return { store: openOne(TIMEOUT), patient: openOne(PATIENCE) };
}

test("a place is reserved in one shard until its session has entered or was refused", async () => {
  const prefix = freshPrefix();
  const seen = new Set<string>();
  const store = open(prefix, PATIENCE, async ({ script }) => {
    if (script !== "create") return;
    const keys = await listReservations(prefix);
    expect(keys).toHaveLength(1);
    const [key = ""] = keys;
    seen.add(key);
    expect(await client.zcard(key)).toBe(1);
    const left = await client.pttl(key);
    expect(left).toBeGreaterThan(60_000);
    expect(left).toBeLessThanOrEqual(80_000);
  });
  for (const state of ["created", "created", "full"]) {
    expect((await store.create(login())).state).toBe(state);
    expect(await listReservations(prefix)).toEqual([]);
  }
  expect([...seen]).toEqual([expect.stringMatching(/:p:user_id:1$/)]);
  await store.close();
});

test("a program that dies holds up the last place alone, until its reservation expires", async () => {
  const prefix = await die();
  const { store, patient } = openBoth(prefix);
  expect((await patient.create(login())).state).toBe("created");
  await expect(store.create(login())).rejects.toMatchObject(RESERVED);
  expect(await patient.count(USER)).toBe(1);
  expect((await patient.create(login())).state).toBe("created");
  expect(await patient.count(USER)).toBe(2);
  expect(await listReservations(prefix)).toEqual([]);
});

test("it holds up a change of a whole set in the same way", async () => {
  const prefix = await die();
  const { store, patient } = openBoth(prefix);
  for (const _ of [1, 2]) {
    await create(patient, { fields: { team: "7" }, references: { team: ["7"] } });
  }
  const changeAll = (on: typeof store) =>
    on.changeAll(of("team", "7"), {
      ...createChanges({ set: { user_id: "1" } }),
      references: toLimited({ user_id: ["1"] }, REJECT),
    });
  await expect(changeAll(store)).rejects.toMatchObject(RESERVED);
  expect(await patient.count(USER)).toBe(0);
  expect(await changeAll(patient)).toBe(2);
  expect(await patient.count(USER)).toBe(2);
  expect(await listReservations(prefix)).toEqual([]);
});

test("a call whose reservation may expire before it has entered does not enter", async () => {
  const prefix = freshPrefix();
  const now = performance.now.bind(performance);
  const clock = vi.spyOn(performance, "now");
  onTestFinished(() => clock.mockRestore());
  const sent: (string | undefined)[] = [];
  const used = intercepted(client, async ({ script }, pass) => {
    if (script === "reserve" || script === "create") sent.push(script);
    const reply = await pass();
    if (script === "count") clock.mockImplementation(() => now() + 3 * PATIENCE + 1);
    return reply;
  });
  const store = redisStore(used, { prefix, shards: SHARDS, timeout: PATIENCE });
  await expect(store.create(login())).rejects.toMatchObject({
    code: "ERR_STORE_UNAVAILABLE",
    operation: "enter a session set",
  });
  expect(sent).toEqual(["reserve", "reserve"]); // made, and given back
  expect(await listReservations(prefix)).toEqual([]);
  clock.mockRestore();
  expect(await store.count(USER)).toBe(0);
  await store.close();
});

test("a call that fails before it could enter gives its place back", async () => {
  const prefix = freshPrefix();
  const failing = open(prefix, PATIENCE, async ({ script }) => {
    if (script === "count") throw new Error("the connection is lost");
  });
  await expect(failing.create(login())).rejects.toMatchObject({ code: "ERR_STORE_UNAVAILABLE" });
  expect(await listReservations(prefix)).toEqual([]);
});

test("a reservation that can't be given back spoils nothing that was done", async () => {
  const prefix = freshPrefix();
  let reserved = 0;
  const store = open(prefix, PATIENCE, async ({ script }) => {
    if (script === "reserve" && reserved++ > 0) throw new Error("the connection is lost");
  });
  const made = login();
  expect((await store.create(made)).state).toBe("created");
  expect(await store.has(USER, made.id)).toBe(true);
  await createForUser(store, "1");
});
