/* When a script's text is sent: to a server that does not know it, and not when it was refused. */
import { redisStore } from "session-sets/redis";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { change, create, createDraft } from "../../../../src/testing/steps.ts";
import { intercepted } from "../../../support/intercept.ts";
import { type RedisServer, startRedis } from "../../../support/redis/server.ts";
import { type Client, clients } from "../../../support/stores/stores.ts";

let server: RedisServer;
let client: Client;
let sent: string[];
beforeAll(async () => {
  server = await startRedis({ args: ["--maxmemory-policy", "noeviction"] });
  client = clients["ioredis 6"](server.url);
});
afterAll(async () => {
  client.disconnect();
  await server.stop();
});
beforeEach(() => client.flushall());

function openRecorded() {
  const recorded = intercepted(client, ({ name }, pass) => {
    sent.push(name);
    return pass();
  });
  return redisStore(recorded, { timeout: "20 seconds" });
}

/** Makes a session, so that the server knows that script and the store the server's time. */
async function openWarm() {
  sent = [];
  const store = openRecorded();
  const id = await create(store);
  await change(store, id);
  sent = [];
  return { store, id };
}

test("a server that does not know a script gets its text, once", async () => {
  const { store } = await openWarm();
  await client.script("FLUSH");
  await create(store);
  await create(store);
  expect(sent).toEqual(["EVALSHA", "EVAL", "EVALSHA"]);
});

test("a script that a full server refuses is not sent again", async () => {
  const { store } = await openWarm();
  await client.config("SET", "maxmemory", "1");
  await expect(create(store)).rejects.toThrow(/out of memory/);
  await client.config("SET", "maxmemory", "0");
  expect(sent).toEqual(["EVALSHA"]);
});

test("a script that meets a foreign key is not sent again", async () => {
  const { store, id } = await openWarm();
  await client.set(store.sessionKey(id), "foreign");
  await expect(store.create(createDraft(store, { id }))).rejects.toThrow(/holds something else/);
  await expect(change(store, id)).rejects.toThrow(/holds something else/);
  expect(sent).toEqual(["EVALSHA", "EVALSHA"]);
});
