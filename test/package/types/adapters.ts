/* The types of the sessions under each framework but Koa: code that compiles, and code that must not. Compiled, never run. */
import type { IncomingMessage, ServerResponse } from "node:http";
import express from "express";
import fastify from "fastify";
import { Hono } from "hono";
import { createSessions } from "session-sets";
import * as express5 from "session-sets/express";
import * as fastify5 from "session-sets/fastify";
import * as fetched from "session-sets/fetch";
import * as hono from "session-sets/hono";
import * as node from "session-sets/node";
import { type Equal, same } from "./equal.ts";

interface Data {
  user_id?: number;
  theme?: string;
}

const sessions = createSessions({
  data: {} as Data,
  references: { user_id: {} },
  idleTimeout: "30 minutes",
});
type Session = express5.RequestSession<Data, "user_id">;
same<Equal<express5.SessionOf<typeof sessions>, Session>>();

const shop = express5.expressSessions(sessions, { keys: ["secret"], carriers: ["bearer"] });
const app = express().use(shop, express5.csrfGuard());
app.get("/", async (req) => {
  const session = shop.of(req);
  same<Equal<typeof session, Session>>();
  // Under a bearer header the token is the new one.
  const rotated = await session.rotate();
  same<Equal<NonNullable<typeof rotated>["token"], string | null>>();
  const signedIn = await session.signIn({ user_id: 1 }, { keep: ["theme"] });
  same<Equal<typeof signedIn, express5.GivenSession<Data>>>();
  // @ts-expect-error: no field of the data
  await session.get(["nothing"]);
});

const plugin = fastify5.fastifySessions(sessions, { cookie: { name: "sid" } });
const served = fastify();
served.register(plugin);
served.register(fastify5.csrfGuard({ origins: ["https://admin.example"] }));
served.get("/", (request, reply) => {
  const session = plugin.of(request, reply);
  plugin.of(request);
  same<Equal<typeof session, Session>>();
  return session.get();
});

const router = new Hono<{ Variables: hono.SessionVariables<typeof sessions> }>();
router.use(hono.honoSessions(sessions, { trustProxy: true }), hono.csrfGuard());
router.get("/", (c) => {
  same<Equal<typeof c.var.session, Session>>();
  return c.text("");
});

const sessionOf = node.nodeSessions(sessions, { carriers: [{ header: "X-Token" }, "cookie"] });
export function answer(req: IncomingMessage, res: ServerResponse) {
  const session = sessionOf(req, res);
  same<Equal<typeof session, Session>>();
  same<Equal<ReturnType<typeof sessionOf.of>, Session>>();
  same<Equal<typeof session.id, string | null>>();
  same<Equal<typeof session.key, string | null>>();
  // @ts-expect-error: what is known is a property, and is not assigned
  session.id = "another";
  // @ts-expect-error: and not a method
  session.key();
}

export function handle(request: Request): Response {
  const fetchSession = fetched.fetchSessions(sessions);
  const session = fetchSession(request);
  const named = fetchSession.of(request);
  same<Equal<typeof named, typeof session>>();
  const parts = fetchSession.of({ headers: request.headers });
  same<Equal<typeof parts, Session>>();
  const data = session.get(["theme"]);
  same<Equal<Awaited<typeof data>, Partial<Pick<Data, "theme">>>>();
  class PageResponse extends Response {}
  const committed = session.commit(new PageResponse());
  same<Equal<typeof committed, PageResponse>>();
  // @ts-expect-error: no Response
  session.commit({ status: 200 });
  return committed;
}

const made: [
  express5.GivenSession<Data>,
  fastify5.GivenSession<Data>,
  hono.GivenSession<Data>,
  node.GivenSession<Data>,
  fetched.GivenSession<Data>,
][] = [];
same<Equal<(typeof made)[number][0], (typeof made)[number][4]>>();
// @ts-expect-error: what says who the user is says the reference, not the adapter
express5.expressSessions(sessions, { rotate: false });
// @ts-expect-error: the same
fastify5.fastifySessions(sessions, { rotate: false });
// @ts-expect-error: the same
hono.honoSessions(sessions, { rotate: false });
// @ts-expect-error: the same
node.nodeSessions(sessions, { rotate: false });
// @ts-expect-error: the same
fetched.fetchSessions(sessions, { rotate: false });
// @ts-expect-error: no carrier
fetched.fetchSessions(sessions, { carriers: ["header"] });
// @ts-expect-error: Express has a setting of its own
express5.expressSessions(sessions, { trustProxy: true });
// @ts-expect-error: no sessions
hono.honoSessions({});
// @ts-expect-error: no option
node.csrfGuard({ origin: "https://admin.example" });
