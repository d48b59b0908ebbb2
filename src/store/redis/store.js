import { milliseconds } from "../../durations.ts";
import { refuseUnknownKeys, SessionError } from "../../errors.ts";
import { ioredisConnection, isIoredis } from "./ioredis.ts";
import { createKeys, encodeName, setName, setNames } from "./keys.ts";
import { fieldsOf, lookupOf, ownAnd, pairsOf, pairsOfHash, sessionOf, timesOf } from "./replies.ts";
import { Server } from "./server.ts";

/** A page of a set ends when a script has touched this many keys and entries. */
const PAGE_KEYS = 300;
/** A page of whole sessions: they are read, and sent. */
const PAGE_SESSIONS = 100;
/** How many aliases are followed from an id. */
const HOPS = 3;
/**
 * A store of sessions in Redis 7.0 and later, or Valkey. It opens no connection and closes none: the
 * client is yours.
 *
 * @throws SessionError ERR_SESSION_CONFIG for a client or an option it cannot work with.
 */
export function redisStore(client, options = {}) {
  refuseUnknownKeys("redisStore", options, ["prefix", "timeout", "shards"]);
  if (!isIoredis(client)) {
    throw new SessionError(
      "ERR_SESSION_CONFIG",
      "redisStore takes a client of ioredis 5 or 6 that is connected to one server: redisStore(new Redis(url))",
    );
  }
  const { prefix = "sessions", timeout = "2 seconds", shards = 1 } = options;
  const keys = createKeys(prefix, shards);
  return new RedisStore(ioredisConnection(client), keys, shards, milliseconds("timeout", timeout));
}
class RedisStore {
  shards;
  #server;
  #keys;
  constructor(connection, keys, shards, timeout) {
    this.shards = shards;
    this.#keys = keys;
    this.#server = new Server(connection, timeout);
  }
  async create(session) {
    const { id, fields, references, idleTimeout, absoluteTimeout } = session;
    const [, times] = await this.#server.write("create a session", "create", this.sessionKey(id), [
      id,
      optional(idleTimeout),
      optional(absoluteTimeout),
      references.flatMap(setNames).join(" "),
      ...counted([...fields].flat()),
    ]);
    return timesOf(times);
  }
  async find(id, names) {
    return this.#server.commands("read a session", this.sessionKey(id), async (send) => {
      let found = id;
      for (let hop = 0; hop <= HOPS; hop++) {
        const lookup = lookupOf(found, await this.#hash(send, found, names), this.#server.now());
        if (lookup.state !== "alias") return lookup;
        found = lookup.target;
      }
      return { state: "gone" };
    });
  }
  async #hash(send, id, names) {
    const key = this.sessionKey(id);
    if (names === undefined) return pairsOfHash(await send(key, "HGETALL", [key]));
    const all = ownAnd(names);
    return pairsOf(all, await send(key, "HMGET", [key, ...all]));
  }
  async change(id, change) {
    const { idleTimeout, rotation } = change;
    const reply = await this.#server.write("change a session", "change", this.sessionKey(id), [
      id,
      optional(idleTimeout),
      rotation?.to ?? "",
      rotation?.when ?? "",
      String(rotation?.grace ?? 0),
      (rotation?.identity ?? []).map(encodeName).join(" "),
      ...fieldChanges(change),
    ]);
    return changedOf(reply);
  }
  async end(id, reference) {
    const name = reference === undefined ? "" : setName(reference);
    const [, ended] = await this.#server.write("end a session", "end", this.sessionKey(id), [
      id,
      name,
    ]);
    return ended === 1;
  }
  async count(reference) {
    const counts = await this.#eachShard(async (shard) => {
      const [, count] = await this.#server.read(
        "count a session set",
        "count",
        this.#keys.set(shard, reference),
        [],
      );
      return Number(count);
    });
    return sum(counts);
  }
  async has(reference, id) {
    const [, has] = await this.#server.read("look into a session set", "has", this.sessionKey(id), [
      id,
      setName(reference),
    ]);
    return has === 1;
  }
  async list(reference, limit) {
    const lists = await this.#eachShard(async (shard) => {
      const [, sessions] = await this.#server.read(
        "list a session set",
        "list",
        this.#keys.set(shard, reference),
        [setName(reference), String(limit)],
      );
      return sessionsOf(sessions);
    });
    return lists
      .flat()
      .sort((a, b) => b.lastSeenAt - a.lastSeenAt)
      .slice(0, limit);
  }
  async *pages(reference, withFields) {
    let cursors = this.#allShards().map((shard) => ({ shard, after: "", afterId: "" }));
    const given = new Set();
    while (cursors.length > 0) {
      const pages = await settled(
        cursors.map((cursor) => this.#page(reference, withFields, cursor, given)),
      );
      const sessions = pages.flatMap((page) => page.sessions);
      if (sessions.length > 0) yield sessions;
      cursors = pages.map((page) => page.next).filter((next) => next.after !== "");
    }
  }
  async #page(reference, withFields, cursor, given) {
    const { shard, after, afterId } = cursor;
    const [, nextAfter, nextId, found] = await this.#server.read(
      "read a session set",
      "scan",
      this.#keys.set(shard, reference),
      [
        setName(reference),
        after,
        afterId,
        String(withFields ? PAGE_SESSIONS : PAGE_KEYS),
        withFields ? "1" : "",
      ],
    );
    const sessions = [];
    for (const [id, reply] of found) {
      const hash = pairsOfHash(reply);
      const birth = `${shard}:${hash.get("@c")}`;
      if (given.has(birth)) continue;
      given.add(birth);
      sessions.push(sessionOf(id, hash));
    }
    return { sessions, next: { shard, after: String(nextAfter), afterId: String(nextId) } };
  }
  async changeAll(reference, changes) {
    const args = fieldChanges(changes);
    const counts = await this.#eachShard(async (shard) => {
      const changed = new Set();
      let cursor = ["", ""];
      do {
        const [word, ...rest] = await this.#server.write(
          "change a session set",
          "changeAll",
          this.#keys.set(shard, reference),
          [setName(reference), ...cursor, String(PAGE_SESSIONS), String(PAGE_KEYS), ...args],
        );
        if (word === "too-large") throw tooLarge(Number(rest[0]), changes.maxBytes);
        cursor = [String(rest[0]), String(rest[1])];
        for (const birth of rest[2]) changed.add(birth);
      } while (cursor[0] !== "");
      return changed.size;
    });
    return sum(counts);
  }
  async endAll(reference, except) {
    const counts = await this.#eachShard(async (shard) => {
      const ended = new Set();
      let spared = except !== undefined && this.#keys.shardOf(except) === shard ? except : "";
      let left;
      do {
        const [, births, rest, spares] = await this.#server.write(
          "end a session set",
          "endAll",
          this.#keys.set(shard, reference),
          [setName(reference), spared, String(PAGE_KEYS)],
        );
        for (const birth of births) ended.add(birth);
        left = rest;
        spared = String(spares);
      } while (left !== 0);
      return ended.size;
    });
    return sum(counts);
  }
  sessionKey(id) {
    return this.#keys.session(id);
  }
  setKey(reference) {
    return this.#keys.publicSet(reference);
  }
  async close() {
    // Nothing of the library's own is open: the client is the caller's.
  }
  #allShards() {
    return Array.from({ length: this.shards }, (_, shard) => shard);
  }
  #eachShard(work) {
    return settled(this.#allShards().map(work));
  }
}
/** All results; when some have failed, waits for the others and throws the first failure. */
async function settled(promises) {
  await Promise.allSettled(promises);
  return Promise.all(promises);
}
function sum(counts) {
  return counts.reduce((total, count) => total + count, 0);
}
/** The error of a change that would make a session too large. */
function tooLarge(bytes, maxBytes) {
  return new SessionError(
    "ERR_SESSION_TOO_LARGE",
    `A session of the set would have ${bytes} bytes of fields, over maxBytes (${maxBytes}); it and those after it were left as they are`,
  );
}
// Arguments of the scripts: see the head of each.
function optional(value) {
  return value === null ? "" : String(value);
}
function counted(list) {
  return [String(list.length), ...list];
}
function fieldChanges({ set, unset, references, maxBytes }) {
  return [
    String(maxBytes),
    ...counted(
      references.flatMap((reference) => [
        encodeName(reference.field),
        setNames(reference).join(" "),
      ]),
    ),
    ...counted([...set].flat()),
    ...counted(unset),
  ];
}
// Their replies.
function sessionsOf(reply) {
  return reply.map(([id, hash]) => sessionOf(id, pairsOfHash(hash)));
}
function changedOf([word, ...rest]) {
  switch (word) {
    case "changed": {
      const [id, rotated, times, fields] = rest;
      return {
        state: "changed",
        id: String(id),
        rotated: rotated === 1,
        times: timesOf(times),
        fields: rotated === 1 ? fieldsOf(pairsOfHash(fields)) : null,
      };
    }
    case "superseded":
      return { state: "superseded", hadIdentity: rest[0] === "1" };
    case "alias":
      return { state: "alias" };
    case "too-large":
      return { state: "too-large", bytes: Number(rest[0]) };
    default:
      return { state: "gone" };
  }
}
