/* Sessions in a store, each of another kind, and what they are known by. */
import { randomBytes } from "node:crypto";
import type { Redis } from "ioredis";
import { createSessions, type SessionStore, type Sessions } from "session-sets";
import { memoryStore } from "session-sets/memory";
import { redisStore } from "session-sets/redis";
import { editTimes } from "../../support/stores/times.ts";
import { requestGivens } from "../requests/requests.ts";
import type { World } from "../surfaces/surfaces.ts";
import { countedStore } from "./counted-store.ts";
import type { Traffic } from "./traffic.ts";

export interface Data {
  user_id?: unknown;
  team_ids?: unknown;
  code?: unknown;
  theme?: unknown;
  [field: string]: unknown;
}

/** A world of `createSessions`. */
export interface CoreWorld extends World {
  readonly sessions: Sessions<Data>;
  readonly store: SessionStore;
}

export const PLACES = ["memory", "Redis", "Redis with 4 shards"] as const;
export type Place = (typeof PLACES)[number];

/** The server and the client that worlds on Redis are made with. */
export interface Servers {
  readonly traffic: Traffic;
  readonly client: Redis;
  readonly url: string;
  /** Ends what is under way by the client, and makes another. */
  reconnect(): void;
}

export function freshName(): string {
  return `fuzz-${randomBytes(6).toString("hex")}`;
}

/** The key that a migration of all sessions names. It stands for a slot, and nothing is there. */
export const SLOT_KEY = "{3560}:";

const AGE_MS = 120_000;
const LATER_MS = 3_600_000;

/** The ids of a world's sessions, by their names. */
export const IDS = ["the id", "another id", "an old id", "a renewed id", "a dead id"] as const;
const SETS = ["user_id:1", "team_ids:1", "code:x"] as const;

/** The names of keys of a world's first shard. */
export const KEYS: readonly string[] = [
  ...IDS.flatMap((name) => [`hash of ${name}`, `pointer of ${name}`]),
  ...SETS.flatMap((name) => [`set ${name}`, `plain set ${name}`]),
  "mark",
];

/** Those keys, by their names: in the hash tag that all keys of the first session have. */
function keysIn(tag: string, of: (name: string) => unknown): Record<string, string> {
  return Object.fromEntries([
    ...IDS.map((name) => [`hash of ${name}`, `${tag}:s:${String(of(name))}`]),
    ...IDS.map((name) => [`pointer of ${name}`, `${tag}:l:${String(of(name))}`]),
    ...SETS.map((name) => [`set ${name}`, `${tag}:r:${name}`]),
    ...SETS.map((name) => [`plain set ${name}`, `${tag}:m:${name}`]),
    ["mark", `${tag}:o:${String(of("the id"))}`],
  ]);
}

export async function openWorld(place: Place, { traffic, client }: Servers): Promise<CoreWorld> {
  let now = Date.now();
  const prefix = freshName();
  const shards = place === "Redis with 4 shards" ? 4 : 1;
  const counted =
    place === "memory" ? countedStore(memoryStore({ now: () => now, maxSessions: 1000 })) : null;
  const store = counted?.store ?? redisStore(client, { prefix, shards, timeout: "10 seconds" });
  const sessions = createSessions<Data>({
    store,
    references: {
      user_id: true,
      team_ids: { identity: false, ...(shards === 1 ? { as: "set" as const } : {}) },
      code: { identity: false, type: "string" },
    } as never,
    idleTimeout: "2 hours",
    absoluteTimeout: "28 days",
  });
  const aged = await sessions.create({ user_id: 1, theme: "dark" });
  now += AGE_MS;
  if (place !== "memory") {
    const key = store.sessionKey(aged.session.id);
    await editTimes(traffic.own, key, { seen: aged.session.lastSeenAt.getTime() - AGE_MS });
  }
  const user = await sessions.create({ user_id: 1, team_ids: [1, 2], theme: "dark" });
  const visitor = await sessions.create({ theme: "light" });
  const first = await sessions.create({ user_id: 2, code: "x" });
  const renewed = await sessions.rotate(first.token);
  const gone = await sessions.create({ user_id: 3 });
  const replaced = await sessions.signIn(gone.token, { user_id: 3 });
  const unknown = user.token.slice(0, 2) + randomBytes(24).toString("base64url");
  const givens: Record<string, unknown> = {
    "the token": user.token,
    "another token": visitor.token,
    "an aged token": aged.token,
    "an old token": first.token,
    "a renewed token": renewed?.token,
    "a dead token": gone.token,
    "an unknown token": unknown,
    "the id": user.session.id,
    "another id": visitor.session.id,
    "an old id": first.session.id,
    "a renewed id": renewed?.session?.id,
    "a dead id": gone.session.id,
    "the key": store.sessionKey(user.session.id),
    "a callback": () => {},
    now: Date.now(),
    later: Date.now() + LATER_MS,
    sessions,
    store,
    ...requestGivens(user.token),
  };
  const tag = store.sessionKey(user.session.id).replace(/:s:.*$/, "");
  const keys = keysIn(tag, (name) => givens[name]);
  const tokens = Object.entries(givens).filter(([name]) => /^(?!a CSRF).* token$/.test(name));
  return {
    sessions,
    store,
    secrets: new Set([...tokens.map(([, token]) => String(token)), replaced.token]),
    prefixes: place === "memory" ? [] : [`{${prefix}:`],
    traffic: counted ?? traffic,
    of: (name) => givens[name] ?? keys[name],
    close: () => sessions.close(),
  };
}
