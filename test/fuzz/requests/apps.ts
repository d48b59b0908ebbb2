/* Applications on real sockets, whose requests do one of a few things to their sessions. */
import { createServer } from "node:http";
import fastifyCookie from "@fastify/cookie";
import fastifySession from "@fastify/session";
import express from "express";
import session from "express-session";
import fastify from "fastify";
import Koa from "koa";
import type { RequestSession } from "session-sets/koa";
import type { Adapter, AdapterOptions, Data } from "../../support/http/app.ts";
import { express4Adapter, expressAdapter } from "../../support/http/apps/express.ts";
import { fastifyAdapter } from "../../support/http/apps/fastify.ts";
import { fetchAdapter } from "../../support/http/apps/fetch.ts";
import { honoAdapter } from "../../support/http/apps/hono.ts";
import { koaAdapter } from "../../support/http/apps/koa.ts";
import { nodeAdapter } from "../../support/http/apps/node.ts";
import { type Listening, listen } from "../../support/http/server.ts";
import type { Rules } from "../runs/checks.ts";
import { type CoreWorld, openWorld, type Place, type Servers } from "../runs/worlds.ts";
import { type ExpressSessionWorld, openExpressSession } from "../surfaces/express-session.ts";
import { type KoaCompatWorld, openKoaCompat } from "../surfaces/koa-compat.ts";
import type { World } from "../surfaces/surfaces.ts";

/** The work of a request on its session. */
export interface Act<Session> {
  readonly reads: Rules["reads"];
  readonly run: (session: Session) => unknown;
}

/** The results of requests: the errors that acts threw, and those that reached the framework. */
export interface Seen {
  readonly thrown: unknown[];
  readonly reported: unknown[];
}

/** A kind of application. `Setting`: how it is set up. */
export interface App<Where extends World = World, Setting = unknown> {
  readonly name: string;
  readonly acts: Readonly<{ [name: string]: Act<never> }>;
  readonly open: (servers: Servers, setting: Setting) => Promise<Where>;
  readonly start: (world: Where, setting: Setting, record: Seen) => Promise<Listening>;
  /** The act that makes a session. */
  readonly firstAct: string;
  /** The names of the cookies that it reads, and of which it sets some. */
  readonly cookies: readonly string[];
}

/** Does an act by its name, and keeps what it throws. */
async function perform(
  acts: Readonly<{ [name: string]: Act<never> }>,
  name: string,
  session: unknown,
  { thrown }: Seen,
): Promise<void> {
  try {
    await acts[name]?.run(session as never);
  } catch (error) {
    thrown.push(error);
    throw error;
  }
}

/** How an application of an adapter is set up. */
export interface AdapterSetting {
  readonly place: Place;
  readonly options: Omit<AdapterOptions, "sessions" | "prefix" | "findHandler" | "onError">;
}

type Act0 = Act<RequestSession<Data>>;
const only = (run: Act0["run"]): Act0 => ({ reads: "only", run });
const read = (run: Act0["run"]): Act0 => ({ reads: "and touches", run });
const write = (run: Act0["run"]): Act0 => ({ reads: false, run });

const requestActs: Readonly<{ [name: string]: Act0 }> = {
  "to get": read((s) => s.get()),
  "to get two fields": read((s) => s.get(["theme", "user_id"])),
  "to get without a touch": only((s) => s.get({ touch: false })),
  "to load": read((s) => s.load()),
  "to ask for the id": only((s) => [s.id, s.key]),
  "to list peers": read(async (s) => (await s.peers("user_id"))?.list()),
  "to count peers": read(async (s) => (await s.peers("user_id"))?.size()),
  "to make a CSRF token": only((s) => s.createCSRFToken()),
  "to check a CSRF token": only((s) => s.verifyCSRFToken()),
  "to set": write((s) => s.set({ theme: "blue" })),
  "to unset": write((s) => s.unset(["theme"])),
  "to touch": write((s) => s.touch()),
  "to sign in": write((s) => s.signIn({ user_id: 7 }, { keep: ["theme"] })),
  "to rotate": write((s) => s.rotate()),
  "to change credentials": write((s) => s.changeCredentials("user_id")),
  "to sign the others out": write((s) => s.signOutOthers("user_id")),
  "to sign out everywhere": write((s) => s.signOutEverywhere("user_id")),
  "to delete": write((s) => s.delete({ clearSiteData: ["cache"] })),
};

function adapterApp(adapter: Adapter): App<CoreWorld, AdapterSetting> {
  return {
    name: `requests under ${adapter.name}`,
    acts: requestActs,
    firstAct: "to set",
    cookies: ["session", "__Host-session", "__Secure-session", "session-csrf-", "sid"],
    open: (servers, { place }) => openWorld(place, servers),
    start: ({ sessions }, { options }, record) =>
      adapter.start({
        ...options,
        sessions: sessions as never,
        prefix: "",
        findHandler:
          (name) =>
          ({ session }) =>
            perform(requestActs, name, session, record),
        onError: (error) => void record.reported.push(error),
      }),
  };
}

