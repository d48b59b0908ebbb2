import { randomBytes } from "node:crypto";
import { performance } from "node:perf_hooks";
import { tooLarge, tooManyReferences } from "../../shared/errors.ts";
import { settled } from "../../shared/wait-for-all.ts";
import type { Command, Commanded, CommandStore } from "../commanding.ts";
import {
  type Change,
  type Changed,
  type Created,
  type EndAllOptions,
  type EndOptions,
  type FieldChanges,
  type FindOptions,
  type ListOptions,
  type Lookup,
  MAX_HOPS,
  MAX_RENEWALS,
  type NewSession,
  type Reference,
  type SignedIn,
  type SignIn,
  type StoredSession,
} from "../contract.ts";
import type { WalkableStore } from "../iterating.ts";
import { byDeadline, byLastSeen } from "../list-order.ts";
import type { DeclaredReference, RepairableStore, RepairOptions } from "../reindexing.ts";
import { shardOf } from "../shards.ts";
import {
  changedOf,
  commandedOf,
  type Hash,
  isSession,
  lookupOf,
  ownAnd,
  pairsOf,
  pairsOfHash,
  sessionsOf,
  signedInOf,
  targetOf,
  timesOf,
} from "./layout/decode.ts";
import {
  commandArguments,
  counted,
  encodedNames,
  fieldChanges,
  optional,
  rotationArguments,
  whereArgument,
} from "./layout/encode.ts";
import { encodeName, type Keys, setName, setNames } from "./layout/keys.ts";
import { PAGE_KEYS, PAGE_SESSIONS, pagesOf } from "./pages.ts";
import { allSessions } from "./reindex/all-sessions.ts";
import { reindex } from "./reindex/reindex.ts";
import { ShardKeys, Walk } from "./reindex/scan.ts";
import { type Place, positionOf } from "./reindex/scan-cursor.ts";
import { type Reply, Server } from "./scripts/executor.ts";
import type { Connection } from "./wire/connection.ts";

type Send = Connection["send"];

/** In how many shards a new session is tried, while slots of a cluster are moving. */
const MAX_SHARDS_TRIED = 8;
/** What is written of a set where one of its sessions is refused. */
const OF_PAGES = "its page of the set is as it was, and other pages may have been changed";

/** The store's contract by scripts and plain reads. */
export class RedisStore implements CommandStore, RepairableStore, WalkableStore {
  readonly shards: number;
  readonly #server: Server;
  readonly #keys: Keys;
  readonly #cluster: boolean;

  constructor(connection: Connection, keys: Keys, shards: number, timeout: number) {
    this.shards = shards;
    this.#cluster = connection.cluster;
    this.#keys = keys;
    this.#server = new Server(connection, timeout);
  }

