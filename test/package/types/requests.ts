/* The types of a request's session: code that compiles, and code that must not. Compiled, never run. */
import type { IncomingMessage, ServerResponse } from "node:http";
import express from "express";
import fastify, { type FastifyRequest } from "fastify";
import { type Context, Hono } from "hono";
import Koa from "koa";
import { createSessions, type Session, SessionError } from "session-sets";
import * as expressed from "session-sets/express";
import * as fastified from "session-sets/fastify";
import * as fetched from "session-sets/fetch";
import * as hono from "session-sets/hono";
import * as koa from "session-sets/koa";
import * as node from "session-sets/node";
import { type Equal, same } from "./equal.ts";

interface Data {
  user_id?: number;
  team_ids?: number[];
  theme?: string;
}

const sessions = createSessions({
  data: {} as Data,
  references: { user_id: {}, team_ids: { identity: false } },
});

// load() gives the declared type; get() what may be there.
export async function read(req: IncomingMessage, res: ServerResponse): Promise<void> {
  const session = node.nodeSessions(sessions)(req, res);
  const loaded = await session.load({ touch: false });
  same<Equal<typeof loaded, Session<Data> | null>>();
  const all = await session.get({ touch: false });
  same<Equal<typeof all, Partial<Data>>>();
  const some = await session.get(["theme"], { touch: false });
  same<Equal<typeof some, Partial<Pick<Data, "theme">>>>();
  const unnamed = await session.get(undefined, { touch: false });
  same<Equal<typeof unnamed, Partial<Data>>>();
  const ended = await session.delete({ keep: ["theme"], clearSiteData: ["cache", "storage"] });
  same<Equal<typeof ended, boolean>>();
  // @ts-expect-error: no option
  await session.get({ touched: false });
  // @ts-expect-error: no field of the data
  await session.delete({ keep: ["nothing"] });
  // @ts-expect-error: nothing that a browser throws away
  await session.delete({ clearSiteData: ["everything"] });
  // @ts-expect-error: nothing is assigned
  session.theme = "dark";
}

interface Required {
  user_id: number;
  theme: string;
}

export async function readRequired(req: IncomingMessage): Promise<void> {
  const whole = createSessions<Required>({ references: { user_id: {} } });
  const loaded = await node.nodeSessions(whole)(req).load();
  same<Equal<NonNullable<typeof loaded>["data"]["user_id"], number>>();
}

// After a requirement, the type says that the field is there.
type SignedIn = Session<Data & { readonly user_id: number }>;
const isSignedIn = (session: SignedIn): number => session.data.user_id;

const koaShop = koa.koaSessions(sessions);
const koaGate = koaShop.requireSession("user_id", { redirect: "/sign-in" });
new Koa()
  .use(koaShop)
  .use(koaGate)
  .use((ctx) => {
    const { data } = koaGate.of(ctx);
    same<Equal<typeof data.user_id, number>>();
    same<Equal<typeof data.theme, string | undefined>>();
    isSignedIn(koaGate.of(ctx));
  });

const expressShop = expressed.expressSessions(sessions);
const expressGate = expressShop.requireSession("user_id");
express()
  .use(expressShop)
  .get("/", expressGate, (req, res) => {
    res.send(String(isSignedIn(expressGate.of(req))));
  });

const fastifyShop = fastified.fastifySessions(sessions);
const fastifyGate = fastifyShop.requireSession("user_id");
fastify().get("/", { preHandler: fastifyGate }, async (request) =>
  isSignedIn(fastifyGate.of(request)),
);

const honoShop = hono.honoSessions(sessions);
const honoGate = honoShop.requireSession("user_id");
new Hono<{ Variables: hono.SessionVariables<typeof sessions> }>()
  .use(honoShop)
  .get("/", honoGate, (c) => c.json({ id: isSignedIn(honoGate.of(c)) }))
  .onError((error, c) => {
    // No cast: a status is one of those that have a body.
    if (error instanceof SessionError) return c.json({ error: error.code }, error.status);
    return c.text("", 500);
  });

const nodeGate = node.nodeSessions(sessions).requireSession("user_id");
const fetchGate = fetched.fetchSessions(sessions).requireSession("user_id");
export async function gates(req: IncomingMessage, res: ServerResponse, request: Request) {
  const session = await nodeGate(req, res);
  if (session) isSignedIn(session);
  const asked = await fetchGate(request);
  if (asked instanceof Response) return asked;
  return Response.json(isSignedIn(asked));
}

// @ts-expect-error: no reference
koaShop.requireSession("theme");
// @ts-expect-error: no option
expressShop.requireSession("user_id", { to: "/sign-in" });

// A request that has no response, and what the guard is given.
export function upgraded(req: IncomingMessage): void {
  expressShop(req, {}, () => {});
  expressShop.of(req);
  node.nodeSessions(sessions)(req);
  expressed.csrfGuard()(req, {}, () => {});
}
koa.csrfGuard({ exempt: (ctx) => ctx.method === "POST" });
koa.csrfGuard<Koa.Context>({ exempt: (ctx) => ctx.path === "/webhook" });
new Koa().use(koa.csrfGuard({ exempt: (ctx: Koa.Context) => ctx.path === "/webhook" }));
fastified.csrfGuard<FastifyRequest>({ exempt: ({ url }) => url === "/webhook" });
hono.csrfGuard<Context>({ exempt: (c) => c.req.path === "/webhook" });
expressed.csrfGuard<express.Request>({ exempt: (req) => req.path === "/webhook" });
hono.csrfGuard({ exempt: (c) => c.req.raw.url.endsWith("/webhook") });
fetched.csrfGuard<Request>({ exempt: (request) => request.url.endsWith("/webhook") });
node.csrfGuard({ exempt: (req) => req.url === "/webhook" });
// @ts-expect-error: a promise is no answer
node.csrfGuard({ exempt: async () => true });
// @ts-expect-error: the name gets its prefix by itself
koa.koaSessions(sessions, { cookie: { hostPrefix: true } });
