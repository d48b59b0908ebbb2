/* A session is found by its lineage as long as it lives, also while it is rotated. */
import { createSessions } from "session-sets";
import { redisStore } from "session-sets/redis";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type InterceptedClient, intercepted } from "../../support/intercept.ts";
import { type RedisServer, startRedis } from "../../support/redis/server.ts";
import { type Client, clients, freshPrefix } from "../../support/stores/stores.ts";

let redis: RedisServer;
let client: Client;
beforeAll(async () => {
  redis = await startRedis();
  client = clients["ioredis 5"](redis.url);
});
afterAll(async () => {
  client.disconnect();
  await redis.stop();
});

test("a session that is rotated once its pointer was read is found by its lineage", async () => {
  const options = { prefix: freshPrefix(), shards: 1 };
  const writer = createSessions({ store: redisStore(client, options), references: ["user_id"] });
  const { token, session } = await writer.create({ user_id: 1 });
  const first = await writer.rotate(token, {}, { grace: 0 });
  let [current, rotations] = [first?.token, 0];
  const behind = intercepted(client as unknown as InterceptedClient, async ({ name }, send) => {
    const reply = await send();
    if (name === "GET" && rotations++ < 2) {
      current = (await writer.rotate(current, {}, { grace: 0 }))?.token;
    }
    return reply;
  });
  const reader = createSessions({ store: redisStore(behind, options), references: ["user_id"] });
  const found = await reader.byId(session.lineage).get();
  expect(rotations).toBe(3);
  expect(found).toMatchObject({ lineage: session.lineage, data: { user_id: 1 } });
  await writer.delete(current);
  expect(await reader.byId(session.lineage).get()).toBeNull();
});

test("a sign-in answers with the session also where that expires during its script", async () => {
  const sessions = createSessions({
    store: redisStore(client, { prefix: freshPrefix(), shards: 1, timeout: "20 seconds" }),
    references: ["user_id", { team_ids: { identity: false } }],
  });
  const { token } = await sessions.create({ user_id: 1, theme: "dark" });
  const team_ids = Array.from({ length: 999 }, (_, i) => i); // takes more than 1 ms
  const times = { idleTimeout: 1, absoluteTimeout: 1 };
  const values = { user_id: 1, team_ids };
  const { session } = await sessions.signIn(token, values, { keep: ["theme"], ...times });
  expect(session.data).toEqual({ user_id: 1, theme: "dark", team_ids });
});
