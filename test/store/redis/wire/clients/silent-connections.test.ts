/*
 * A connection that hangs without being closed: what is asked meanwhile is refused in time, and with the
 * options and the code of docs/operating.md each client is back by itself.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { GlideClient, Logger } from "@valkey/valkey-glide";
import { Redis as Redis6 } from "ioredis";
import { Redis as Redis5 } from "ioredis-5";
import * as redis6 from "redis";
import * as redis5 from "redis-5";
import { createSessions } from "session-sets";
import { type GlideSingle, redisStore } from "session-sets/redis";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { codeBlocks } from "../../../../support/docs/docs.ts";
import { loopTime } from "../../../../support/loop-time.ts";
import { redisUrl } from "../../../../support/redis/shared.ts";
import { openSilentProxy } from "../../../../support/redis/silent-proxy.ts";
import { ROOT, read } from "../../../../support/sources.ts";
import type { StoreClient } from "../../../../support/stores/clients.ts";
import { freshPrefix } from "../../../../support/stores/stores.ts";

Logger.setLoggerConfig("off"); // it warns of each connection that is closed

const HOST = "127.0.0.1";
const TIMEOUT = 400;
/** How much later than its time a call may end, in time of the event loop. */
const SLACK = 1500;
/** In time of the event loop. Measured are 5 to 8 seconds after the beginning. */
const BACK = 40_000;

/** The exports of the first block of docs/operating.md that has this text. */
async function documented(text: string): Promise<Record<string, unknown>> {
  const block = codeBlocks("docs/operating.md", read("docs/operating.md")).find(({ source }) =>
    source.includes(text),
  );
  if (!block) throw new Error(`docs/operating.md has no code with ${text}`);
  mkdirSync(`${ROOT}.cache`, { recursive: true });
  const folder = mkdtempSync(`${ROOT}.cache/silent-`);
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(`${folder}/block.ts`, block.source);
  return import(/* @vite-ignore */ pathToFileURL(`${folder}/block.ts`).href);
}

async function ioredis(version: "5" | "6", port: number): Promise<StoreClient> {
  const { options } = (await documented("maxRetriesPerRequest")) as { options: object };
  const client =
    version === "5" ? new Redis5({ port, ...options }) : new Redis6({ port, ...options });
  client.on("error", () => {});
  return { client, close: async () => client.disconnect() };
}

async function nodeRedis(version: "5" | "6", port: number): Promise<StoreClient> {
  const { options, watch } = (await documented("async function watch")) as {
    options: object;
    watch: (client: object) => Promise<void>;
  };
  const url = `redis://${HOST}:${port}`;
  const client =
    version === "5"
      ? redis5.createClient({ url, ...options })
      : redis6.createClient({ url, ...options });
  client.on("error", () => {});
  await client.connect();
  watch(client).catch(() => {});
  return { client, close: async () => client.destroy() };
}

async function glide(port: number): Promise<StoreClient> {
  const { held } = (await documented("async function held")) as {
    held: (open: () => Promise<GlideClient>) => Promise<GlideSingle & Disposable>;
  };
  const addresses = [{ host: HOST, port }];
  const open = () => GlideClient.createClient({ addresses, requestTimeout: 2000 });
  // It gives up after two seconds, which a busy machine may need.
  const client = await vi.waitUntil(() => held(open).catch(() => null), 60_000);
  return { client, close: async () => client[Symbol.dispose]() };
}

const clients: Record<string, (port: number) => Promise<StoreClient>> = {
  "ioredis 6": (port) => ioredis("6", port),
  "ioredis 5": (port) => ioredis("5", port),
  "redis 6": (port) => nodeRedis("6", port),
  "redis 5": (port) => nodeRedis("5", port),
  "Valkey GLIDE 2": glide,
};

describe.concurrent.each(Object.entries(clients))("with %s", (_kind, connect) => {
  test("a call is refused in time while its connection hangs, and the client comes back", {
    timeout: 600_000,
  }, async () => {
    const proxy = await openSilentProxy(Number(new URL(redisUrl()).port));
    onTestFinished(() => proxy.close());
    const { client, close } = await connect(proxy.port);
    onTestFinished(() => close() as Promise<void>);
    const sessions = createSessions({
      data: {} as { theme?: string },
      store: redisStore(client, { prefix: freshPrefix(), timeout: TIMEOUT }),
    });
    const { token } = await vi
      .waitUntil(() => sessions.create().catch(() => null), 60_000)
      .then((made) => made as Exclude<typeof made, null>);

    proxy.silence();
    for (const call of [
      () => sessions.get(token, { touch: false }),
      () => sessions.set(token, { theme: "dark" }),
    ]) {
      const start = loopTime();
      await expect(call()).rejects.toMatchObject({
        code: "ERR_STORE_UNAVAILABLE",
        message: expect.stringMatching(/no answer within 400 ms/),
      });
      expect(loopTime() - start).toBeLessThan(TIMEOUT + SLACK);
    }
    // It hangs, too, where a client connects soon.
    setTimeout(() => proxy.hear(), 3000);

    let answer: unknown;
    const end = loopTime() + BACK;
    while (loopTime() < end && !(answer instanceof Object && "data" in answer)) {
      await sleep(100); // as many calls as keep a socket busy
      void sessions.get(token, { touch: false }).then(
        (found) => {
          answer = found;
        },
        () => {},
      );
    }
    expect(answer).toMatchObject({ data: {} });
    await vi.waitUntil(() => sessions.set(token, { theme: "dark" }).catch(() => false), 60_000);
    const theme = async () => (await sessions.get(token))?.data.theme;
    const seen = await vi.waitUntil(() => theme().catch(() => null), 60_000);
    expect(seen).toBe("dark");
  });
});
