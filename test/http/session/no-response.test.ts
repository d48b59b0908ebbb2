/* Sessions of requests that have no response, or one that sends no headers: upgrades to WebSockets. */
import { createServer, IncomingMessage, ServerResponse } from "node:http";
import { Socket } from "node:net";
import express from "express";
import { createSessions, SessionError, type SessionStore } from "session-sets";
import { csrfGuard, expressSessions } from "session-sets/express";
import { memoryStore } from "session-sets/memory";
import { nodeSessions } from "session-sets/node";
import { describe, expect, onTestFinished, test } from "vitest";
import { request, serve } from "../../support/http/apps/ad-hoc.ts";
import { listen } from "../../support/http/server.ts";
import { type Operation, recordedStore } from "../../support/stores/recorded-store.ts";

interface Data {
  user_id?: number;
  theme?: string;
}

const MINUTE = 60_000;

function shop() {
  let now = Date.now();
  const operations: Operation[] = [];
  const store: SessionStore = recordedStore(memoryStore({ now: () => now }), (operation) => {
    operations.push(operation);
    return undefined;
  });
  const sessions = createSessions<Data>({ references: { user_id: {} }, store });
  const elapse = (ms: number) => {
    now += ms;
  };
  return { sessions, operations, elapse };
}

/** A request as Node hands it over with an upgrade. */
function upgrade(headers: Record<string, string>): IncomingMessage {
  const req = new IncomingMessage(new Socket());
  Object.assign(req, { method: "GET", url: "/", upgrade: true });
  Object.assign(req.headers, { host: "shop.example", upgrade: "websocket", ...headers });
  return req;
}

/** What stands for a response in Engine.IO's middlewares of a WebSocket. */
function engineResponse() {
  const headers: Record<string, unknown> = {};
  return {
    setHeader: (name: string, value: unknown) => {
      headers[name] = value;
    },
    getHeader: (name: string) => headers[name],
    removeHeader: (name: string) => delete headers[name],
    write() {},
    writeHead() {},
    end() {},
    headers,
  };
}

const RESPONSES: Record<string, (req: IncomingMessage) => unknown> = {
  "no response": () => undefined,
  "null for a response": () => null,
  "an empty object for one": () => ({}),
  "the socket for one": (req) => req.socket,
  "Engine.IO's": engineResponse,
  "one that has no headersSent": () => ({ setHeader() {}, getHeader() {}, removeHeader() {} }),
  "one that cannot set headers": () => ({ headersSent: false, writeHead() {} }),
  "one that Fastify makes of an upgrade": (req) => new ServerResponse(req),
};

const ADAPTERS = {
  Express(sessions: ReturnType<typeof shop>["sessions"]) {
    const middleware = expressSessions(sessions);
    return (req: IncomingMessage, res: unknown) => {
      let went = 0;
      middleware(req, res as object, () => went++);
      expect(went).toBe(1);
      expect(middleware.of(req)).toBe(Reflect.get(req, "session"));
      return middleware.of(req);
    };
  },
  "node:http"(sessions: ReturnType<typeof shop>["sessions"]) {
    const sessionOf = nodeSessions(sessions);
    return (req: IncomingMessage, res: unknown) => sessionOf(req, res as ServerResponse);
  },
};

type RequestSession = ReturnType<ReturnType<typeof nodeSessions<Data, "user_id">>>;
const REPLACING: Record<string, (session: RequestSession) => unknown> = {
  "set of a user": (session) => session.set({ user_id: 2 }),
  "unset of the user": (session) => session.unset(["user_id"]),
  signIn: (session) => session.signIn({ user_id: 1 }),
  rotate: (session) => session.rotate({ theme: "light" }),
  "rotate to a user": (session) => session.rotate({ user_id: 2 }),
  "delete that keeps": (session) => session.delete({ keep: ["theme"] }),
};

