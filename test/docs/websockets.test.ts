/* The programs of docs/websockets.md, each run, and used over real sockets. */

import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { pathToFileURL } from "node:url";
import websocket from "@fastify/websocket";
import fastify from "fastify";
import { createSessions, type Sessions } from "session-sets";
import { fastifySessions, type SessionOf } from "session-sets/fastify";
import { io } from "socket.io-client";
import { afterEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { WebSocket } from "ws";
import { codeBlocks } from "../support/docs/docs.ts";
import { ROOT, read } from "../support/sources.ts";

const PAGE = "docs/websockets.md";
const BLOCKS = codeBlocks(PAGE, read(PAGE));

/** The exports of each of the programs. */
interface Program {
  readonly server: Server;
  readonly sessions: Sessions<{ user_id?: number }>;
}

/** The answer that a client got, and its connection, if it got one. */
interface Client {
  /** The first message, or why there is none. */
  readonly said: string;
  signOut(): void;
  /** Resolves when the server has closed it. */
  readonly closed: Promise<unknown>;
}

afterEach(() => {
  vi.unstubAllEnvs();
});

/** Runs the program of the page that has this line, on a free port. Its address, and its sessions. */
async function start(line: string) {
  const block = BLOCKS.find(({ source }) => source.includes(line));
  if (!block) throw new Error(`${PAGE} has no program with ${line}`);
  vi.stubEnv("PORT", "0");
  mkdirSync(`${ROOT}.cache`, { recursive: true });
  const folder = mkdtempSync(`${ROOT}.cache/websockets-`);
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(`${folder}/program.ts`, block.source);
  const { server, sessions }: Program = await import(pathToFileURL(`${folder}/program.ts`).href);
  if (!server.listening) await once(server, "listening");
  onTestFinished(async () => {
    server.closeAllConnections();
    server.close();
    await sessions.close();
  });
  return { port: (server.address() as AddressInfo).port, sessions };
}

/** Headers of a handshake from a page of this origin, with a session's token. */
function createHeaders(token: string | null, origin: string): Record<string, string> {
  return { origin, ...(token === null ? {} : { cookie: `theme=dark; session=${token}` }) };
}

async function openSocket(port: number, headers: Record<string, string>): Promise<Client> {
  const socket = new WebSocket(`ws://localhost:${port}/`, { headers });
  onTestFinished(() => socket.terminate());
  const closed = new Promise((resolve) => socket.on("close", resolve));
  const said = await new Promise<string>((resolve) => {
    void closed.then(() => resolve("closed"));
    socket.on("message", (message) => resolve(String(message)));
    socket.on("unexpected-response", (_, { statusCode }) => resolve(String(statusCode)));
    socket.on("error", ({ message }) => resolve(message));
  });
  return { said, signOut: () => socket.send("sign out"), closed };
}

function openSocketIO(transport: "polling" | "websocket") {
  return async (port: number, extraHeaders: Record<string, string>): Promise<Client> => {
    const socket = io(`http://localhost:${port}`, {
      extraHeaders,
      transports: [transport],
      reconnection: false,
      forceNew: true,
    });
    onTestFinished(() => void socket.disconnect());
    const closed = new Promise((resolve) => socket.on("disconnect", resolve));
    const said = await new Promise<string>((resolve) => {
      void closed.then(() => resolve("closed"));
      socket.on("hello", resolve);
      socket.on("connect_error", ({ message }) => resolve(message));
    });
    return { said, signOut: () => socket.emit("sign out"), closed };
  };
}

/**
 * Opens a connection with a session that lives for so many ms. On a slow machine it may end before the
 * server has answered: then another one is opened, with more time.
 */
async function openAlive<Opened>(
  sessions: Program["sessions"],
  open: (token: string) => Promise<Opened>,
  lifetime = 3_600_000,
) {
  for (let absoluteTimeout = lifetime; ; absoluteTimeout *= 2) {
    const deadlines = { idleTimeout: null, absoluteTimeout };
    const { token, session } = await sessions.create({ user_id: 1 }, deadlines);
    const opened = await open(token);
    const isAlive = (await sessions.get(token)) !== null;
    if (isAlive || absoluteTimeout > 100_000) return { opened, token, lineage: session.lineage };
  }
}

/** The ways in which a session can end. */
const WAYS: readonly [
  how: string,
  end: (sessions: Program["sessions"], token: string, lineage: string) => Promise<unknown>,
  lifetime?: number,
][] = [
  ["a sign-out", (sessions, token) => sessions.delete(token)],
  ["an end from another device", (sessions, _, id) => sessions.by("user_id", 1).delete(id)],
  ["the end of all", (sessions) => sessions.by("user_id", 1).clear()],
  ["a sign-in", (sessions, token) => sessions.signIn(token, { user_id: 2 })],
  [
    "the end of the oldest",
    async (sessions) => {
      await sessions.create({ user_id: 1 });
      await sessions.by("user_id", 1).trim({ keep: 1 });
    },
  ],
  ["its deadline", async () => {}, 1000],
];

describe.each([
  ["ws", 'server.on("upgrade"', openSocket, "401", "403"],
  ["socket.io", "io.engine.use", openSocketIO("websocket"), "Please sign in.", "websocket error"],
  [
    "socket.io, polling",
    "io.engine.use",
    openSocketIO("polling"),
    "Please sign in.",
    "xhr post error",
  ],
  ["Fastify", "app.register(websocket)", openSocket, "401", "403"],
  ["Hono", "upgradeWebSocket(async (c)", openSocket, "401", "403"],
] as const)("WebSockets with %s", (_, line, open, nobody, foreign) => {
  test("greet who is signed in, by the cookie of the handshake", async () => {
    const { port, sessions } = await start(line);
    const { token } = await sessions.create({ user_id: 1 });
    const client = await open(port, createHeaders(token, `http://localhost:${port}`));
    expect(client.said).toBe("Hello, user 1");
  });

  test("refuse who is not signed in", async () => {
    const { port, sessions } = await start(line);
    const anonymous = await sessions.create({});
    for (const token of [null, anonymous.token]) {
      expect((await open(port, createHeaders(token, `http://localhost:${port}`))).said).toBe(
        nobody,
      );
    }
  });

  test("refuse a page of another origin, though the cookie comes along", async () => {
    const { port, sessions } = await start(line);
    const { token } = await sessions.create({ user_id: 1 });
    for (const origin of [`http://evil.localhost:${port}`, "https://evil.example", "null"]) {
      expect((await open(port, createHeaders(token, origin))).said, origin).toBe(foreign);
    }
  });

  test("close when the session is ended elsewhere, and not before", async () => {
    const { port, sessions } = await start(line);
    const { token, session } = await sessions.create({ user_id: 1 });
    const other = await sessions.create({ user_id: 1 });
    const client = await open(port, createHeaders(token, `http://localhost:${port}`));
    const beside = await open(port, createHeaders(other.token, `http://localhost:${port}`));
    let isClosed = false;
    client.closed.then(() => {
      isClosed = true;
    });
    // A new token, such as a change of password gives, is no end; nor is that of another session.
    await sessions.rotate(token, { user_id: 1 });
    await sessions.delete(other.token);
    await beside.closed;
    await new Promise(setImmediate); // both may have come together
    expect(isClosed).toBe(false);
    await sessions.byId(session.lineage).delete();
    await client.closed;
  });

  test.each(WAYS)("close when the session ends by %s", async (_how, end, lifetime) => {
    const { port, sessions } = await start(line);
    const { opened, token, lineage } = await openAlive(
      sessions,
      (one) => open(port, createHeaders(one, `http://localhost:${port}`)),
      lifetime,
    );
    expect(opened.said).toBe("Hello, user 1");
    await end(sessions, token, lineage);
    await opened.closed;
  });

  test("end the session when they are told to", async () => {
    const { port, sessions } = await start(line);
    const { token } = await sessions.create({ user_id: 1 });
    const client = await open(port, createHeaders(token, `http://localhost:${port}`));
    client.signOut();
    await client.closed;
    expect(await sessions.get(token)).toBeNull();
  });
});

test("on a handshake under Fastify, which makes a response of it, no token is made", async () => {
  const sessions = createSessions({
    data: {} as { theme?: string; user_id?: number },
    references: ["user_id"],
  });
  const app = fastify();
  app.register(fastifySessions(sessions));
  app.register(websocket);
  // biome-ignore lint/nursery/noMisusedPromises: Fastify waits for an async plugin
  app.register(async (scope) => {
    scope.get("/", { websocket: true }, async (socket, request) => {
      const session = request.getDecorator<SessionOf<typeof sessions>>("session");
      const tried = [session.set({ theme: "dark" }), session.signIn({ user_id: 1 })];
      const settled = await Promise.allSettled(tried);
      socket.send(settled.map((one) => one.status === "rejected" && one.reason.code).join());
    });
  });
  // biome-ignore lint/nursery/useAwaitThenable: it is the overload that gives a promise
  await app.listen({ port: 0 });
  onTestFinished(() => app.close());
  const { port } = app.server.address() as AddressInfo;
  expect((await openSocket(port, {})).said).toBe("ERR_COOKIE,ERR_COOKIE");
  expect(await sessions.by("user_id", 1).size()).toBe(0);
});

describe("server-sent events", () => {
  async function openEvents(port: number, token: string) {
    const headers = createHeaders(token, `http://localhost:${port}`);
    const response = await fetch(`http://localhost:${port}/events`, { headers });
    return { status: response.status, text: response.body ? response.text() : null };
  }

  test("greet who is signed in, and refuse who isn't", async () => {
    const { port, sessions } = await start('app.get("/events"');
    const anonymous = await sessions.create({});
    expect(await openEvents(port, anonymous.token)).toMatchObject({ status: 401 });
    const { token } = await sessions.create({ user_id: 1 });
    const events = await openEvents(port, token);
    await sessions.delete(token);
    expect(await events.text).toBe("data: Hello, user 1\n\nevent: ended\ndata: delete\n\n");
  });

  test.each(WAYS)("end when the session ends by %s", async (_how, end, lifetime) => {
    const { port, sessions } = await start('app.get("/events"');
    const { opened, token, lineage } = await openAlive(
      sessions,
      (one) => openEvents(port, one),
      lifetime,
    );
    await end(sessions, token, lineage);
    expect(await opened.text).toContain("event: ended");
  });
});
