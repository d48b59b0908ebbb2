/*
 * Counts what the library does for one request under each framework, and prints it as JSON. It is a program
 * of its own, because the tools of a test run have functions, Maps and hashes of their own.
 */
import crypto from "node:crypto";
import http from "node:http";
import { Session } from "node:inspector/promises";
import { syncBuiltinESMExports } from "node:module";

const BUILD = new URL("../../../dist/", import.meta.url).href;

const made = { hashes: 0, dates: 0, maps: 0, sets: 0, weakEntries: 0 };

/** Whether the library's own code has called what counts. */
function isOfLibrary() {
  const frames = new Error().stack.split("\n").slice(1);
  return frames.find((frame) => !frame.includes(import.meta.url)).includes(BUILD);
}

function countInstances(name, kind) {
  globalThis[name] = new Proxy(globalThis[name], {
    construct(target, args, newTarget) {
      if (isOfLibrary()) made[kind]++;
      return Reflect.construct(target, args, newTarget);
    },
  });
}

function countCalls(owner, name, kind) {
  const original = owner[name];
  owner[name] = function (...args) {
    if (isOfLibrary()) made[kind]++;
    return Reflect.apply(original, this, args);
  };
}

// The library is imported after this, so it gets what counts.
for (const name of ["createHash", "hash"]) if (name in crypto) countCalls(crypto, name, "hashes");
syncBuiltinESMExports();
countInstances("Date", "dates");
countInstances("Map", "maps");
countInstances("Set", "sets");
countCalls(WeakMap.prototype, "set", "weakEntries");
countCalls(WeakSet.prototype, "add", "weakEntries");

const { createSessions } = await import("session-sets");
const { memoryStore } = await import("session-sets/memory");
const { createSessionCookie } = await import("session-sets/testing");

const sessions = createSessions({ references: ["user_id"], store: memoryStore() });

/** For each framework, what answers a request. `use` is done with its session. */
const FRAMEWORKS = {
  async node(use) {
    const { nodeSessions } = await import("session-sets/node");
    const of = nodeSessions(sessions);
    return [of, async (req, res) => res.end(await use(of(req, res)))];
  },
  async koa(use) {
    const { default: Koa } = await import("koa");
    const { koaSessions } = await import("session-sets/koa");
    const adapter = koaSessions(sessions);
    const app = new Koa().use(adapter).use(async (ctx) => {
      ctx.body = await use(ctx);
    });
    return [adapter, app.callback()];
  },
  async express(use) {
    const { default: express } = await import("express");
    const { expressSessions } = await import("session-sets/express");
    const adapter = expressSessions(sessions);
    const app = express().use(adapter, async (req, res) => res.send(await use(req)));
    return [adapter, app];
  },
  async fastify(use) {
    const { default: fastify } = await import("fastify");
    const { fastifySessions } = await import("session-sets/fastify");
    const adapter = fastifySessions(sessions);
    const app = fastify();
    await app.register(adapter);
    app.get("/", (request) => use(request));
    await app.ready();
    return [adapter, app.routing];
  },
  async hono(use) {
    const { Hono } = await import("hono");
    const { getRequestListener } = await import("@hono/node-server");
    const { honoSessions } = await import("session-sets/hono");
    const adapter = honoSessions(sessions);
    const app = new Hono().use(adapter).get("/", async (c) => c.text(await use(c.var)));
    return [adapter, getRequestListener(app.fetch, { overrideGlobalObjects: false })];
  },
  async fetch(use) {
    const { getRequestListener } = await import("@hono/node-server");
    const { fetchSessions } = await import("session-sets/fetch");
    const of = fetchSessions(sessions);
    const answer = async (request) => {
      const session = of(request);
      return session.commit(new Response(await use({ session })));
    };
    return [of, getRequestListener(answer, { overrideGlobalObjects: false })];
  },
};

/** What is done with the session of a request. */
const USES = {
  "asks for nothing": async () => "",
  "reads the session": async (owner) => JSON.stringify(await (owner.session ?? owner).get()),
};

const inspector = new Session();
inspector.connect();
await inspector.post("Profiler.enable");

/** The functions of the library that were called, and how often, without those of the store. */
async function takeCalls() {
  const { result } = await inspector.post("Profiler.takePreciseCoverage");
  return result
    .filter(({ url }) => url.startsWith(BUILD) && !url.includes("/store/"))
    .flatMap(({ url, functions }) =>
      functions
        .filter(({ ranges: [whole] }) => whole.startOffset > 0 && whole.count > 0)
        .map(({ functionName, ranges: [whole] }) => ({
          name: `${url.slice(BUILD.length)}: ${functionName}`,
          calls: whole.count,
        })),
    );
}

async function send(port, cookie) {
  const options = { port, headers: { cookie }, agent: false };
  const response = await new Promise((resolve, reject) => {
    http.get(options, resolve).on("error", reject);
  });
  let text = "";
  for await (const part of response) text += part;
  return text;
}

/** What one request costs, after others that have made what is made once. */
async function countOne(port, cookie) {
  for (let i = 0; i < 3; i++) await send(port, cookie);
  await inspector.post("Profiler.startPreciseCoverage", { callCount: true });
  for (const kind of Object.keys(made)) made[kind] = 0;
  const answer = await send(port, cookie);
  const counted = { answer, ...made, functions: await takeCalls() };
  await inspector.post("Profiler.stopPreciseCoverage");
  return counted;
}

const counted = {};
for (const [name, create] of Object.entries(FRAMEWORKS)) {
  counted[name] = {};
  for (const [what, use] of Object.entries(USES)) {
    const [adapter, listener] = await create(use);
    const cookie = await createSessionCookie(adapter, { user_id: 1 });
    const server = http.createServer(listener);
    await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
    counted[name][what] = await countOne(server.address().port, cookie);
    await new Promise((resolve) => server.close(resolve));
  }
}
process.stdout.write(JSON.stringify(counted));
