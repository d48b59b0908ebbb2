/* The surfaces of `SessionSetsStore`, alone and with sessions of another store that are moved. */

import session from "express-session";
import { SessionSetsStore } from "session-sets/compat/express-session";
import { memoryStore } from "session-sets/memory";
import { fc } from "../../support/properties.ts";
import { countedStore } from "../runs/counted-store.ts";
import { freshName, type Place, type Servers, SLOT_KEY } from "../runs/worlds.ts";
import { throwPlanted } from "../values/planted.ts";
import {
  given,
  hostile,
  hostileText,
  listOf,
  make,
  mostly,
  type Recipe,
  recordOf,
  value,
} from "../values/recipes.ts";
import { cause, field, onEndCallback, options, replicas, values } from "./core.ts";
import { callback, type Method, type Surface, type World } from "./surfaces.ts";

export interface ExpressSessionWorld extends World {
  readonly store: SessionSetsStore;
}

const COOKIE = { path: "/", httpOnly: true, originalMaxAge: 3_600_000 };
const SIDS = ["a sid", "another sid", "an unknown sid", "an ended sid"] as const;

const createSid = (name: string) => `${name.replaceAll(" ", "-")}-${"s3cr3t_".repeat(4)}`;

/** Sessions in a store as a middleware keeps them; on Redis, one is still where connect-redis had it. */
export async function openExpressSession(
  place: Place,
  { traffic, client }: Servers,
): Promise<ExpressSessionWorld> {
  const [prefix, old] = [freshName(), `${freshName()}:`];
  const references = {
    user_id: {},
    found: { from: (s: { passport?: { user?: number } }) => s.passport?.user },
  };
  const counted = place === "memory" ? countedStore(memoryStore()) : null;
  const store =
    counted !== null
      ? new SessionSetsStore({ store: counted.store, references: references as never })
      : new SessionSetsStore({
          client,
          prefix,
          shards: place === "Redis" ? 1 : 4,
          timeout: "10 seconds",
          migrate: { prefix: old },
          references: references as never,
        });
  const sids = Object.fromEntries(SIDS.map((name) => [name, createSid(name)]));
  const cookie = { ...COOKIE, expires: new Date(Date.now() + COOKIE.originalMaxAge).toISOString() };
  for (const name of SIDS.slice(0, 2))
    await store.set(createSid(name), { cookie, user_id: 1, theme: "dark" });
  await store.set(createSid("an ended sid"), { cookie, user_id: 1 });
  await store.destroy(createSid("an ended sid"));
  const moved = JSON.stringify({ cookie, user_id: 1, passport: { user: 2 } });
  if (place !== "memory")
    await traffic.own.set(`${old}${createSid("an old sid")}`, moved, "EX", 3600);
  const prefixes = place === "memory" ? [] : [`{${prefix}:`, old, SLOT_KEY];
  const tag = `{${prefix}:0}`;
  const deriveHashKey = (name: string) => `${tag}:s:${store.idOf(createSid(name))}`;
  const givens: Record<string, unknown> = {
    ...sids,
    "an old sid": createSid("an old sid"),
    "the id": store.idOf(createSid("a sid")),
    "another id": store.idOf(createSid("another sid")),
    "a session": await store.get(createSid("a sid")),
    "another session": { cookie, user_id: 2, theme: "light" },
    "hash of a sid": deriveHashKey("a sid"),
    "hash of another sid": deriveHashKey("another sid"),
    "hash of an ended sid": deriveHashKey("an ended sid"),
    "set user_id:1": `${tag}:r:user_id:1`,
    "set found": `${tag}:r:%7Efound:2`,
    "an old key": `${old}${createSid("an old sid")}`,
    "an unknown old key": `${old}${createSid("an unknown sid")}`,
    now: Date.now(),
    later: Date.now() + COOKIE.originalMaxAge,
    "a request": { sessionID: createSid("a sid"), sessionStore: store },
    "the token": createSid("a sid"),
    "another token": createSid("another sid"),
    "a dead token": createSid("an ended sid"),
    "an unknown token": createSid("an unknown sid"),
    "an old token": createSid("an old sid"),
  };
  return {
    store,
    secrets: new Set([...Object.values(sids), createSid("an old sid")]),
    prefixes,
    traffic: counted ?? traffic,
    // The prefix of what is moved is looked at once with a colon behind it.
    of(name) {
      if (name === "a callback") return callback();
      if (name === "a callback that throws") return callback(throwPlanted);
      return givens[name];
    },
    async close() {
      await store.close();
    },
  };
}

