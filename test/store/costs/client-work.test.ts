/*
 * What a call makes in this process (docs/design.md, "Costs"): hashes of a token, timers, promises, Dates and Maps, and
 * writes to the socket. They are counted, because their time depends on the machine.
 */
import { createHook } from "node:async_hooks";
import crypto from "node:crypto";
import { syncBuiltinESMExports } from "node:module";
import type { Socket } from "node:net";
import type { Sessions } from "session-sets";
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { watchOwnTimer } from "../../support/own-timers.ts";
import { redisUrl } from "../../support/redis/shared.ts";
import { watchWrites } from "../../support/redis/socket-writes.ts";
import { type Data, openSessions, warmUp } from "../../support/stores/costs.ts";
import { type Client, clients } from "../../support/stores/stores.ts";

describe.each(Object.entries(clients))("with %s", (_kind, connect) => {
  let client: Client;
  let sessions: Sessions<Data>;
  let token: string;
  let key: string;
  beforeAll(async () => {
    client = connect(redisUrl());
    sessions = openSessions(client, 1);
    await warmUp(sessions);
    const made = await sessions.create({ user_id: 7, theme: "dark" });
    token = made.token;
    [key = ""] = await client.keys(`*:s:${made.session.id}`);
  });
  afterAll(() => client.quit());

  const calls: [name: string, call: () => Promise<unknown>][] = [
    ["get", () => sessions.get(token)],
    ["get of some fields", () => sessions.get(token, ["theme"])],
    ["set", () => sessions.set(token, { theme: "light" })],
    ["unset", () => sessions.unset(token, ["team_ids"])],
    ["touch", () => sessions.touch(token)],
  ];
  const size = ["size", () => sessions.by("user_id", 7).size()] as const;

  test.each(calls)("%s hashes the token once", async (_name, call) => {
    const { hash, createHash } = crypto;
    const counted = { hash: vi.fn(hash), createHash: vi.fn(createHash) };
    Object.assign(crypto, counted);
    syncBuiltinESMExports();
    onTestFinished(() => {
      Object.assign(crypto, { hash, createHash });
      syncBuiltinESMExports();
    });
    await call();
    expect(counted.hash).toHaveBeenCalledTimes(1);
    expect(counted.createHash).toHaveBeenCalledTimes(0);
  });

  test("all calls together have one timer", async () => {
    const timers = watchOwnTimer("setTimeout");
    for (let n = 0; n < 20; n++) {
      await Promise.all([...calls, size].map(([, call]) => call()));
    }
    expect(timers.mock.calls.length).toBeLessThanOrEqual(1); // none if an earlier one still runs
  });

  test.each([...calls, size])(
    "64 at once of %s take four writes to the socket",
    async (_name, call) => {
      const writes = watchWrites(client.stream as Socket);
      await Promise.all(Array.from({ length: 64 }, call));
      expect(writes.map((commands) => commands.length)).toEqual([16, 16, 16, 16]);
    },
  );

  /** How many objects of a class a call makes. */
  async function countObjects(name: "Date" | "Map", call: () => Promise<unknown>) {
    type Class = new (...args: unknown[]) => object;
    const Original = globalThis[name] as Class;
    let count = 0;
    const Counted: Class = new Proxy(Original, {
      construct(target, args, newTarget): object {
        count++;
        return Reflect.construct(target, args, newTarget === Counted ? target : newTarget);
      },
    });
    vi.stubGlobal(name, Counted);
    try {
      await call();
    } finally {
      vi.unstubAllGlobals();
    }
    return count;
  }

  test("get makes the four Dates and the one Map of its answer", async () => {
    for (const get of [() => sessions.get(token), () => sessions.get(token, ["theme"])]) {
      const session = await get();
      const dates = Object.values(session ?? {}).filter((value) => value instanceof Date);
      expect(await countObjects("Date", get)).toBe(dates.length);
      expect(await countObjects("Map", get)).toBe(1);
    }
  });

  test.each([...calls.slice(2), size])("%s makes no Date", async (_name, call) => {
    expect(await countObjects("Date", call)).toBe(0);
  });

  /** How many promises a call makes. What else runs in this process may make some, but not each time. */
  async function countPromises(call: () => Promise<unknown>): Promise<number> {
    const counts: number[] = [];
    let count = 0;
    const hook = createHook({
      init(_id, type) {
        if (type === "PROMISE") count++;
      },
    });
    for (let n = 0; n < 20; n++) {
      count = 0;
      hook.enable();
      await call();
      hook.disable();
      counts.push(count);
    }
    return Math.min(...counts);
  }

  test.each([
    ["get", 4],
    ["get of some fields", 4],
    ["set", 8],
    ["unset", 8],
    ["touch", 8],
    ["size", 2],
  ])("%s makes at most %i promises more than the bare command", async (name, most) => {
    const [, call] = [...calls, size].find(([one]) => one === name) ?? size;
    const bare = await countPromises(() => client.call("HGETALL", [key]));
    expect((await countPromises(call)) - bare).toBeLessThanOrEqual(most);
  });
});
