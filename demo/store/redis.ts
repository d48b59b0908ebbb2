import { setTimeout as sleep } from "node:timers/promises";
import type { Redis } from "ioredis";
import { type RedisStoreOptions, redisStore } from "session-sets/redis";
import type { ShownStore, Stored, StoredEntry } from "./reading.ts";

/** While Redis is down, the client keeps commands back for longer. */
const READ_TIMEOUT_MS = 2000;

type Options = Omit<RedisStoreOptions, "shards">;

/** Opens the store in Redis, on one shard. The keys are those of docs/design.md, "Keys". */
export function openRedis(client: Redis, options: Options): ShownStore {
  const store = redisStore(client, { ...options, shards: 1 });

  async function read(setKey: string, ended: readonly string[]): Promise<Stored[]> {
    const clearedKey = setKey.replace(":r:", ":c:");
    const [members, cleared] = await Promise.all([
      client.zrange(setKey, 0, "-1", "WITHSCORES"),
      readString(client, clearedKey),
    ]);
    const scores = pairUp(members);
    const ids = scores.map(({ name }) => name);
    const readAll = (some: readonly string[]) =>
      Promise.all(some.map((id) => readHash(client, store.sessionKey(id), id)));
    const [live, left] = await Promise.all([
      readAll(ids),
      readAll(ended.filter((id) => !ids.includes(id))),
    ]);
    // A live session that isn't in the set would be another user's.
    const found = [...live, ...left.filter((hash) => hash?.role !== "session")].filter(
      (hash) => hash !== null,
    );
    const pointers = await Promise.all(
      found.map(async ({ session }) => {
        if (!session || session.lineage === session.id) return [];
        const key = setKey.replace(/:r:.*$/s, `:l:${session.lineage}`);
        const pointer = await readString(client, key);
        return pointer ? [{ ...pointer, role: "pointer" as const, session }] : [];
      }),
    );
    const set: Stored = {
      key: setKey,
      type: "sorted set",
      role: "set",
      expiresAt: await readDeadline(client, setKey),
      entries: scores.map((entry) => ({ ...entry, moment: Number(entry.value) })),
    };
    return [
      ...(scores.length > 0 ? [set] : []),
      ...found,
      ...pointers.flat(),
      ...(cleared ? [{ ...cleared, role: "cleared" as const }] : []),
    ];
  }

  return {
    store,
    name: "Redis",
    about:
      "A session is a hash, and the set is a sorted set of their ids, by which “sign out everywhere” finds them. Redis deletes each key at its deadline.",
    async read(userId, ended = []) {
      const late = new AbortController();
      try {
        const timeout = sleep(READ_TIMEOUT_MS, null, { ref: false, signal: late.signal });
        const reading = read(store.setKey({ field: "user_id", text: userId, plain: false }), ended);
        const stored = await Promise.race([reading, timeout]);
        if (stored === null) throw new Error("Redis has not answered in time");
        return stored;
      } finally {
        late.abort();
      }
    },
  };
}

async function readHash(client: Redis, key: string, id: string): Promise<Stored | null> {
  const [hash, expiresAt] = await Promise.all([client.hgetall(key), readDeadline(client, key)]);
  const names = Object.keys(hash);
  if (names.length === 0) return null; // it has just ended
  return {
    key,
    type: "hash",
    role: describeRole(hash["@"] ?? ""),
    session: { id, lineage: hash["@l"] ?? id },
    expiresAt,
    entries: names
      // The program's own fields first.
      .sort((one, other) => Number(one.startsWith("@")) - Number(other.startsWith("@")))
      .map((name) => toEntry(name, hash[name] ?? "")),
  };
}

/** What a hash is, as its `@` says. */
function describeRole(own: string): "session" | "alias" | "ended" {
  if (own.startsWith("alias ")) return "alias";
  return own.startsWith("tombstone ") ? "ended" : "session";
}

/** A field of a hash. */
function toEntry(name: string, value: string): StoredEntry {
  return name === "@" ? { name, value, parts: listParts(value) } : { name, value };
}

/** The times of a session are in milliseconds, except that of the creation, and "-" is none. */
function listParts(own: string): StoredEntry[] {
  const role = describeRole(own);
  if (role !== "session") return [{ name: role === "alias" ? "target" : "by", value: own }];
  const [created = "", seen = "", idle = "", absolute = ""] = own.split(" ");
  const times: StoredEntry[] = [
    { name: "createdAt", value: created, moment: Math.floor(Number(created) / 1000) },
    { name: "lastSeenAt", value: seen, moment: Number(seen) },
    { name: "idleTimeout", value: idle, duration: Number(idle) },
    { name: "absoluteDeadline", value: absolute, moment: Number(absolute) },
  ];
  return times.filter(({ value }) => value !== "-");
}

async function readString(client: Redis, key: string) {
  const [value, expiresAt] = await Promise.all([client.get(key), readDeadline(client, key)]);
  const moment = key.includes(":c:") ? { moment: Number(value) } : {};
  const entries = [{ name: "", value: value ?? "", ...moment }];
  return value === null ? null : { key, type: "string", expiresAt, entries };
}

/** When Redis deletes a key, or null. */
async function readDeadline(client: Redis, key: string): Promise<number | null> {
  const deadline = await client.pexpiretime(key);
  return deadline < 0 ? null : deadline;
}

/** The members of a sorted set with their scores, which Redis returns one after the other. */
function pairUp(list: readonly string[]): StoredEntry[] {
  return list.flatMap((name, i) => (i % 2 === 0 ? [{ name, value: list[i + 1] ?? "" }] : []));
}
