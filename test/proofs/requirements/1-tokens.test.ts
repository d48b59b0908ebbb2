/*
 * Requirement 1 (docs/design.md, "Requirements"): where tokens may be. The other requirements are in
 * 2-to-6.test.ts.
 */
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { inspect } from "node:util";
import { createSessions, SessionError, type SessionErrorCode, type Sessions } from "session-sets";
import { memoryStore } from "session-sets/memory";
import { redisStore } from "session-sets/redis";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { type Handler, koaRequest } from "../../support/http/koa-request.ts";
import {
  type Data,
  OPTIONS,
  provokeHere,
  provokeKoa,
  provokeOutage,
} from "../../support/provocations.ts";
import { dumpServer, watchCommands } from "../../support/redis/dump.ts";
import { type RedisServer, startRedis } from "../../support/redis/server.ts";
import { type Client, clients, freshPrefix } from "../../support/stores/stores.ts";

let redis: RedisServer;
let client: Client;
let sessions: Sessions<Data>;

beforeAll(async () => {
  redis = await startRedis();
  client = clients["ioredis 6"](redis.url);
  const store = redisStore(client, { prefix: freshPrefix(), timeout: "20 seconds" });
  sessions = createSessions<Data>({ store, ...OPTIONS });
});

afterAll(async () => {
  client.disconnect();
  await redis.stop();
});

/** What of a token must be nowhere: the token, its secret part and the secret's bytes. */
function secretsOf(tokens: readonly string[]): string[] {
  return tokens.flatMap((token) => {
    const secret = token.slice(2);
    return [secret, Buffer.from(secret, "base64url").toString("hex")];
  });
}

function expectNone(text: string, tokens: readonly string[], where: string): void {
  expect(tokens.length).toBeGreaterThan(0);
  for (const secret of secretsOf(tokens)) {
    expect(text.includes(secret), `a token is in ${where}: ${text.slice(0, 2000)}`).toBe(false);
  }
}

/** Does everything that can be done with sessions; gives every token there was. */
async function useEverything(): Promise<string[]> {
  const tokens: string[] = [];
  const create = async (user_id: number) => {
    const made = await sessions.create({ user_id, team_ids: ["a", "b"] });
    tokens.push(made.token);
    return made;
  };
  const rotate = async (token: string, values: Data, grace: number) => {
    const made = await sessions.rotate(token, values, { grace });
    if (!made?.token) throw new Error("no session to rotate");
    tokens.push(made.token);
    return made;
  };
  const { token, session } = await create(1);
  await create(1);
  await create(2);
  await sessions.get(token);
  await sessions.get(token, ["user_id"]);
  await sessions.set(token, { theme: { a: [1] }, team_ids: ["c"] });
  await sessions.unset(token, ["theme"]);
  await sessions.touch(token, { idleTimeout: "2 hours" });
  const second = await rotate(token, { theme: "dark" }, 60_000);
  await sessions.get(token);
  await sessions.set(token, { theme: "through an alias" });
  const third = await rotate(token, { user_id: 3 }, 60_000);
  await sessions.get(second.token);
  await rotate(third.token, {}, 0);
  await sessions.byId(session.id).get();
  const { session: old } = await create(4);
  const signedIn = await sessions.signIn(tokens.at(-1), { user_id: 5 }, { keep: ["theme"] });
  tokens.push(signedIn.token);
  await rotate(signedIn.token, { user_id: 5 }, 60_000);
  await sessions.byId(signedIn.session.lineage).get();
  await sessions.byId(old.lineage).delete();
  const set = sessions.by("user_id", 1);
  await set.set({ theme: "light" });
  await set.unset(["theme"]);
  for await (const one of set) await set.has(one.id);
  await sessions.by("team_ids", "a").list();
  await sessions.by("user_id", 2).clear({ except: session.id });
  const { token: ended } = await create(1);
  await sessions.delete(ended);
  return tokens;
}

