/* Adapters that are called with what is no request say so, and what to call them with. */
import { IncomingMessage } from "node:http";
import { Socket } from "node:net";
import { createSessions, SessionError } from "session-sets";
import * as express from "session-sets/express";
import * as fastify from "session-sets/fastify";
import * as fetched from "session-sets/fetch";
import * as hono from "session-sets/hono";
import * as koa from "session-sets/koa";
import { memoryStore } from "session-sets/memory";
import * as node from "session-sets/node";
import { describe, expect, test } from "vitest";
import { contextWith } from "../../support/http/request.ts";

const sessions = createSessions<{ user_id?: number }>({
  references: ["user_id"],
  store: memoryStore(),
});

type Call = (given: never) => unknown;
const next = () => {};

const forKoa = koa.koaSessions(sessions);
const forExpress = express.expressSessions(sessions);
const forFastify = fastify.fastifySessions(sessions);
const forHono = hono.honoSessions(sessions);
const forNode = node.nodeSessions(sessions);
const forFetch = fetched.fetchSessions(sessions);

/** All that takes what a framework shows of a request. */
const CALLS: Readonly<Record<string, Call>> = {
  "the middleware for Koa": (given) => forKoa(given, async () => {}),
  "of for Koa": (given) => forKoa.of(given),
  "requireSession for Koa": (given) => forKoa.requireSession("user_id")(given, async () => {}),
  "requireSession's of for Koa": (given) => forKoa.requireSession("user_id").of(given),
  "csrfGuard for Koa": (given) => koa.csrfGuard()(given, async () => {}),
  "the middleware for Express": (given) => forExpress(given, {}, next),
  "of for Express": (given) => forExpress.of(given),
  "requireSession for Express": (given) =>
    new Promise((resolve, reject) => {
      const answered = (error?: unknown) => (error === undefined ? resolve(null) : reject(error));
      void forExpress.requireSession("user_id")(given, given, answered);
    }),
  "requireSession's of for Express": (given) => forExpress.requireSession("user_id").of(given),
  "csrfGuard for Express": (given) => express.csrfGuard()(given, {}, next),
  "the plugin for Fastify": (given) => forFastify(given, {}, next),
  "of for Fastify": (given) => forFastify.of(given, given),
  "requireSession for Fastify": (given) => forFastify.requireSession("user_id")(given, given),
  "requireSession's of for Fastify": (given) => forFastify.requireSession("user_id").of(given),
  "csrfGuard for Fastify": (given) => fastify.csrfGuard()(given, {}, next),
  "the middleware for Hono": (given) => forHono(given, async () => {}),
  "of for Hono": (given) => forHono.of(given),
  "requireSession for Hono": (given) => forHono.requireSession("user_id")(given, async () => {}),
  "requireSession's of for Hono": (given) => forHono.requireSession("user_id").of(given),
  "csrfGuard for Hono": (given) => hono.csrfGuard()(given, async () => {}),
  "the function for node:http": (given) => forNode(given),
  "requireSession for node:http": (given) => forNode.requireSession("user_id")(given, given),
  "csrfGuard for node:http": (given) => node.csrfGuard()(given),
  "the function for fetch": (given) => forFetch(given),
  "requireSession for fetch": (given) => forFetch.requireSession("user_id")(given),
  "csrfGuard for fetch": (given) => fetched.csrfGuard()(given),
};

function revoked(): object {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}

describe.each(Object.entries(CALLS))("%s", (_, call) => {
  test.each<[string, unknown]>([
    ["nothing", undefined],
    ["null", null],
    ["a number", 5],
    ["a text", "a request"],
    ["an empty object", {}],
    ["a Proxy that was revoked", revoked()],
    [
      "headers that are none",
      { headers: 5, req: { headers: null, raw: {} }, raw: { headers: "x" } },
    ],
    ["headers that were revoked", { headers: revoked(), req: { headers: revoked() }, raw: {} }],
    [
      "a URL that is none",
      { url: "::", headers: new Headers(), req: { raw: { url: "/", headers: new Headers() } } },
    ],
  ])("refuses %s", async (name, given) => {
    // An object with headers is enough for some.
    if (name === "a URL that is none" && /Express|node/.test(_)) return;
    const error = await Promise.resolve()
      .then(() => call(given as never))
      .catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(SessionError);
    expect((error as SessionError).code).toBe("ERR_SESSION_CONFIG");
  });
});

