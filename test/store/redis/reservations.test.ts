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
/** How long a store tries to get a place that is reserved. */
const TIMEOUT = 1000;

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

test("a place is reserved in one shard until its session has entered or was refused", async () => {
  const prefix = freshPrefix();
  const seen = new Set<string>();
  const store = open(prefix, 20_000, async ({ script }) => {
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
  const prefix = freshPrefix();
  const dying = open(prefix, DYING_TIMEOUT, async ({ script }) => {
    if (script === "create") throw new Error("the connection is lost");
  });
  await expect(dying.create(login())).rejects.toMatchObject({ code: "ERR_STORE_UNAVAILABLE" });
  expect(await listReservations(prefix)).toHaveLength(1);
  const store = redisStore(client, { prefix, shards: SHARDS, timeout: TIMEOUT });
  expect((await store.create(login())).state).toBe("created");
  await expect(store.create(login())).rejects.toMatchObject({
    code: "ERR_STORE_UNAVAILABLE",
    operation: "enter a session set",
    hint: expect.stringMatching(/last place is reserved.*nothing was done\. Try again/),
  });
  expect(await store.count(USER)).toBe(1);
  await expect
    .poll(
      () =>
        store.create(login()).then(
          ({ state }) => state,
          () => "reserved",
        ),
      { timeout: 60_000 },
    )
    .toBe("created");
  expect(await store.count(USER)).toBe(2);
  expect(await listReservations(prefix)).toEqual([]);
});

test("it holds up a change of a whole set in the same way", async () => {
  const prefix = freshPrefix();
  const dying = open(prefix, DYING_TIMEOUT, async ({ script }) => {
    if (script === "create") throw new Error("the connection is lost");
  });
  await expect(dying.create(login())).rejects.toMatchObject({ code: "ERR_STORE_UNAVAILABLE" });
  const store = redisStore(client, { prefix, shards: SHARDS, timeout: TIMEOUT });
  for (const _ of [1, 2]) {
    await create(store, { fields: { team: "7" }, references: { team: ["7"] } });
  }
  const changeAll = () =>
    store.changeAll(of("team", "7"), {
      ...createChanges({ set: { user_id: "1" } }),
      references: toLimited({ user_id: ["1"] }, REJECT),
    });
  await expect(changeAll()).rejects.toMatchObject({
    code: "ERR_STORE_UNAVAILABLE",
    operation: "enter a session set",
  });
  expect(await store.count(USER)).toBe(0);
  await expect.poll(() => changeAll().catch(() => "reserved")).toBe(2);
  expect(await store.count(USER)).toBe(2);
  expect(await listReservations(prefix)).toEqual([]);
});

test("a call whose reservation may expire before it has entered does not enter", async () => {
  const prefix = freshPrefix();
  const timeout = 20_000;
  const now = performance.now.bind(performance);
  const clock = vi.spyOn(performance, "now");
  onTestFinished(() => clock.mockRestore());
  const sent: (string | undefined)[] = [];
  const used = intercepted(client, async ({ script }, pass) => {
    if (script === "reserve" || script === "create") sent.push(script);
    const reply = await pass();
    if (script === "count") clock.mockImplementation(() => now() + 3 * timeout + 1);
    return reply;
  });
  const store = redisStore(used, { prefix, shards: SHARDS, timeout });
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
  const failing = open(prefix, 400, async ({ script }) => {
    if (script === "count") throw new Error("the connection is lost");
  });
  await expect(failing.create(login())).rejects.toMatchObject({ code: "ERR_STORE_UNAVAILABLE" });
  expect(await listReservations(prefix)).toEqual([]);
});

test("a reservation that can't be given back spoils nothing that was done", async () => {
  const prefix = freshPrefix();
  let reserved = 0;
  const store = open(prefix, 400, async ({ script }) => {
    if (script === "reserve" && reserved++ > 0) throw new Error("the connection is lost");
  });
  const made = login();
  expect((await store.create(made)).state).toBe("created");
  expect(await store.has(USER, made.id)).toBe(true);
  await createForUser(store, "1");
});
