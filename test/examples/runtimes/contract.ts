/* A program for Bun and Deno: runs the contract of stores on a store, and prints each test and its fault as a line of JSON. */
import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { Redis } from "ioredis";
import { createClient } from "redis";
import { memoryStore } from "session-sets/memory";
import { redisStore } from "session-sets/redis";
import {
  commandContract,
  feedContract,
  type StoreUnderTest,
  storeContract,
} from "session-sets/testing";

/** Tests that wait for the server's clock wait beside each other. */
const AT_ONCE = 40;

const [kind = "", url = ""] = process.argv.slice(2);

function openMemory(): StoreUnderTest {
  let now = Date.now();
  const store = memoryStore({ now: () => now });
  return {
    store,
    async elapse(ms) {
      now += ms;
    },
    close: () => store.close(),
  };
}

type Client = Parameters<typeof redisStore>[0];

async function openRedis(client: Client, readTime: () => Promise<number>): Promise<StoreUnderTest> {
  const prefix = `t-${randomBytes(8).toString("hex")}`;
  const store = redisStore(client, { prefix, timeout: "20 seconds", shards: 1 });
  return {
    store,
    async elapse(ms) {
      const end = (await readTime()) + ms;
      for (let left = ms; left > 0; left = end - (await readTime()))
        await sleep(Math.min(left, 50));
    },
    close: () => store.close(),
  };
}

async function run(open: () => Promise<StoreUnderTest>): Promise<void> {
  const tests = [...storeContract, ...commandContract, ...feedContract].values();
  const work = async () => {
    for (const test of tests) {
      const fault = await test.run(open).then(
        () => "",
        (error: unknown) => String(Object(error).stack ?? error),
      );
      console.log(JSON.stringify({ name: test.name, fault }));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
}

const toMs = ([seconds, micros]: readonly unknown[]) =>
  Number(seconds) * 1000 + Math.floor(Number(micros) / 1000);

if (kind === "memory") await run(async () => openMemory());
if (kind === "ioredis") {
  const client = new Redis(url);
  await run(() => openRedis(client, async () => toMs(await client.time())));
  client.disconnect();
}
if (kind === "redis") {
  const client = createClient({ url });
  await client.connect();
  const readTime = async () => toMs((await client.sendCommand(["TIME"])) as unknown as string[]);
  await run(() => openRedis(client, readTime));
  client.destroy();
}