/** Of each of the six adapters, and of the older Express. */
export const adapterApps: readonly App<CoreWorld, AdapterSetting>[] = [
  koaAdapter,
  expressAdapter,
  express4Adapter,
  fastifyAdapter,
  honoAdapter,
  nodeAdapter,
  fetchAdapter,
].map(adapterApp);

/** A session of express-session or @fastify/session. */
interface MiddlewareSession {
  [field: string]: unknown;
  reload(done: (error?: unknown) => void): void;
  save(done: (error?: unknown) => void): void;
  regenerate(done: (error?: unknown) => void): void;
  destroy(done: (error?: unknown) => void): void;
}

const doneBy = (
  session: MiddlewareSession,
  method: "reload" | "save" | "regenerate" | "destroy",
): Promise<void> =>
  new Promise((resolve, reject) => session[method]((error) => (error ? reject(error) : resolve())));

const middlewareActs: Readonly<{ [name: string]: Act<MiddlewareSession> }> = {
  "to read": { reads: "and touches", run: (s) => s.user_id },
  "to write": {
    reads: false,
    run(s) {
      s.views = 1;
    },
  },
  "to save": { reads: false, run: (s) => doneBy(s, "save") },
  "to regenerate": { reads: false, run: (s) => doneBy(s, "regenerate") },
  "to destroy": { reads: false, run: (s) => doneBy(s, "destroy") },
};

const SECRET = "a secret of at least thirty-two characters";

export const expressSessionApp: App<ExpressSessionWorld, { readonly place: Place }> = {
  name: "requests under express-session",
  acts: middlewareActs,
  firstAct: "to write",
  cookies: ["connect.sid"],
  open: (servers, { place }) => openExpressSession(place, servers),
  start({ store }, _setting, record) {
    const app = express();
    const options = { secret: SECRET, resave: false, saveUninitialized: false };
    app.use(session({ ...options, store: store as never }));
    app.use((req, res, next) => {
      perform(middlewareActs, req.get("x-handler") ?? "", req.session, record).then(
        () => res.json({}),
        next,
      );
    });
    app.use(((error, _req, _res, next) => {
      record.reported.push(error);
      next(error);
    }) satisfies express.ErrorRequestHandler);
    return listen(createServer(app));
  },
};

export const fastifySessionApp: App<ExpressSessionWorld, { readonly place: Place }> = {
  name: "requests under @fastify/session",
  acts: middlewareActs,
  firstAct: "to write",
  cookies: ["sessionId"],
  open: (servers, { place }) => openExpressSession(place, servers),
  async start({ store }, _setting, record) {
    const app = fastify();
    await app.register(fastifyCookie);
    const cookie = { secure: false };
    await app.register(fastifySession, {
      secret: SECRET,
      saveUninitialized: false,
      store: store as never,
      cookie,
    });
    app.addHook("onError", async (_request, _reply, error) => void record.reported.push(error));
    app.all("/", async (request) => {
      await perform(middlewareActs, String(request.headers["x-handler"]), request.session, record);
      return {};
    });
    await app.ready();
    return listen(app.server);
  },
};

/** A session of `koa-redis-session-sets`. */
interface KoaCompatSession {
  get(fields?: readonly string[]): Promise<unknown>;
  set(values: object, maxAge?: number): Promise<unknown>;
  unset(fields: readonly string[]): Promise<unknown>;
  touch(): Promise<unknown>;
  delete(): Promise<unknown>;
  getKey(): unknown;
  createCSRFToken(): Promise<unknown>;
  verifyCSRFToken(token: string): Promise<unknown>;
}

const koaCompatActs: Readonly<{ [name: string]: Act<KoaCompatSession> }> = {
  "to ask for the key": { reads: "only", run: (s) => s.getKey() },
  "to get": { reads: false, run: (s) => s.get() },
  "to set": { reads: false, run: (s) => s.set({ theme: "blue", user_id: 1 }) },
  "to unset": { reads: false, run: (s) => s.unset(["theme"]) },
  "to touch": { reads: false, run: (s) => s.touch() },
  "to delete": { reads: false, run: (s) => s.delete() },
  "to make a CSRF token": { reads: false, run: (s) => s.createCSRFToken() },
  "to check a CSRF token": { reads: false, run: (s) => s.verifyCSRFToken("x") },
};

export const koaCompatApp: App<KoaCompatWorld, { readonly signed: boolean }> = {
  name: "requests under koaRedisSessionSets",
  acts: koaCompatActs,
  firstAct: "to set",
  cookies: ["session-id", "session-id.sig", "__Host-session-id"],
  open: (servers) => openKoaCompat(servers),
  start({ middleware }, { signed }, record) {
    const app = new Koa();
    if (signed) app.keys = [SECRET];
    app.on("error", (error) => record.reported.push(error));
    app.use(middleware as never);
    app.use(async (ctx) => {
      await perform(koaCompatActs, ctx.get("x-handler"), ctx.session, record);
      ctx.body = {};
    });
    return listen(createServer(app.callback()));
  },
};
