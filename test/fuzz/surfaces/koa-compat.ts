/* The surfaces of koa-redis-session-sets, with a session that it has kept itself. */
import koaRedisSessionSets, {
  type KoaRedisSessionSets,
} from "session-sets/compat/koa-redis-session-sets";
import { contextWith } from "../../support/http/request.ts";
import { fc } from "../../support/properties.ts";
import { freshName, type Servers, SLOT_KEY } from "../runs/worlds.ts";
import {
  given,
  hostile,
  hostileText,
  mostly,
  type Recipe,
  recordOf,
  value,
} from "../values/recipes.ts";
import { duration, fields, options } from "./core.ts";
import type { Method, Surface, World } from "./surfaces.ts";

export interface KoaCompatWorld extends World {
  readonly middleware: KoaRedisSessionSets;
  /** A context of Koa whose cookie has this value. */
  createContext(cookie: string | undefined): object;
}

const KEY = "session-id";
/** As koa-redis-session-sets made ids: 18 random bytes in base64. */
const OLD = "Old+Id/0aZ9Old+Id/0aZ9ab";

export async function openKoaCompat({ traffic, client }: Servers): Promise<KoaCompatWorld> {
  const prefix = freshName();
  const middleware = koaRedisSessionSets(null, {
    client,
    prefix,
    key: KEY,
    migrate: true,
    references: { user_id: { rotate: true }, team: true },
  });
  const set: string[] = [];
  function createContext(cookie: string | undefined) {
    const cookies = {
      get: () => cookie,
      set: (name: string, text: string | null) => void set.push(`${name}=${text}`),
    };
    return { ...contextWith(), cookies };
  }
  const made = async (values: object) => {
    await middleware.createSession(createContext(undefined) as never).set(values);
    const last = set.at(-1) ?? "";
    return last.slice(last.indexOf("=") + 1);
  };
  const token = await made({ user_id: 1, team: ["a", "b"], theme: "dark" });
  const another = await made({ theme: "light" });
  const dead = await made({ user_id: 2 });
  await middleware.createSession(createContext(dead) as never).delete();
  await middleware.store.set("a chosen id", { user_id: 1 });
  await traffic.own.hset(`${prefix}:{${OLD}}`, { id: OLD, user_id: "1" });
  await traffic.own.expire(`${prefix}:{${OLD}}`, 3600);
  await traffic.own.sadd(`${prefix}:user_id:{1}`, OLD);
  const unknown = token.slice(0, 4) + "x".repeat(token.length - 4);
  const givens: Record<string, unknown> = {
    "the token": token,
    "another token": another,
    "a dead token": dead,
    "an unknown token": unknown,
    "an old token": OLD,
    "a chosen id": "a chosen id",
    "a context": createContext(token),
    "hash of the session": middleware.createSession(createContext(token) as never).getKey(),
    "hash of a chosen id": middleware.store.getSessionKey("a chosen id"),
    "plain set of the user": middleware.getReferenceKey("user_id", 1),
    "set of the user": middleware.getReferenceKey("user_id", 1).replace(":m:", ":r:"),
    "an old key": `${prefix}:{${OLD}}`,
    "an old index": `${prefix}:user_id:{1}`,
    now: Date.now(),
    later: Date.now() + 3_600_000,
    next() {},
  };
  return {
    middleware,
    createContext,
    secrets: new Set([token, another, dead, unknown, OLD]),
    prefixes: [`{${prefix}:`, `${prefix}:`, SLOT_KEY],
    traffic,
    of: (name) => givens[name],
    async close() {},
  };
}

const one = (...names: string[]) => fc.constantFrom(...names).map(given);
const context = mostly(
  fc.oneof(
    { weight: 3, arbitrary: one("a context") },
    recordOf({ req: hostile, res: hostile, app: hostile, cookies: hostile, secure: hostile }, [
      "plain",
      "without a prototype",
      "by a getter that throws",
    ]),
  ),
);
const field: fc.Arbitrary<Recipe> = mostly(fc.constantFrom("user_id", "team").map(value), 3);
const single = mostly(fc.constantFrom<string | number | boolean>(1, "1", "a", true).map(value));
const values = mostly(recordOf({ user_id: hostile, team: hostile, theme: hostile }), 4);
const id = mostly(one("a chosen id", "an old token", "an unknown token"), 3);

/** Reading it says what to call instead. */
const leftOut: Method = { args: [], gives: "value", reads: "only" };

export const koaCompatSurface: Surface<KoaCompatWorld> = {
  name: "koaRedisSessionSets",
  settings: fc.constant(undefined),
  open: ({ middleware }) => middleware,
  methods: {
    "()": { args: [context, one("next")], byFramework: true, reads: "only" },
    createSession: { args: [context], gives: "value", reads: "only" },
    getReferenceKey: { args: [field, single], gives: "value", reads: "only" },
    moveSessions: { args: [options({ cursor: hostileText })], gives: "steps" },
    options: leftOut,
    tokens: leftOut,
  },
  skipped: { store: "a surface of its own" },
};

export const koaStoreSurface: Surface<KoaCompatWorld> = {
  name: "store of koaRedisSessionSets",
  settings: fc.constant(undefined),
  open: ({ middleware }) => middleware.store,
  methods: {
    getSessionKey: { args: [id], gives: "value", reads: "only" },
    getReferenceKey: { args: [field, single], gives: "value", reads: "only" },
    get: { args: [id, fields] },
    set: { args: [id, values, duration] },
    unset: { args: [id, fields, duration] },
    touch: { args: [id, duration] },
    delete: { args: [id] },
    clear: { args: [field, single] },
    byteLength: leftOut,
    client: leftOut,
    createSessionId: leftOut,
    maxAge: leftOut,
    prefix: leftOut,
    references: leftOut,
  },
};

export const koaSessionSurface: Surface<KoaCompatWorld, string | null> = {
  name: "KoaSession",
  settings: fc.constantFrom(
    ...["the token", "another token", "a dead token", "an unknown token", "an old token"],
    null,
  ),
  open({ middleware, createContext, of }, name) {
    const cookie = name === null ? undefined : String(of(name));
    return middleware.createSession(createContext(cookie) as never);
  },
  methods: {
    getKey: { args: [], gives: "value", reads: "only" },
    get: { args: [fields] },
    set: { args: [values, duration] },
    unset: { args: [fields, duration] },
    touch: { args: [duration] },
    delete: { args: [] },
    createCSRFToken: { args: [hostile] },
    verifyCSRFToken: { args: [hostile, hostile] },
  },
};
