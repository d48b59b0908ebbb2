/* Errors that callbacks of SessionSetsStore throw: the framework's complaint, and the application's own. */
import { request as httpRequest } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import fastifyCookie from "@fastify/cookie";
import fastifySession from "@fastify/session";
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import { Redis } from "ioredis";
import { SessionSetsStore } from "session-sets/compat/express-session";
import { memoryStore } from "session-sets/memory";
import { afterAll, afterEach, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { redisUrl } from "../../support/redis/shared.ts";
import { freshPrefix } from "../../support/stores/stores.ts";

const client = new Redis(redisUrl());
afterAll(() => client.quit());

const references = { user_id: {} };
const stores = {
  "in memory": () => new SessionSetsStore({ store: memoryStore(), references }),
  "on Redis": () =>
    new SessionSetsStore({ client, prefix: freshPrefix(), timeout: "20 seconds", references }),
};

let uncaught: unknown[];
let warnings: (Error & { code?: string })[];
beforeEach(() => {
  uncaught = [];
  warnings = [];
  const catching = (error: unknown) => uncaught.push(error);
  const warned = (warning: Error) => warnings.push(warning);
  process.on("uncaughtException", catching);
  process.on("warning", warned);
  onTestFinished(() => {
    process.off("uncaughtException", catching);
    process.off("warning", warned);
  });
});

describe.each(Object.entries(stores))("with a store %s", (_where, openStore) => {
  let app: FastifyInstance;
  let store: ReturnType<typeof openStore>;
  afterEach(() => app.close());

  type Handler = (request: FastifyRequest, reply: FastifyReply) => unknown;

  async function start(handler: Handler) {
    store = openStore();
    app = fastify({ forceCloseConnections: true });
    await app.register(fastifyCookie);
    await app.register(fastifySession, {
      store,
      secret: "a secret of at least thirty-two characters",
      cookie: { secure: false },
    });
    app.get("/", handler as never);
    // biome-ignore lint/nursery/useAwaitThenable: it is the overload that gives a promise
    await app.listen({ port: 0, host: "127.0.0.1" });
  }

  function ask() {
    return new Promise<{ status: number; text: string }>((resolve, reject) => {
      httpRequest({ port: (app.server.address() as { port: number }).port }, (response) => {
        let text = "";
        response.on("data", (part) => (text += part));
        response.on("end", () => resolve({ status: response.statusCode ?? 0, text }));
      })
        .on("error", reject)
        .end();
    });
  }

  async function fetchAnswer(handler: Handler) {
    await start(handler);
    const answer = await ask();
    await sleep(100); // for what comes after the answer
    return answer;
  }
  const signIn = ({ session }: FastifyRequest) => Object.assign(session, { user_id: 1 });
  const codes = () => warnings.map(({ code }) => code);

  test.each([
    ["sends", (reply: FastifyReply) => reply.send("welcome"), 200, "welcome"],
    ["redirects", (reply: FastifyReply) => reply.redirect("/home"), 302, ""],
  ] as const)(
    "an async handler that %s and returns no reply warns, and ends no process",
    async (_what, send, status, text) => {
      const answer = await fetchAnswer(async (request, reply) => {
        signIn(request);
        send(reply);
      });
      expect(answer).toEqual({ status, text });
      await expect.poll(codes).toEqual(["SESSION_SETS_SECOND_ANSWER"]);
      expect(uncaught).toEqual([]);
      expect(warnings[0]?.message).toMatch(/return the reply/);
      await expect.poll(() => store.by("user_id", 1).size()).toBe(1);
    },
  );

  test("nor does one that throws after it has sent", async () => {
    await fetchAnswer(async (request, reply) => {
      signIn(request);
      reply.send("welcome");
      throw new Error("too late");
    });
    await expect.poll(codes).toEqual(["SESSION_SETS_SECOND_ANSWER"]);
    expect(uncaught).toEqual([]);
  });

  test("one that returns the reply is answered once, without a warning", async () => {
    const returns = [true, false, true, true];
    await start(async (request, reply) => {
      signIn(request);
      const sent = reply.send("welcome");
      return returns.shift() ? sent : undefined;
    });
    // What a request warns of has come by the answer to the next one: of these only the second warns.
    const seen: ReturnType<typeof codes>[] = [];
    for (const _ of [1, 2, 3, 4]) {
      expect(await ask()).toEqual({ status: 200, text: "welcome" });
      seen.push([...codes()]);
    }
    const warned = ["SESSION_SETS_SECOND_ANSWER"];
    expect([[], warned]).toContainEqual(seen[1]);
    expect([seen[0], seen[2], seen[3]]).toEqual([[], warned, warned]);
    expect(uncaught).toEqual([]);
  });

  test("what an application's own callback throws is uncaught", async () => {
    const own = new Error("a mistake");
    await fetchAnswer(async () => "welcome");
    store.get("sid", () => {
      throw own;
    });
    await expect.poll(() => uncaught).toEqual([own]);
    expect(codes()).toEqual([]);
  });

  test("also where it writes headers that were sent", async () => {
    await fetchAnswer(async (_request, reply) => {
      await reply.send("welcome");
      store.get("sid", () => reply.raw.writeHead(500));
    });
    await expect.poll(() => uncaught).toMatchObject([{ code: "ERR_HTTP_HEADERS_SENT" }]);
    expect(codes()).toEqual([]);
  });
});
