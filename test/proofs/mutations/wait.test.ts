/*
 * It bites: WAIT on another connection than the ending script's. It is not a change of a script, so
 * it stands apart from test/support/proofs/mutations.ts.
 */
import { Redis } from "ioredis";
import type { Duration } from "session-sets";
import { type RedisClient, redisStore } from "session-sets/redis";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { SessionStore } from "../../../src/store/contract.ts";
import { createForUser, of } from "../../../src/testing/steps.ts";
import { type Replicated, startReplicated } from "../../support/redis/replicated.ts";

let servers: Replicated;
let client: Redis;
/** A connection whose own last write has been acknowledged. */
let other: Redis;
beforeAll(async () => {
  servers = await startReplicated(1);
  client = new Redis(servers.master.port);
});
afterAll(async () => {
  client.disconnect();
  await servers.stop();
});

/** The client, with connections of the store's own that leave WAIT to another one. */
function waitingElsewhere(): RedisClient {
  return overriding(client, "duplicate", (options: object) =>
    overriding(client.duplicate(options), "call", function (this: Redis, name, args) {
      return name === "WAIT" ? other.call(name, args) : this.call(name, args);
    }),
  );
}

function overriding(
  target: Redis,
  method: "call" | "duplicate",
  // biome-ignore lint/suspicious/noExplicitAny: it takes what the method takes
  instead: (this: Redis, ...args: any[]) => unknown,
): Redis {
  return new Proxy(target, {
    get(_, name) {
      if (name === method) return instead.bind(target);
      const value = Reflect.get(target, name, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

type End = (store: SessionStore, id: string) => Promise<unknown>;

const endings: Record<string, End> = {
  "a session": (store: SessionStore, id: string) => store.end(id, { replicas: 1 }),
  "a set": (store: SessionStore) => store.endAll(of("user_id", "1"), { replicas: 1 }),
};

/** Whether a caller is told that an ending reached a replica that never heard of it. */
async function isBelieved(over: RedisClient, end: End, timeout: Duration): Promise<boolean> {
  const id = await createForUser(redisStore(client, { timeout: "20 seconds" }), "1");
  const store = redisStore(over, { timeout });
  other = client.duplicate();
  await other.set("other", "written before");
  await other.wait(1, 0);
  servers.replicas[0]?.pause();
  try {
    await end(store, id);
    return true;
  } catch (error) {
    expect(error).toMatchObject({ code: "ERR_REPLICAS" });
    return false;
  } finally {
    servers.replicas[0]?.resume();
    other.disconnect();
    await store.close();
  }
}

describe.each(Object.entries(endings))("%s is ended", (_, end) => {
  test("without it, no caller is told that the ending arrived where it did not", async () => {
    expect(await isBelieved(client, end, "3 seconds")).toBe(false);
  });

  test("with it, a caller is", async () => {
    expect(await isBelieved(waitingElsewhere(), end, "20 seconds")).toBe(true);
  });
});