describe.each(Object.entries(ADAPTERS))("under %s, a request", (_, adapter) => {
  describe.each(Object.entries(RESPONSES))("with %s", (_kind, responseOf) => {
    async function opened(values: Data | null) {
      const { sessions, operations, elapse } = shop();
      const token = values === null ? null : (await sessions.create(values)).token;
      elapse(2 * MINUTE);
      operations.length = 0;
      const req = upgrade(token === null ? {} : { cookie: `session=${token}` });
      const session = adapter(sessions)(req, responseOf(req));
      return { sessions, operations, elapse, session, token };
    }

    test("reads its session, and is use of it, after a minute too", async () => {
      const { session, operations, elapse } = await opened({ user_id: 1, theme: "dark" });
      expect(await session.get()).toEqual({ user_id: 1, theme: "dark" });
      elapse(2 * MINUTE);
      expect((await session.load())?.data.user_id).toBe(1);
      expect(await session.touch()).toBe(true);
      expect(await (await session.peers("user_id"))?.size()).toBe(1);
      expect(session.verifyCSRFToken(session.createCSRFToken())).toBe(true);
      expect(operations).toContain("change");
      await session.set({ theme: "light" });
      expect(await session.unset(["theme"])).toBe(true);
      expect(await session.get()).toEqual({ user_id: 1 });
    });

    test.each(Object.entries(REPLACING))(
      "is ERR_COOKIE for %s, before anything is written",
      async (_verb, work) => {
        const { session, operations, sessions, token } = await opened({
          user_id: 1,
          theme: "dark",
        });
        await expect(Promise.resolve(work(session))).rejects.toMatchObject({ code: "ERR_COOKIE" });
        expect(operations).toEqual([]);
        expect((await sessions.get(token))?.data).toEqual({ user_id: 1, theme: "dark" });
      },
    );

    test("is ERR_COOKIE for a change of credentials, which leaves the session as it was", async () => {
      const { session, sessions, token } = await opened({ user_id: 1 });
      const { token: other } = await sessions.create({ user_id: 1 });
      await expect(session.changeCredentials("user_id")).rejects.toMatchObject({
        code: "ERR_COOKIE",
      });
      for (const one of [token, other]) expect(await sessions.get(one)).not.toBeNull();
    });

    test("is ERR_COOKIE where a session, or a form, would be made of nothing", async () => {
      const { session, operations } = await opened(null);
      await expect(session.set({ theme: "dark" })).rejects.toThrow(/response that can carry/);
      await expect(session.signIn({ user_id: 1 })).rejects.toMatchObject({ code: "ERR_COOKIE" });
      expect(() => session.createCSRFToken()).toThrow(SessionError);
      expect(await session.get()).toEqual({});
      expect(operations).toEqual([]);
    });

    test("ends its session all the same", async () => {
      for (const end of [
        (session: RequestSession) => session.delete(),
        (session: RequestSession) => session.delete({ clearSiteData: ["cache"] }),
        async (session: RequestSession) => (await session.signOutEverywhere("user_id")) === 1,
      ]) {
        const { session, sessions, token } = await opened({ user_id: 1 });
        expect(await end(session)).toBe(true);
        expect(await sessions.get(token)).toBeNull();
        expect(await session.get()).toEqual({});
      }
    });

    test("signs in where the application answers with the token itself", async () => {
      const { session, sessions } = await opened({ theme: "dark" });
      const { token } = await session.signIn({ user_id: 1 }, { carrier: "bearer" });
      expect((await sessions.get(token))?.data).toEqual({ user_id: 1 });
    });
  });
});

test("nothing is written onto what stands for a response", async () => {
  const { sessions } = shop();
  const { token } = await sessions.create({ user_id: 1 });
  const req = upgrade({ cookie: `session=${token}` });
  const res = engineResponse();
  expressSessions(sessions)(req, res, () => {});
  const session = expressSessions(sessions).of(req);
  expect([await session.get(), await session.delete()]).toEqual([{ user_id: 1 }, true]);
  expect(res.headers).toEqual({});
});

test("a session that was read before its response was known sets its cookie on that", async () => {
  const { sessions } = shop();
  const sessionOf = nodeSessions(sessions);
  const port = await serve(async (req, res) => {
    await sessionOf(req).get();
    await sessionOf(req, res).set({ theme: "dark" });
    res.end(String(sessionOf(req) === sessionOf(req, res)));
  });
  const { text, cookies } = await request(port);
  expect([text, cookies.length]).toEqual(["true", 1]);

  const middleware = expressSessions(sessions);
  const app = express().use(middleware, async (req, res) => {
    await middleware.of(req).set({ theme: "dark" });
    res.send("set");
  });
  const behind = await serve(async (req, res) => {
    await middleware.of(req).get();
    app(req, res);
  });
  const answer = await request(behind);
  expect([answer.text, answer.cookies.length]).toEqual(["set", 1]);
});

test("Express's middleware takes the response that it is given", async () => {
  const { sessions } = shop();
  const middleware = expressSessions(sessions);
  const port = await serve(async (req, res) => {
    middleware(req, res, () => {}); // Express has not seen it
    await middleware.of(req).set({ theme: "dark" });
    res.end();
  });
  expect((await request(port)).cookies).toHaveLength(1);
});

test("Express's guard compares the origin of an upgrade that Express has not seen", () => {
  const guard = csrfGuard();
  const passes = (headers: Record<string, string>) => {
    let passed = 0;
    try {
      guard(upgrade(headers), {}, () => passed++);
    } catch (error) {
      expect(error).toMatchObject({ code: "ERR_CSRF", reason: "origin" });
    }
    return passed === 1;
  };
  expect(passes({ origin: "https://shop.example" })).toBe(true);
  expect(passes({})).toBe(true);
  expect(passes({ origin: "https://evil.shop.example" })).toBe(false);
  const forwarded = { "x-forwarded-host": "evil.example", origin: "https://evil.example" };
  expect(passes(forwarded)).toBe(false);
});

test("an upgrade over a real socket reads and ends its session", async () => {
  const { sessions } = shop();
  const { token } = await sessions.create({ user_id: 1 });
  const sessionOf = nodeSessions(sessions);
  const server = createServer();
  server.on("upgrade", async (req, socket) => {
    const session = sessionOf(req);
    const seen = [
      (await session.get()).user_id,
      await session.rotate().catch(({ code }) => code),
      await session.delete(),
    ];
    socket.end(`HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n${seen.join()}`);
  });
  const { port, close } = await listen(server);
  onTestFinished(close);
  const headers = { connection: "Upgrade", upgrade: "websocket", cookie: `session=${token}` };
  const { text } = await request(port, "/", { headers });
  expect([text, await sessions.get(token)]).toEqual(["1,ERR_COOKIE,true", null]);
});
