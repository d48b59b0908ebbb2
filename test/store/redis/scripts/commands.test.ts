/* The commands of the scripts, as docs/redis-layout.md shows them. */
import { readFileSync } from "node:fs";
import { createSessions } from "session-sets";
import { redisStore } from "session-sets/redis";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type RedisServer, startRedis } from "../../../support/redis/server.ts";
import { type Client, clients } from "../../../support/stores/stores.ts";

const WRITES = /^(SET|HSET|HDEL|DEL|RENAME|PEXPIREAT|ZADD|ZREM|SADD|SREM) /;

let server: RedisServer;
let client: Client;
beforeAll(async () => {
  server = await startRedis();
  client = clients["ioredis 6"](server.url);
});
afterAll(async () => {
  client.disconnect();
  await server.stop();
});

function shown(): string {
  const page = readFileSync(new URL("../../../../docs/redis-layout.md", import.meta.url), "utf8");
  const [, block = ""] =
    /<!-- test\/store\/redis\/scripts\/commands.*?-->\n```text\n(.*?)```/s.exec(page) ?? [];
  return block;
}

/** Notes what the scripts write. */
async function watch(): Promise<{ writes: () => Promise<string[]>; stop: () => void }> {
  await client.ping(); // ioredis stumbles over what others do while its MONITOR begins
  const monitor = await client.monitor();
  const lines: string[] = [];
  let marks = 0;
  monitor.on("monitor", (_time: string, args: string[], source: string) => {
    if (args[0]?.toUpperCase() === "PING") marks++;
    const line = args.join(" ");
    if (source === "lua" && WRITES.test(line)) lines.push(line);
  });
  return {
    async writes() {
      const mark = marks;
      await client.ping();
      await expect.poll(() => marks).toBeGreaterThan(mark);
      return lines.splice(0);
    },
    stop: () => monitor.disconnect(),
  };
}

test("the commands on the page are those that the server is told", async () => {
  const sessions = createSessions({
    data: {} as { user_id?: number; theme?: string },
    store: redisStore(client, { prefix: "shop", timeout: "20 seconds" }),
    references: ["user_id"],
    idleTimeout: "30 minutes",
    absoluteTimeout: null,
  });
  await sessions.by("user_id", 1).clear(); // the scripts' texts and the server's time
  const { writes, stop } = await watch();
  const { token, session } = await sessions.create({ user_id: 1 });
  const told: Record<string, string[]> = { create: await writes() };
  // Unchanged values aren't sent: a touch in the same millisecond would send less.
  async function later(present: string | null | undefined): Promise<void> {
    const seen = (await sessions.get(present, { touch: false }))?.lastSeenAt.getTime() ?? 0;
    while (Date.now() <= seen + 1) await client.ping();
    await writes();
  }
  await later(token);
  await sessions.touch(token);
  told.touch = await writes();
  await later(token);
  await sessions.set(token, { theme: "dark" });
  told.set = await writes();
  await later(token);
  const rotated = await sessions.rotate(token);
  told.rotate = await writes();
  await later(rotated?.token);
  const signedIn = await sessions.signIn(rotated?.token, { user_id: 2 });
  told.signIn = await writes();
  await sessions.by("user_id", 2).clear();
  told.clear = await writes();
  stop();

  const text = Object.entries(told)
    .flatMap(([name, lines]) => lines.map((line, i) => `${(i ? "" : name).padEnd(11)}${line}\n`))
    .join("")
    .replaceAll(session.id, "<id>")
    .replaceAll(rotated?.session?.id ?? "", "<new>")
    .replaceAll(signedIn.session.id, "<next>")
    .replace(/\b\d{16}\b/g, "<µs>")
    .replace(/\b\d{13}\b/g, "<ms>");
  expect(text).toBe(shown());
});
