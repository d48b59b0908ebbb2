/*
 * express-session and @fastify/session, each in an app on a real socket whose one route does what a
 * test says, so that requests can be held where a race begins.
 */
import { EventEmitter, once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import fastifyCookie from "@fastify/cookie";
import fastifySession from "@fastify/session";
import express5 from "express";
import express4 from "express-4";
import session from "express-session";
import fastify from "fastify";
import { exchange } from "./client.ts";
import { CookieJar } from "./cookie-jar.ts";

/** What both middlewares call a store. */
export type MiddlewareStore = session.Store &
  NonNullable<fastifySession.FastifySessionOptions["store"]>;

/** A request's session: what tests use of it, and any field. */
export interface AnySession {
  cookie: {
    maxAge?: number | null;
    expires?: Date | null;
    originalMaxAge: number | null;
    sameSite?: unknown;
  };
  // biome-ignore lint/suspicious/noExplicitAny: the fields that a test puts there
  [field: string]: any;
}

export interface AppRequest {
  session: AnySession;
  // biome-ignore lint/suspicious/noExplicitAny: of Express or of Fastify
  [member: string]: any;
}

/** What a request does; what it gives is the response's JSON. */
export type Act = (request: AppRequest) => unknown;

export interface AppOptions {
  /** In ms; left out, the cookie ends with the browser. */
  readonly maxAge?: number;
  readonly rolling?: boolean;
  readonly saveUninitialized?: boolean;
  /** Of express-session. */
  readonly resave?: boolean;
  /** Of express-session. */
  readonly genid?: (request: object) => string;
  /** More middleware of Express. */
  readonly use?: readonly express5.RequestHandler[];
}

export interface MiddlewareApp {
  /** A browser without cookies. */
  browser(): Browser;
  close(): Promise<void>;
}

export interface Answer {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: what the act gave
  readonly body: any;
  readonly setCookies: readonly string[];
}

export interface Browser {
  readonly jar: CookieJar;
  /** Sends a request that does this. */
  send(act: Act): Promise<Answer>;
}

export type OpenApp = (store: MiddlewareStore, options?: AppOptions) => Promise<MiddlewareApp>;

const SECRET = "a secret of at least thirty-two characters";

export const middlewares: Readonly<Record<string, OpenApp>> = {
  "express-session under Express 5": (store, options) => openExpress(express5, store, options),
  "express-session under Express 4": (store, options) =>
    openExpress(express4 as unknown as typeof express5, store, options),
  "@fastify/session": openFastify,
};

/** The acts under way, by what the request's header names. */
const acts = new Map<string, Act>();
let count = 0;

async function openExpress(
  express: typeof express5,
  store: MiddlewareStore,
  { maxAge, rolling, saveUninitialized = false, resave = false, genid, use = [] }: AppOptions = {},
): Promise<MiddlewareApp> {
  const app = express();
  app.set("env", "test"); // no error is logged
  app.use(
    session({
      store,
      secret: SECRET,
      resave,
      saveUninitialized,
      ...(rolling === undefined ? {} : { rolling }),
      ...(genid === undefined ? {} : { genid }),
      cookie: maxAge === undefined ? {} : { maxAge },
    }),
  );
  for (const middleware of use) app.use(middleware);
  app.use((request, response, next) => {
    perform(request as unknown as AppRequest).then((body) => response.json(body), next);
  });
  app.use(((error, _request, response, next) => {
    if (response.headersSent) return next(error);
    response.status(error.status ?? 500).json({ code: error.code });
  }) as express5.ErrorRequestHandler);
  const server = createServer(app).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    browser: () => createBrowser((server.address() as AddressInfo).port),
    async close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

async function openFastify(
  store: MiddlewareStore,
  { maxAge, rolling = false, saveUninitialized = false }: AppOptions = {},
): Promise<MiddlewareApp> {
  const app = fastify({ forceCloseConnections: true });
  await app.register(fastifyCookie);
  await app.register(fastifySession, {
    store,
    secret: SECRET,
    rolling,
    saveUninitialized,
    cookie: { secure: false, ...(maxAge === undefined ? {} : { maxAge }) },
  });
  app.setErrorHandler((error: { status?: number; code?: string }, _request, reply) =>
    reply.status(error.status ?? 500).send({ code: error.code }),
  );
  app.get("/", async (request) => perform(request as unknown as AppRequest));
  // biome-ignore lint/nursery/useAwaitThenable: it is the overload that gives a promise
  await app.listen({ port: 0, host: "127.0.0.1" });
  return {
    browser: () => createBrowser((app.server.address() as AddressInfo).port),
    close: () => app.close(),
  };
}

async function perform(request: AppRequest): Promise<unknown> {
  const act = acts.get(request.headers["x-act"]);
  if (!act) throw new Error("This request does nothing.");
  return (await Promise.resolve(act(request))) ?? {};
}

function createBrowser(port: number): Browser {
  const jar = new CookieJar();
  return {
    jar,
    async send(act) {
      const name = String(++count);
      acts.set(name, act);
      const cookie = jar.header;
      const { status, headers, text } = await exchange(port, {
        method: "GET",
        path: "/",
        headers: { "x-act": name, ...(cookie === undefined ? {} : { cookie }) },
      });
      acts.delete(name);
      const setCookies = headers["set-cookie"] ?? [];
      jar.take(setCookies);
      return { status, body: text === "" ? undefined : JSON.parse(text), setCookies };
    },
  };
}

/** A request that is held in the middle: it has its session, and has not been answered. */
export interface Held {
  /** Lets it go on, and gives its answer. */
  release(): Promise<Answer>;
}

/** Sends a request, and holds it; what it then does to its session, it does when it is released. */
export async function hold(browser: Browser, act: Act): Promise<Held> {
  const gate = new EventEmitter();
  const arrived = once(gate, "arrived");
  const released = once(gate, "released");
  const answer = browser.send(async (request) => {
    gate.emit("arrived");
    await released;
    return act(request);
  });
  await Promise.race([arrived, answer]);
  return {
    release() {
      gate.emit("released");
      return answer;
    },
  };
}

/** Calls a method of a session that takes a callback: `destroy`, `regenerate`, `save`, `reload`. */
export function call(target: AppRequest | AnySession, method: string): Promise<void> {
  const { session: inner } = target as AppRequest;
  const owner = inner ?? target;
  return new Promise((resolve, reject) => {
    owner[method]((error: unknown) => (error ? reject(error) : resolve()));
  });
}
