/* `of`, by which every adapter gives the session of a request, whatever shows the request. */
import { once } from "node:events";
import { IncomingMessage, ServerResponse } from "node:http";
import { Socket } from "node:net";
import websocket from "@fastify/websocket";
import fastify from "fastify";
import { Hono } from "hono";
import Koa from "koa";
import Koa2 from "koa-2";
import { createSessions } from "session-sets";
import { expressSessions } from "session-sets/express";
import { fastifySessions } from "session-sets/fastify";
import { fetchSessions } from "session-sets/fetch";
import { honoSessions } from "session-sets/hono";
import { koaSessions } from "session-sets/koa";
import { memoryStore } from "session-sets/memory";
import { nodeSessions } from "session-sets/node";
import { describe, expect, onTestFinished, test } from "vitest";
import { WebSocket } from "ws";
import { request, serve } from "../../support/http/apps/ad-hoc.ts";
import { type Operation, recordedStore } from "../../support/stores/recorded-store.ts";

interface Data {
  user_id?: number;
  theme?: string;
}

const operations: Operation[] = [];
const store = recordedStore(memoryStore(), (operation) => {
  operations.push(operation);
  return undefined;
});
const sessions = createSessions<Data>({ references: ["user_id"], store });

const ADAPTERS = {
  koa: koaSessions(sessions),
  express: expressSessions(sessions),
  fastify: fastifySessions(sessions),
  hono: honoSessions(sessions),
  node: nodeSessions(sessions),
  fetch: fetchSessions(sessions),
};
const { koa, express, fastify: plugin, hono, node, fetch: fetched } = ADAPTERS;

test.each(Object.entries(ADAPTERS))("%s: can be called, and has `of`", (_, adapter) => {
  expect(adapter).toBeTypeOf("function");
  expect(adapter.of).toBeTypeOf("function");
  expect(Object.keys(adapter).sort()).toEqual(
    expect.arrayContaining(["of", "requireSession"].sort()),
  );
  expect(adapter).not.toHaveProperty("createSession");
});

/** A signed-in user's cookie; `operations` begins after it. */
async function signedIn(): Promise<{ cookie: string }> {
  const { token } = await sessions.create({ user_id: 1 });
  operations.length = 0;
  return { cookie: `session=${token}` };
}

/** A request as Node hands it over with an upgrade. */
function upgrade(headers: Record<string, string>): IncomingMessage {
  const req = new IncomingMessage(new Socket());
  Object.assign(req, { method: "GET", url: "/", upgrade: true });
  Object.assign(req.headers, { host: "shop.example", upgrade: "websocket", ...headers });
  return req;
}

const UPGRADES: Record<string, (req: IncomingMessage) => ReturnType<typeof node.of>> = {
  "Koa 3": (req) => koa.of(new Koa().createContext(req, new ServerResponse(req))),
  "Koa 2": (req) => koa.of(new Koa2().createContext(req, new ServerResponse(req))),
  Express: (req) => express.of(req),
  Fastify: (raw) => plugin.of({ raw, method: "GET", host: "shop.example", protocol: "http" }),
  "node:http": (req) => node.of(req),
};

describe.each(Object.entries(UPGRADES))("the session of an upgrade under %s", (_, of) => {
  test("is one object, made without asking the store; it reads, ends, and sets no cookie", async () => {
    const req = upgrade(await signedIn());
    const session = of(req);
    expect([of(req) === session, session.id === null, operations]).toEqual([true, false, []]);
    expect(await session.get()).toEqual({ user_id: 1 });
    await expect(session.rotate()).rejects.toThrow(/a WebSocket upgrade has none/);
    expect(await session.delete()).toBe(true);
    expect(session.id).toBeNull();
  });
});