describe("requirement 1: tokens", () => {
  test("requirement 1: a token has 192 random bits and no two are alike", async () => {
    const store = memoryStore();
    const many = createSessions({ store, ...OPTIONS });
    const random = vi.spyOn(Math, "random");
    const tokens: string[] = [];
    for (let i = 0; i < 6400; i++) tokens.push((await many.create()).token);
    expect(random).not.toHaveBeenCalled();
    random.mockRestore();
    for (const token of tokens) expect(token).toMatch(/^AA[A-Za-z0-9_-]{32}$/);
    expect(new Set(tokens).size).toBe(tokens.length);
    // Each of 64 characters comes 100 times at each place, more or less: 70 off is 7 deviations.
    for (let place = 2; place < 34; place++) {
      const counts = new Map<string, number>();
      for (const token of tokens) {
        const character = token[place] ?? "";
        counts.set(character, (counts.get(character) ?? 0) + 1);
      }
      expect(counts.size).toBe(64);
      expect(Math.min(...counts.values())).toBeGreaterThan(30);
      expect(Math.max(...counts.values())).toBeLessThan(170);
    }
  });

  test("requirement 1: an id opens nothing", async () => {
    const { token, session } = await sessions.create({ user_id: 7 });
    const padded = session.id.padEnd(token.length, "A");
    for (const guess of [session.id, padded]) {
      expect(await sessions.get(guess)).toBeNull();
      expect(await sessions.set(guess, { theme: 1 })).toBe(false);
      expect(await sessions.rotate(guess)).toBeNull();
      expect(await sessions.delete(guess)).toBe(false);
    }
    expect((await sessions.get(token))?.data).toEqual({ user_id: 7 });
  });

  test("requirement 1: a token is never in Redis, nor sent there", async () => {
    const watched = await watchCommands(redis.url);
    const tokens = await useEverything();
    const [sent, kept] = [await watched.text(), await dumpServer(redis.url)];
    watched.stop();
    const { session } = await sessions.create({ user_id: 1 });
    expect(await dumpServer(redis.url), "ids are found there").toContain(session.id);
    expect(sent).toMatch(/evalsha/i);
    expectNone(kept, tokens, "what is kept in Redis");
    expectNone(sent, tokens, "what is sent to Redis");
  });

  test("requirement 1: a token is in no session, list or inspected object", async () => {
    const tokens = await useEverything();
    const set = sessions.by("user_id", 1);
    const iterated = [];
    for await (const session of set) iterated.push(session);
    const found = await sessions.get(tokens[1]);
    expect(found).not.toBeNull();
    const given = [found, iterated, await set.list(), await set.ids(), set, set.key, sessions];
    for (const one of given) expectNone(textOf(one), tokens, "what is given out");
  });

  test("requirement 1: nothing is printed, warned of or published with a token", async () => {
    const heard: string[] = [];
    const hear = (...parts: unknown[]) => heard.push(parts.map(textOf).join(" "));
    const spies = (["log", "info", "warn", "error", "debug"] as const).map((level) =>
      vi.spyOn(console, level).mockImplementation(hear),
    );
    const warning = vi.spyOn(process, "emitWarning").mockImplementation(hear);
    subscribe("session-sets:touch-failed", hear);
    const token = await readWhileTouchFails();
    for (const spy of [...spies, warning]) spy.mockRestore();
    unsubscribe("session-sets:touch-failed", hear);
    expect(heard.length, "the failed touch is published").toBeGreaterThan(0);
    expectNone(heard.join("\n"), [token], "what was printed or published");
  });

  test("requirement 1: a token is in no error of any code", async () => {
    const { token } = await sessions.create({ user_id: 1 });
    const seen = new Map<SessionErrorCode, unknown[]>();
    const note = (error: unknown) => {
      if (!(error instanceof SessionError)) throw error;
      seen.set(error.code, [...(seen.get(error.code) ?? []), error]);
    };
    const tokens = [
      token,
      ...(await provokeHere(sessions, token, note)),
      ...(await provokeKoa(sessions, note)),
      ...(await provokeOutage(note)),
    ];

    const codes: Record<SessionErrorCode, true> = {
      ERR_SESSION_CONFIG: true,
      ERR_SESSION_VALUE: true,
      ERR_SESSION_TOO_LARGE: true,
      ERR_SESSION_GONE: true,
      ERR_SESSION_LIMIT: true,
      ERR_STORE_UNAVAILABLE: true,
      ERR_STORE_FULL: true,
      ERR_REPLICAS: true,
      ERR_COOKIE: true,
      ERR_CSRF: true,
    };
    expect([...seen.keys()].sort()).toEqual(Object.keys(codes).sort());
    for (const [code, errors] of seen) expectNone(textOf(errors), tokens, code);
  });

  test("requirement 1: nor in an application's own error that passes through", async () => {
    const errors: unknown[] = [];
    const handler: Handler<Data> = async (ctx) => {
      await ctx.session.set({ user_id: 1 });
      throw new Error("the application's own");
    };
    const answer = await koaRequest(sessions, handler, (error) => errors.push(error));
    expect(answer.status).toBe(500);
    expect(errors).toHaveLength(1);
    expectNone(textOf(errors), answer.cookies, "an error that Koa reports");
    expectNone(answer.body, answer.cookies, "the page of an error");
  });
});

/** All that a logger may show of a value. */
function textOf(value: unknown): string {
  const parts = [inspect(value, { depth: null, maxArrayLength: null, maxStringLength: null })];
  for (const one of [value].flat()) {
    parts.push(JSON.stringify(one) ?? "", String(one));
    if (one instanceof Error) parts.push(one.message, one.stack ?? "", textOf(one.cause));
  }
  return parts.join("\n");
}

/** Reads a session when it is due to be touched, and the touch fails. */
async function readWhileTouchFails(): Promise<string> {
  let now = Date.now();
  const inner = memoryStore({ now: () => now });
  const store = new Proxy(inner, {
    get(target, name) {
      if (name === "change") return () => Promise.reject(new Error("the disk is on fire"));
      const member: unknown = Reflect.get(target, name, target);
      return typeof member === "function" ? member.bind(target) : member;
    },
  });
  const frail = createSessions<Data>({ store, ...OPTIONS });
  const { token } = await frail.create({ user_id: 1 });
  now += 600_000;
  expect((await frail.get(token))?.data).toEqual({ user_id: 1 });
  return token;
}
