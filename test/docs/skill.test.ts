/* The programs of skills/session-sets/SKILL.md, each run and used by two browsers, as the page says to check. */
import { createHmac } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { pathToFileURL } from "node:url";
import type { FastifyInstance } from "fastify";
import { Redis } from "ioredis";
import type { Sessions } from "session-sets";
import type { SessionSetsStore } from "session-sets/compat/express-session";
import { expect, onTestFinished, test, vi } from "vitest";
import { codeBlocks } from "../support/docs/docs.ts";
import { CookieJar } from "../support/http/cookie-jar.ts";
import { redisUrl } from "../support/redis/shared.ts";
import { ROOT, read } from "../support/sources.ts";

const PAGE = "skills/session-sets/SKILL.md";
const BLOCKS = codeBlocks(PAGE, read(PAGE));

interface Program {
  readonly redis: Redis;
  readonly sessions: Sessions<{ user_id?: number }>;
}

/** Runs the program of the page that has this line. Its exports. */
async function start<Exports>(line: string): Promise<Exports & Program> {
  const block = BLOCKS.find(({ source }) => source.includes(line));
  if (!block) throw new Error(`${PAGE} has no program with ${line}`);
  vi.stubEnv("REDIS_URL", redisUrl());
  mkdirSync(`${ROOT}.cache`, { recursive: true });
  const folder = mkdtempSync(`${ROOT}.cache/skill-`);
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(`${folder}/program.ts`, block.source);
  const program = await import(pathToFileURL(`${folder}/program.ts`).href);
  onTestFinished(async () => {
    await program.sessions?.close();
    program.redis.disconnect();
  });
  return program;
}

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

type Send = (request: Request) => Promise<Response>;

/** A browser with cookies of its own. */
function openBrowser(origin: string, send: Send) {
  const jar = new CookieJar();
  return async (path: string, body?: object, headers = {}): Promise<Answer> => {
    const request = new Request(`${origin}${path}`, {
      method: body ? "POST" : "GET",
      headers: { cookie: jar.header ?? "", "content-type": "application/json", ...headers },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    const response = await send(request);
    jar.take(response.headers.getSetCookie());
    const text = await response.text();
    return {
      status: response.status,
      body: text.startsWith("{") || text.startsWith("[") ? JSON.parse(text) : text,
    };
  };
}

async function listen(server: Server): Promise<string> {
  server.listen(0);
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://localhost:${(server.address() as AddressInfo).port}`;
}

/** What the page says to check, at an app of the page. */
async function expectApp(origin: string, send: Send, { sessions }: Program): Promise<void> {
  const [phone, desk] = [openBrowser(origin, send), openBrowser(origin, send)];
  const password = "correct horse";
  expect(await phone("/devices")).toMatchObject({ status: 401 });
  expect(await phone("/sign-in", { password: "a guess" })).toMatchObject({ status: 422 });
  for (const open of [phone, desk]) {
    expect(await open("/sign-in", { password })).toMatchObject({ status: 200 });
  }
  expect((await phone("/devices")).body).toHaveLength(2);
  const evil = { origin: "https://evil.example" };
  expect(await phone("/sign-out", {}, evil)).toMatchObject({ status: 403 });

  expect((await phone("/password", { next: "another" })).body).toMatchObject({ ended: 1 });
  expect(await desk("/devices")).toMatchObject({ status: 401 });
  expect((await phone("/devices")).body).toHaveLength(1);
  expect(await desk("/sign-in", { password })).toMatchObject({ status: 422 });
  expect(await desk("/sign-in", { password: "another" })).toMatchObject({ status: 200 });
  expect(await desk("/sign-out", {})).toMatchObject({ body: { ended: true } });
  expect(await desk("/devices")).toMatchObject({ status: 401 });

  expect(await desk("/sign-in", { password: "another" })).toMatchObject({ status: 200 });
  expect((await desk("/sign-out-everywhere", {})).body).toEqual({ ended: 2 });
  for (const open of [phone, desk]) expect(await open("/devices")).toMatchObject({ status: 401 });
  expect(await sessions.by("user_id", 1).size()).toBe(0);
}

test("Express", async () => {
  const program = await start<{ app: RequestListener }>('prefix: "express-shop"');
  const origin = await listen(createServer(program.app));
  await expectApp(origin, fetch, program);
  const [phone, desk] = [openBrowser(origin, fetch), openBrowser(origin, fetch)];
  for (const open of [phone, desk]) await open("/sign-in", { password: "another" });
  await expectOneDeviceEnds(phone, desk);
});

test("Fastify", async () => {
  const program = await start<{ app: FastifyInstance }>('prefix: "fastify-shop"');
  // biome-ignore lint/nursery/useAwaitThenable: it is the overload that gives a promise
  const origin = await program.app.listen({ port: 0 });
  onTestFinished(() => program.app.close());
  await expectApp(origin, fetch, program);
  const [phone, desk] = [openBrowser(origin, fetch), openBrowser(origin, fetch)];
  for (const open of [phone, desk]) await open("/sign-in", { password: "another" });
  await expectOneDeviceEnds(phone, desk);
});

async function expectOneDeviceEnds(
  phone: ReturnType<typeof openBrowser>,
  desk: ReturnType<typeof openBrowser>,
): Promise<void> {
  const [other] = (await desk("/devices")).body as { lineage: string }[];
  await desk(`/devices/${other?.lineage}/end`, {});
  const statuses = [(await phone("/devices")).status, (await desk("/devices")).status];
  expect(statuses.sort()).toEqual([200, 401]);
}

test("Next.js's route handlers", async () => {
  type Handler = (request: Request) => Promise<Response>;
  const names = ["signIn", "devices", "password", "signOut", "signOutEverywhere"] as const;
  const program = await start<Record<(typeof names)[number], Handler>>("app/api/sign-in/route.ts");
  const handlers = new Map(
    names.map((name) => [
      `/${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`,
      name,
    ]),
  );
  const send: Send = async (request) => {
    const name = handlers.get(new URL(request.url).pathname);
    if (!name) throw new Error(`no handler for ${request.url}`);
    return program[name](request);
  };
  await expectApp("http://localhost:3000", send, program);
});

test("the store for express-session takes over the sessions of connect-redis", async () => {
  const program = await start<{ app: import("express").Express; store: SessionSetsStore }>(
    "new SessionSetsStore",
  );
  const client = new Redis(redisUrl());
  onTestFinished(() => client.disconnect());
  const cookie = { originalMaxAge: 60_000, expires: new Date(Date.now() + 60_000), path: "/" };
  await client.set("sess:old", JSON.stringify({ cookie, user_id: 1 }), "EX", 60);

  program.app.get("/me", (req, res) => {
    res.json({ user_id: (req.session as { user_id?: number }).user_id ?? null });
  });
  const origin = await listen(createServer(program.app));
  const signature = createHmac("sha256", "as before")
    .update("old")
    .digest("base64")
    .replace(/=+$/, "");
  const headers = { cookie: `connect.sid=${encodeURIComponent(`s:old.${signature}`)}` };
  const me = async () => (await fetch(`${origin}/me`, { headers })).json();
  expect(await me()).toEqual({ user_id: 1 });
  const set = program.store.by("user_id", 1);
  await expect.poll(() => set.size()).toBe(1);
  expect(await set.clear()).toBe(1);
  expect(await me()).toEqual({ user_id: null });
});