describe("Fastify's of(request)", () => {
  const open = () => {
    const app = fastify();
    onTestFinished(() => app.close());
    return app;
  };

  test("knows the reply where the plugin is registered", async () => {
    const app = open();
    app.register(plugin);
    app.get("/", async (request) => {
      await plugin.of(request).set({ theme: "dark" });
      return String(plugin.of(request) === request.getDecorator("session"));
    });
    // biome-ignore lint/nursery/useAwaitThenable: it is the overload that gives a promise
    const { body, cookies } = await app.inject("/");
    expect([body, cookies.map(({ name }) => name)]).toEqual(["true", ["session"]]);
  });

  test("elsewhere reads without it, and is told it, also later", async () => {
    const app = open();
    app.get("/", async (request, reply) => {
      const session = plugin.of(request);
      const seen = await session.get();
      const message = await session.set({ theme: "dark" }).catch((error) => error.message);
      await plugin.of(request, reply).set({ theme: "dark" });
      return { seen, message };
    });
    // biome-ignore lint/nursery/useAwaitThenable: it is the overload that gives a promise
    const answer = await app.inject("/");
    expect(answer.json().seen).toEqual({});
    expect(answer.json().message).toContain("of(request, reply)");
    expect(answer.cookies.map(({ name }) => name)).toEqual(["session"]);
  });

  test("is for the handler of a WebSocket, which has no reply", async () => {
    const app = open();
    app.register(plugin);
    app.register(websocket);
    // biome-ignore lint/nursery/noMisusedPromises: Fastify waits for an async plugin
    app.register(async (scope) => {
      scope.get("/", { websocket: true }, async (socket, request) => {
        const session = plugin.of(request);
        const { user_id } = await session.get();
        const refused = await session.rotate().catch(({ code }) => code);
        socket.send(JSON.stringify([user_id, refused, await session.delete()]));
      });
    });
    // biome-ignore lint/nursery/useAwaitThenable: it is the overload that gives a promise
    const address = await app.listen({ port: 0, host: "127.0.0.1" });
    const socket = new WebSocket(address.replace("http", "ws"), { headers: await signedIn() });
    const [message] = await once(socket, "message");
    expect(JSON.parse(String(message))).toEqual([1, "ERR_COOKIE", true]);
    socket.terminate();
  });
});

test("node:http's of(req, res) is the same call, and of(req) says what is missing", async () => {
  const port = await serve(async (req, res) => {
    const session = node.of(req);
    const message = await session.set({ theme: "dark" }).catch((error) => error.message);
    await node.of(req, res).set({ theme: "dark" });
    res.end(JSON.stringify([message, session === node(req, res), session === node.of(req)]));
  });
  const { text, cookies } = await request(port);
  const [message, ...same] = JSON.parse(text);
  expect(message).toContain("of(req, res)");
  expect([same, cookies.length]).toEqual([[true, true], 1]);
});

test("a session of node:http gives back a Response as it is, for helpers that commit any session", async () => {
  let isSame = false;
  const port = await serve(async (req, res) => {
    const session: object = node(req, res);
    const response = new Response();
    const { commit } = session as { commit(given: Response): Response };
    isSame = commit.call(session, response) === response && [...response.headers].length === 0;
    res.end();
  });
  await request(port);
  expect(isSame).toBe(true);
});

test("fetch's of takes a Request, and the parts that a framework shows of it", async () => {
  const asked = new Request("http://shop.example/", { headers: await signedIn() });
  const session = fetched.of(asked);
  const cookies = { set: () => undefined };
  const parts = [{ headers: asked.headers }, { headers: asked.headers, cookies }];
  const all = [fetched(asked), ...parts.map((one) => fetched.of(one))];
  expect(all.map((one) => one === session)).toEqual([true, true, true]);
  expect(operations).toEqual([]);
  expect(await session.get()).toEqual({ user_id: 1 });
  await session.signIn({ user_id: 2 });
  expect(session.commit(new Response()).headers.getSetCookie()).toHaveLength(1);

  const sent: string[] = [];
  const shown = fetched.of({
    headers: new Headers(),
    cookies: { set: (name: string) => void sent.push(name) },
  });
  await shown.set({ theme: "dark" });
  expect(sent).toEqual(["session"]);
});

test("Hono's of(c) is that of the middleware, before it too", async () => {
  const app = new Hono();
  const seen: unknown[] = [];
  app.use(async (c, next) => {
    seen.push(hono.of(c));
    await next();
    seen.push(hono.of(c));
  });
  app.use(hono);
  app.get("/", (c) => {
    seen.push(c.get("session" as never), hono.of(c));
    return c.text("");
  });
  await app.fetch(new Request("http://shop.example/", { headers: await signedIn() }));
  expect([seen.length, new Set(seen).size, operations]).toEqual([4, 1, []]);
});
