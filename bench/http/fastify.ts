import type { AddressInfo } from "node:net";
import fastifyCookie from "@fastify/cookie";
import fastify, { type FastifyInstance, type FastifyPluginCallback } from "fastify";
import { fastifySessions } from "session-sets/fastify";
import { loadPeer } from "../peers.ts";
import { makeRecord, type SessionRecord } from "../record.ts";
import { type AppOptions, readUser } from "./app.ts";
import { openBareSessions } from "./bare-sessions.ts";
import { openOurSessions } from "./our-sessions.ts";
import { openConnectRedisStore, openOurStore } from "./peer-stores.ts";

async function listen(app: FastifyInstance): Promise<number> {
  // biome-ignore lint/nursery/useAwaitThenable: it is the overload that returns a promise
  await app.listen({ port: 0, host: "127.0.0.1" });
  return (app.server.address() as AddressInfo).port;
}

export function startBare({ url }: AppOptions): Promise<number> {
  const sessions = openBareSessions(url);
  const app = fastify();
  app.get("/login", async (request, reply) => {
    reply.header("Set-Cookie", await sessions.signIn(readUser(request.url)));
    return "signed in";
  });
  app.get("/", (request) => sessions.readName(request.headers.cookie));
  return listen(app);
}

export function startOurs({ url }: AppOptions): Promise<number> {
  const web = fastifySessions(openOurSessions(url));
  const app = fastify();
  app.register(web);
  app.get("/login", async (request) => {
    await web.of(request).signIn(makeRecord(readUser(request.url)));
    return "signed in";
  });
  app.get("/", async (request) => {
    const { name } = await web.of(request).get();
    return name;
  });
  return listen(app);
}

interface FastifySession {
  readonly default: FastifyPluginCallback<Record<string, unknown>>;
}

/** @fastify/session with a store. */
async function startFastifySession(store: object): Promise<number> {
  const { default: fastifySession } = await loadPeer<FastifySession>("@fastify/session");
  const app = fastify();
  app.register(fastifyCookie);
  app.register(fastifySession, {
    secret: "a secret that is at least 32 characters long",
    cookie: { secure: false },
    saveUninitialized: false,
    store,
  });
  const read = (request: object) => (request as { session: SessionRecord }).session;
  app.get("/login", async (request) => {
    Object.assign(read(request), makeRecord(readUser(request.url)));
    return "signed in";
  });
  app.get("/", async (request) => read(request).name);
  return listen(app);
}

export async function startConnectRedis({ url }: AppOptions): Promise<number> {
  return startFastifySession(await openConnectRedisStore(url));
}

export async function startOurStore({ url }: AppOptions): Promise<number> {
  return startFastifySession(await openOurStore(url));
}
