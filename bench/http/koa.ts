import { once } from "node:events";
import type { AddressInfo } from "node:net";
import Koa from "koa";
import { koaSessions, type SessionContext } from "session-sets/koa";
import { openIoredis } from "../clients/ioredis.ts";
import { loadPeer } from "../peers.ts";
import { makeRecord, type SessionRecord } from "../record.ts";
import { type AppOptions, readUser } from "./app.ts";
import { openBareSessions } from "./bare-sessions.ts";
import { openOurSessions } from "./our-sessions.ts";

async function listen(app: {
  listen(port: number, host: string): import("node:http").Server;
}): Promise<number> {
  const server = app.listen(0, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

export function startBare({ url }: AppOptions): Promise<number> {
  const sessions = openBareSessions(url);
  const app = new Koa();
  app.use(async (ctx) => {
    if (ctx.path === "/login") {
      ctx.set("Set-Cookie", await sessions.signIn(readUser(ctx.url)));
      ctx.body = "signed in";
      return;
    }
    ctx.body = await sessions.readName(ctx.headers.cookie);
  });
  return listen(app);
}

export function startOurs({ url }: AppOptions): Promise<number> {
  const sessions = openOurSessions(url);
  const app = new Koa<Koa.DefaultState, SessionContext<typeof sessions>>();
  app.use(koaSessions(sessions));
  app.use(async (ctx) => {
    if (ctx.path === "/login") {
      await ctx.session.signIn(makeRecord(readUser(ctx.url)));
      ctx.body = "signed in";
      return;
    }
    const { name } = await ctx.session.get();
    ctx.body = name;
  });
  return listen(app);
}

interface KoaSession {
  readonly default: (options: object, app: object) => Koa.Middleware;
}
interface KoaRedis {
  readonly default: (options: object) => object;
}

export async function startKoaSession({ url }: AppOptions): Promise<number> {
  const { default: session } = await loadPeer<KoaSession>("koa-session");
  const { default: redisStore } = await loadPeer<KoaRedis>("koa-redis");
  const app = new Koa<Koa.DefaultState, { session: SessionRecord }>();
  app.keys = ["a secret"];
  app.use(session({ store: redisStore({ client: openIoredis(url) }) }, app));
  app.use(async (ctx) => {
    if (ctx.path === "/login") {
      Object.assign(ctx.session, makeRecord(readUser(ctx.url)));
      ctx.body = "signed in";
      return;
    }
    ctx.body = ctx.session.name;
  });
  return listen(app);
}
