// A program of a user of the package in TypeScript, as an ES module.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Redis } from "ioredis";
import Koa from "koa";
import { createSessions, type Session, type SessionSet, type SessionStore } from "session-sets";
import { csrfGuard, koaSessions } from "session-sets/koa";
import { memoryStore } from "session-sets/memory";
import { redisStore } from "session-sets/redis";
import { storeContract } from "session-sets/testing";

interface Data {
  user_id?: number;
  theme?: string;
}

/** How many sessions user 1 has after two sign-ins, before and after being signed out everywhere. */
async function countSessions(store: SessionStore): Promise<number[]> {
  const sessions = createSessions({
    data: {} as Data,
    store,
    references: ["user_id"],
  });
  await sessions.create({ user_id: 1 });
  const visitor = await sessions.create({ theme: "dark" });
  const { token } = await sessions.signIn(visitor.token, { user_id: 1 }, { keep: ["theme"] });
  const session: Session<Data> | null = await sessions.get(token);
  if (session?.data.theme !== "dark") throw new Error("the session was not found");
  const devices: SessionSet<Data> = sessions.by("user_id", 1);
  const before = await devices.size();
  await devices.clear();
  return [before, await devices.size()];
}

/** What an app with sessions answers to a first request. */
async function firstAnswer(): Promise<string> {
  const sessions = createSessions({ data: {} as Data });
  const app = new Koa();
  app.use(csrfGuard());
  app.use(koaSessions(sessions));
  app.use(async (ctx) => {
    await ctx.session.set({ theme: "dark" });
    ctx.body = await ctx.session.get();
  });
  const server = createServer(app.callback()).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const response = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  const text = await response.text();
  server.close();
  return `${response.status} ${text} ${response.headers.getSetCookie().length}`;
}

const client = new Redis(process.env.REDIS_URL ?? "");
console.log(
  JSON.stringify({
    memory: await countSessions(memoryStore()),
    redis: await countSessions(
      redisStore(client, { prefix: `consumer-${process.pid}`, timeout: "20 seconds" }),
    ),
    koa: await firstAnswer(),
    contract: storeContract.length > 0,
  }),
);
await client.quit();