  async create(session: NewSession, elsewhere?: () => string): Promise<Created> {
    const { fields, references, idleTimeout, absoluteTimeout } = session;
    const args = [
      optional(idleTimeout),
      optional(absoluteTimeout),
      references.flatMap(setNames).join(" "),
      ...counted([...fields].flat()),
    ];
    const ids = [session.id];
    const { target, reply } = await this.#server.writeAnywhere(
      "create a session",
      "create",
      (n) => {
        const most = elsewhere && this.shards > 1 ? MAX_SHARDS_TRIED : 1;
        if (n >= most) return null;
        const id = ids[n] ?? (elsewhere?.() as string);
        ids[n] = id;
        return { id, key: this.sessionKey(id), args: [id, ...args] };
      },
    );
    return { id: target.id, ...timesOf(reply[1]) };
  }

  async signIn(id: string, session: SignIn): Promise<SignedIn> {
    const { fields: set, references, maxBytes, keep } = session;
    const reply = await this.#server.write("sign in", "signIn", this.sessionKey(id), [
      id,
      session.id,
      optional(session.idleTimeout),
      optional(session.absoluteTimeout),
      String(session.tombstone),
      encodedNames(session.identity),
      ...counted(keep.flatMap((name) => [name, encodeName(name)])),
      ...fieldChanges({ set, unset: [], references, maxBytes }),
    ]);
    return signedInOf(reply);
  }

  async find(id: string, { names, byName = false }: FindOptions = {}): Promise<Lookup> {
    const asked = performance.now();
    const found = await this.#server.commands("read a session", this.sessionKey(id), (send) =>
      byName ? this.#followName(send, id, names) : this.#follow(send, id, names),
    );
    return lookupOf(found, () => this.#server.timeAt(this.sessionKey(id), asked));
  }

  async #follow(send: Send, id: string, names?: readonly string[], hops = MAX_HOPS): Promise<Hash> {
    for (let at = id, hop = 0; ; hop++) {
      const found = { id: at, pairs: await this.#hash(send, at, names) };
      const target = targetOf(found);
      if (target === undefined || hop === hops) return found;
      at = target;
    }
  }

  async #followName(send: Send, name: string, names?: readonly string[]): Promise<Hash> {
    const pointer = this.#keys.lineage(name);
    let found = await this.#follow(send, name, names, MAX_RENEWALS);
    // A session that is rotated once its pointer was read is pointed to anew: it is not gone.
    for (let last: unknown = null; !isSession(found); ) {
      const id = await send(pointer, "GET", [pointer]);
      if (typeof id !== "string" || id === last) break;
      found = await this.#follow(send, id, names, MAX_RENEWALS);
      last = id;
    }
    return found;
  }

  async #hash(send: Send, id: string, names?: readonly string[]) {
    const key = this.sessionKey(id);
    if (names === undefined) return pairsOfHash(await send(key, "HGETALL", [key]));
    const all = ownAnd(names);
    return pairsOf(all, await send(key, "HMGET", [key, ...all]));
  }

  async change(id: string, change: Change): Promise<Changed> {
    const reply = await this.#server.write("change a session", "change", this.sessionKey(id), [
      id,
      whereArgument(change.where),
      optional(change.idleTimeout),
      ...rotationArguments(change.rotation),
      ...fieldChanges(change),
    ]);
    return changedOf(reply);
  }

  async command(id: string, command: Command): Promise<Commanded> {
    const args = [id, ...commandArguments(command)];
    const key = this.sessionKey(id);
    return commandedOf(await this.#server.write("change a session", "command", key, args));
  }

  async end(id: string, options: EndOptions = {}): Promise<string | null> {
    const { byName = false, reference, tombstone, replicas } = options;
    const [, lineage] = await this.#server.write(
      "end a session",
      "end",
      this.sessionKey(id),
      [
        id,
        byName ? "1" : "",
        whereArgument(reference),
        String(tombstone?.stays ?? 0),
        tombstone?.lineage ?? "",
        replicas === undefined ? "" : "1",
      ],
      { replicas },
    );
    return lineage === "" ? null : String(lineage);
  }

  async count(reference: Reference): Promise<number> {
    const counts = await this.#eachShard(async (shard) => {
      const [, count, alike] = await this.#server.read(
        "count a session set",
        "count",
        this.#keys.set(shard, reference),
        [lookalikeName(reference)],
      );
      return [Number(count), Number(alike)] as const;
    });
    const count = sum(counts.map(([own]) => own));
    if (count === 0 && counts.some(([, alike]) => alike > 0)) reference.lookalike?.tell();
    return count;
  }

  async has(reference: Reference, id: string): Promise<boolean> {
    const [, has] = await this.#server.read("look into a session set", "has", this.sessionKey(id), [
      id,
      setName(reference),
    ]);
    return Number(has) === 1;
  }

  async list(
    reference: Reference,
    { limit, order, after = null }: ListOptions,
  ): Promise<StoredSession[]> {
    const byDeadlines = order === "deadline";
    const place = [after ? String(after.expiresAt) : "", after?.id ?? ""];
    const lists = await this.#eachShard(async (shard) => {
      const [, sessions, alike] = await this.#server.read(
        "list a session set",
        byDeadlines ? "listByDeadline" : "list",
        this.#keys.set(shard, reference),
        [
          setName(reference),
          String(limit),
          ...(byDeadlines ? place : []),
          after ? "" : lookalikeName(reference),
        ],
      );
      return [sessionsOf(sessions), Number(alike)] as const;
    });
    const all = lists.flatMap(([sessions]) => sessions);
    if (all.length === 0 && lists.some(([, alike]) => alike > 0)) reference.lookalike?.tell();
    return all.sort(byDeadlines ? byDeadline : byLastSeen).slice(0, limit);
  }

  pages(reference: Reference, withFields: boolean): AsyncGenerator<StoredSession[]> {
    return pagesOf(this.#server, this.#keys, this.#allShards(), reference, withFields);
  }

  async changeAll(reference: Reference, changes: FieldChanges): Promise<number> {
    const args = fieldChanges(changes);
    const operation = randomBytes(6).toString("base64url");
    const counts = await this.#eachShard(async (shard) => {
      const changed = new Set<string>();
      let cursor = ["", ""];
      do {
        const [word, ...rest] = await this.#server.write(
          "change a session set",
          "changeAll",
          this.#keys.set(shard, reference),
          [
            setName(reference),
            operation,
            ...cursor,
            String(PAGE_SESSIONS),
            String(PAGE_KEYS),
            ...args,
          ],
        );
        if (word === "too-large") throw tooLarge(Number(rest[0]), changes.maxBytes, OF_PAGES);
        if (word === "too-many") throw tooManyReferences(Number(rest[0]), { written: OF_PAGES });
        cursor = [String(rest[0]), String(rest[1])];
        for (const birth of rest[2] as string[]) changed.add(birth);
      } while (cursor[0] !== "");
      return changed.size;
    });
    return sum(counts);
  }

  async endAll(reference: Reference, options: EndAllOptions = {}): Promise<number> {
    const { except = null, replicas } = options;
    let alike = 0;
    let empty = true;
    const counts = await this.#eachShard(async (shard) => {
      const ended = new Set<string>();
      let spared = [except !== null && shardOf(except) === shard ? except : "", ""];
      let left: number;
      do {
        const [, births, rest, now, created, others] = await this.#server.write(
          "end a session set",
          "endAll",
          this.#keys.set(shard, reference),
          [
            setName(reference),
            ...spared,
            String(PAGE_KEYS),
            replicas === undefined ? "" : "1",
            lookalikeName(reference),
          ],
          { replicas, waits: isLastPage },
        );
        for (const birth of births as string[]) ended.add(birth);
        left = Number(rest);
        spared = [String(now), String(created)];
        if (Number(others) >= 0) alike += Number(others);
        else empty = false; // also where it has but the one that is spared
      } while (left !== 0);
      return ended.size;
    });
    if (empty && alike > 0) reference.lookalike?.tell();
    return sum(counts);
  }

  reindex(references: readonly DeclaredReference[], options: RepairOptions) {
    return reindex(this.#server, this.#keys, this.#place, references, options);
  }

  walk(withFields: boolean): AsyncGenerator<StoredSession[], void> {
    const keys = new ShardKeys(this.#server, this.#keys, this.#place);
    const walk = new Walk(keys, positionOf(null, this.shards));
    return allSessions(walk, (id) => this.find(id, withFields ? {} : { names: [] }));
  }

  sessionKey(id: string): string {
    return this.#keys.session(id);
  }

  setKey(reference: Reference): string {
    return this.#keys.publicSet(reference);
  }

  async close(): Promise<void> {
    this.#server.close(); // the client is the caller's
  }

  get #place(): Place {
    return { shards: this.shards, cluster: this.#cluster };
  }

  #allShards(): number[] {
    return Array.from({ length: this.shards }, (_, shard) => shard);
  }

  #eachShard<T>(work: (shard: number) => Promise<T>): Promise<T[]> {
    return settled(this.#allShards().map(work));
  }
}

/** Of a set that is being ended: nothing is left of it. */
function isLastPage([, , left]: Reply): boolean {
  return Number(left) === 0;
}

function lookalikeName({ lookalike, ...reference }: Reference): string {
  return lookalike ? setName({ ...reference, text: lookalike.text }) : "";
}

function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0);
}