const one = (...names: string[]) => fc.constantFrom(...names).map(given);
const sid = mostly(one(...SIDS, "an old sid", "the id"), 3);
const expiry = mostly(
  fc.constantFrom<string | number>("2031-01-01T00:00:00Z", 0, 1000, -1).map(value),
);
const cookie = recordOf({
  originalMaxAge: expiry,
  maxAge: expiry,
  expires: expiry,
  path: hostile,
  secure: hostile,
});
const saved: fc.Arbitrary<Recipe> = mostly(
  fc.oneof(
    { weight: 2, arbitrary: one("a session", "another session") },
    {
      weight: 3,
      arbitrary: recordOf({
        cookie: mostly(cookie, 4),
        user_id: hostile,
        passport: hostile,
        theme: hostile,
      }),
    },
  ),
  4,
);
const callbacks = fc.oneof(
  { weight: 4, arbitrary: one("a callback", "a callback that throws") },
  // A function that fails when it is called is the caller's own.
  {
    weight: 1,
    arbitrary: hostile.filter((recipe) => typeof make(recipe, () => "") !== "function"),
  },
);
const cursor = options({ cursor: hostileText });

const storeMethods: Readonly<Record<string, Method>> = {
  get: { args: [sid, callbacks], callsBack: 1 },
  set: { args: [sid, saved, callbacks], callsBack: 2 },
  touch: { args: [sid, saved, callbacks], callsBack: 2 },
  destroy: { args: [sid, callbacks], callsBack: 1 },
  all: { args: [callbacks], callsBack: 0 },
  length: { args: [callbacks], callsBack: 0 },
  clear: { args: [callbacks], callsBack: 0 },
  by: { args: [mostly(one0("user_id", "found")), hostile], gives: "value", reads: "only" },
  moveSessions: { args: [cursor], gives: "steps" },
  onEnd: { args: [sid, onEndCallback] },
  idOf: { args: [sid], gives: "value", reads: "only" },
  close: { args: [] },
  regenerate: { args: [mostly(one("a request")), callbacks], callsBack: 1, gives: "value" },
  load: { args: [sid, callbacks], callsBack: 1, gives: "value" },
  createSession: { args: [mostly(one("a request")), saved], gives: "value", reads: "only" },
};

function one0(...texts: string[]): fc.Arbitrary<Recipe> {
  return fc.constantFrom(...texts).map(value);
}

export const storeSurface: Surface<ExpressSessionWorld, "alone" | "under express-session"> = {
  name: "SessionSetsStore",
  settings: fc.constantFrom("alone", "under express-session"),
  open({ store }, where) {
    const options = { store, secret: "a secret", resave: false, saveUninitialized: false };
    if (where === "under express-session") session(options as never);
    return store;
  },
  methods: storeMethods,
  skipped: { generate: "express-session puts it there" },
};

const id = mostly(one("the id", "another id", "a sid"), 3);

export const storeSetSurface: Surface<ExpressSessionWorld, string> = {
  name: "StoreSessionSet",
  settings: fc.constantFrom("user_id", "found"),
  open: ({ store }, name) => store.by(name, name === "found" ? 2 : 1),
  methods: {
    key: { args: [], gives: "value", reads: "only" },
    size: { args: [], reads: "only" },
    has: { args: [id], reads: "only" },
    ids: { args: [], reads: "only" },
    list: { args: [options({ limit: mostly(fc.nat(600).map(value)) })], reads: "only" },
    "[Symbol.asyncIterator]": { args: [], gives: "steps", reads: "only" },
    set: { args: [mostly(fc.oneof(values, saved))] },
    unset: { args: [mostly(listOf(field))] },
    delete: { args: [id, options({ replicas, ...cause })] },
    clear: { args: [options({ except: id, replicas, ...cause })] },
    trim: { args: [options({ keep: mostly(fc.nat(5).map(value)), replicas, ...cause })] },
  },
};
