import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { Redis as Redis6 } from "ioredis";
import { Redis as Redis5 } from "ioredis-5";
import { memoryStore } from "session-sets/memory";
import { redisStore } from "session-sets/redis";
import type { StoreUnderTest } from "session-sets/testing";

/** A client of either version that the Redis store takes. */
export type Client = Redis5 | Redis6;

export const clients = {
  "ioredis 5": (url: string): Client => new Redis5(url),
  "ioredis 6": (url: string): Client => new Redis6(url),
} as const;

/** A prefix that no other test has. */
export function freshPrefix(): string {
  return `t-${randomBytes(8).toString("hex")}`;
}

/** An empty memory store, whose clock stands still but where it is moved. */
export function openMemory(create = memoryStore): StoreUnderTest {
  let now = Date.now();
  const store = create({ now: () => now });
  return {
    store,
    async elapse(ms) {
      now += ms;
    },
    close: () => store.close(),
  };
}

/** An empty store on a Redis server, through a client that stays open. */
export function openRedis(client: Client, shards: number): StoreUnderTest {
  const store = redisStore(client, { prefix: freshPrefix(), timeout: "20 seconds", shards });
  return {
    store,
    elapse: (ms) => elapseOn(client, ms),
    close: () => store.close(),
  };
}

/** Waits until the server's own clock says that so much time has passed. */
export async function elapseOn(client: Client, ms: number): Promise<void> {
  await passUntil(client, (await serverTime(client)) + ms);
}

/** Waits until the server's own clock says that it is this moment. */
export async function passUntil(client: Client, moment: number): Promise<void> {
  for (let left = 1; left > 0; left = moment - (await serverTime(client))) {
    await sleep(Math.min(left, 50));
  }
}

/** The server's time in ms, as its scripts see it. */
export async function serverTime(client: Client): Promise<number> {
  const [seconds, micros] = (await client.time()).map(Number) as [number, number];
  return seconds * 1000 + Math.floor(micros / 1000);
}
