import { Redis } from "ioredis";
import { createSessions } from "session-sets";
import { redisStore } from "session-sets/redis";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Replicated, startReplicated } from "./support/replicated.ts";
import { singleClients } from "./support/store-clients.ts";

let servers: Replicated;
let admin: Redis;
beforeAll(async () => {
  servers = await startReplicated();
  admin = new Redis(servers.master.port);
});
afterAll(async () => {
  admin.disconnect();
  await servers.stop();
});

const able = Object.entries(singleClients).filter(([name]) => !name.startsWith("Valkey"));
describe.each(able)("%s", (_name, connect) => {
  test("waits", async () => {
    const { client, close } = await connect(servers.master.port);
    const sessions = createSessions<{ user_id?: number }>({
      store: redisStore(client, { timeout: "1 second" }),
      references: { user_id: {} },
      idleTimeout: "1 hour",
    });
    const made = await Promise.all([1, 1, 1, 2, 3].map((user_id) => sessions.create({ user_id })));
    expect(await sessions.delete(made[4]?.token, { replicas: 1 })).toBe(true);
    expect(await sessions.delete(made[4]?.token, { replicas: 1 })).toBe(false);
    expect(await sessions.by("user_id", 1).clear({ replicas: 1 })).toBe(3);
    expect(await sessions.by("user_id", 1).clear({ replicas: 1 })).toBe(0);
    servers.replicas[0]?.pause();
    const t = Date.now();
    const error = await sessions.delete(made[3]?.token, { replicas: 1 }).catch((e) => e);
    console.log(Date.now() - t, String(error));
    const error2 = await sessions.delete(made[3]?.token, { replicas: 1 }).catch((e) => e);
    console.log(Date.now() - t, String(error2));
    servers.replicas[0]?.resume();
    expect(await sessions.delete(made[3]?.token, { replicas: 1 })).toBe(false);
    expect(await admin.dbsize()).toBe(0);
    await sessions.close();
    await close();
  });
});