function throwNotNow(): never {
  throw new Error("not now");
}

/** An object of which nothing can be read. */
const HOSTILE = new Proxy({}, { get: throwNotNow });

const REQUEST = Object.assign(new IncomingMessage(new Socket()), { method: "POST" });

/** All that takes a response beside its request. */
const BESIDE: Readonly<Record<string, Call>> = {
  "the middleware for Koa": (res) => forKoa({ ...contextWith(), res }, async () => {}),
  "the middleware for Express": (res) => forExpress(REQUEST, res, next),
  "of for Express": (res) => forExpress.of(Object.assign(Object.create(REQUEST), { res })),
  "of for Fastify": (reply) => forFastify.of({ raw: REQUEST } as never, reply),
  "requireSession for Fastify": (reply) =>
    forFastify.requireSession("user_id")({ raw: REQUEST } as never, reply),
  "the function for node:http": (res) => forNode(REQUEST, res),
};

describe.each(Object.entries(BESIDE))("beside a request, %s", (_, call) => {
  test.each<[string, () => unknown]>([
    ["a Proxy that was revoked", revoked],
    ["one whose getters throw", () => HOSTILE],
    [
      "one whose raw was revoked",
      () => Object.defineProperty({ raw: revoked() }, "setHeader", { get: throwNotNow }),
    ],
  ])("refuses %s for a response", async (_name, make) => {
    const error = await Promise.resolve()
      .then(() => call(make() as never))
      .catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(SessionError);
    expect((error as SessionError).code).toBe("ERR_SESSION_CONFIG");
  });
});

test.each(["constructor", "__proto__"])(
  "a header of the name %s is there only if it was sent",
  async (header) => {
    const sessionOf = node.nodeSessions(sessions, { carriers: [{ header }, "cookie"] });
    const { token } = await sessions.signIn(null, { user_id: 1 });
    const req = new IncomingMessage(new Socket());
    req.headers.cookie = `session=${token}`;
    expect(await sessionOf(req).get()).toEqual({ user_id: 1 });
  },
);

test("a request without a socket, as mocks are, is on no secure connection", async () => {
  const { token } = await sessions.signIn(null, { user_id: 1 });
  const req = { headers: { cookie: `session=${token}` } } as unknown as IncomingMessage;
  expect(await forNode(req).get()).toEqual({ user_id: 1 });
  expect(() => node.csrfGuard()(Object.assign(req, { method: "POST" }))).not.toThrow();
});

test("a context that takes no property is refused, and of is named", async () => {
  const error = await forKoa(Object.freeze(contextWith()), async () => {}).catch(
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(SessionError);
  expect((error as SessionError).hint).toContain("Call of(");
});

test.each(["/a\nb", "/é", "/a b", "\ud800", ""])(
  "requireSession takes no address like %j",
  (redirect) => {
    expect(() => forKoa.requireSession("user_id", { redirect })).toThrow(SessionError);
  },
);

test.each<[string, () => unknown]>([
  [
    "of for Koa",
    () => koa.koaSessions(sessions, { signed: true }).of({ ...contextWith(), app: HOSTILE }),
  ],
  [
    "the middleware for Koa",
    () => forKoa(Object.defineProperty(contextWith(), "res", { get: throwNotNow }), async () => {}),
  ],
  [
    "csrfGuard for Koa",
    () =>
      koa.csrfGuard()(
        Object.defineProperty(contextWith(), "host", { get: throwNotNow }),
        async () => {},
      ),
  ],
  [
    "csrfGuard for Express",
    () => express.csrfGuard()(Object.assign(Object.create(REQUEST), { app: HOSTILE }), {}, next),
  ],
])("%s refuses a part that cannot be read", async (_, call) => {
  const error = await Promise.resolve()
    .then(call)
    .catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: "ERR_SESSION_CONFIG", cause: { message: "not now" } });
});
