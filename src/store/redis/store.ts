import { randomBytes } from "node:crypto";
import { performance } from "node:perf_hooks";
import { createTooLargeError, createTooManyReferencesError } from "../../shared/errors.ts";
import { waitForAll } from "../../shared/wait-for-all.ts";
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
  MAX_PAGE_SESSIONS,
  MAX_RENEWALS,
  type NewSession,
  type PageOptions,
  type Reference,
  type SignedIn,
  type SignIn,
  type StoredSession,
} from "../contract.ts";
import type { FeedListener, FeedStore } from "../feed.ts";
import type { IterableStore } from "../iterating.ts";
import { byDeadline, byLastSeen } from "../list-order.ts";
import type { DeclaredReference, ReindexableStore, StoreReindexOptions } from "../reindexing.ts";
import { decodeShard } from "../shards.ts";
import { Feed } from "./feed/feed.ts";
import {
  decodeChanged,
  decodeCommanded,
  decodeHash,
  decodeLookup,
  decodePairs,
  decodeSessions,
  decodeSignedIn,
  decodeTimes,
  type Hash,
  isSession,
  prependOwnFields,
  readTarget,
} from "./layout/decode.ts";
import {
  encodeCause,
  encodeCommand,
  encodeFieldChanges,
  encodeList,
  encodeNames,
  encodeOptional,
  encodeRotation,
  encodeWhere,
} from "./layout/encode.ts";
import { encodeName, encodeSetName, encodeSetNames, type Keys } from "./layout/keys.ts";
import { MAX_PAGE_KEYS, readPages } from "./pages.ts";
import { iterateSessions } from "./reindex/all-sessions.ts";
import { reindex } from "./reindex/reindex.ts";
import { KeyScan, ShardKeys } from "./reindex/scan.ts";
import { decodeCursor, type ScanScope } from "./reindex/scan-cursor.ts";
import { Executor, type Reply } from "./scripts/executor.ts";
import type { Connection } from "./wire/connection.ts";

type Send = Connection["send"];

/** The most shards that `create` tries while slots of a cluster are moving. */
const MAX_SHARDS_TRIED = 8;
/** What has been written if a session of the set is refused. */
const WRITTEN_BY_PAGES = "its page of the set is as it was, and other pages may have been changed";

/** Fulfils the store's contract with scripts and plain reads. */
export class RedisStore implements CommandStore, FeedStore, IterableStore, ReindexableStore {
  readonly shards: number;
  readonly #executor: Executor;
  readonly #feed: Feed;
  readonly #keys: Keys;
  readonly #cluster: boolean;

  constructor(connection: Connection, keys: Keys, shards: number, timeout: number) {
    this.shards = shards;
    this.#cluster = connection.cluster;
    this.#keys = keys;
    this.#executor = new Executor(connection, timeout);
    this.#feed = new Feed(connection, this.#executor, keys, timeout);
  }

  async create(session: NewSession, createIdElsewhere?: () => string): Promise<Created> {
    const { fields, references, idleTimeout, absoluteTimeout } = session;
    const args = [
      encodeOptional(idleTimeout),
      encodeOptional(absoluteTimeout),
      references.flatMap(encodeSetNames).join(" "),
      ...encodeList([...fields].flat()),
    ];
    const ids = [session.id];
    const { target, reply } = await this.#executor.writeAnywhere(
      "create a session",
      "create",
      (n) => {
        const maxTries = createIdElsewhere && this.shards > 1 ? MAX_SHARDS_TRIED : 1;
        if (n >= maxTries) return null;
        const id = ids[n] ?? (createIdElsewhere?.() as string);
        ids[n] = id;
        return { id, key: this.sessionKey(id), args: [id, ...args] };
      },
    );
    return { id: target.id, ...decodeTimes(reply[1]) };
  }

  async signIn(id: string, session: SignIn): Promise<SignedIn> {
    const { fields: set, references, maxBytes, keep } = session;
    const reply = await this.#executor.write("sign in", "signIn", this.sessionKey(id), [
      id,
      session.id,
      encodeOptional(session.idleTimeout),
      encodeOptional(session.absoluteTimeout),
      String(session.tombstone),
      encodeNames(session.identity),
      encodeCause(session.cause),
      ...encodeList(keep.flatMap((name) => [name, encodeName(name)])),
      ...encodeFieldChanges({ set, unset: [], references, maxBytes }),
    ]);
    return decodeSignedIn(reply);
  }

  async find(id: string, { names, byName = false }: FindOptions = {}): Promise<Lookup> {
    const asked = performance.now();
    const found = await this.#executor.runCommands("read a session", this.sessionKey(id), (send) =>
      byName ? this.#findByName(send, id, names) : this.#followAliases(send, id, names),
    );
    return decodeLookup(found, () => this.#executor.estimateTime(this.sessionKey(id), asked));
  }

  async #followAliases(
    send: Send,
    id: string,
    names?: readonly string[],
    maxHops = MAX_HOPS,
  ): Promise<Hash> {
    for (let at = id, hop = 0; ; hop++) {
      const found = { id: at, pairs: await this.#readHash(send, at, names) };
      const target = readTarget(found);
      if (target === undefined || hop === maxHops) return found;
      at = target;
    }
  }

  async #findByName(send: Send, name: string, names?: readonly string[]): Promise<Hash> {
    const pointer = this.#keys.derivePointerKey(name);
    let found = await this.#followAliases(send, name, names, MAX_RENEWALS);
    // A rotation after the pointer was read leaves a new pointer: the session isn't gone.
    for (let last: unknown = null; !isSession(found); ) {
      const id = await send(pointer, "GET", [pointer]);
      if (typeof id !== "string" || id === last) break;
      found = await this.#followAliases(send, id, names, MAX_RENEWALS);
      last = id;
    }
    return found;
  }

  async #readHash(send: Send, id: string, names?: readonly string[]) {
    const key = this.sessionKey(id);
    if (names === undefined) return decodeHash(await send(key, "HGETALL", [key]));
    const all = prependOwnFields(names);
    return decodePairs(all, await send(key, "HMGET", [key, ...all]));
  }

  async change(id: string, change: Change): Promise<Changed> {
    const reply = await this.#executor.write("change a session", "change", this.sessionKey(id), [
      id,
      encodeWhere(change.where),
      encodeOptional(change.idleTimeout),
      ...encodeRotation(change.rotation),
      ...encodeFieldChanges(change),
    ]);
    return decodeChanged(reply);
  }

  async command(id: string, command: Command): Promise<Commanded> {
    const args = [id, ...encodeCommand(command)];
    const key = this.sessionKey(id);
    return decodeCommanded(await this.#executor.write("change a session", "command", key, args));
  }

  async end(id: string, options: EndOptions = {}): Promise<string | null> {
    const { byName = false, reference, tombstone, replicas, cause } = options;
    const [, lineage] = await this.#executor.write(
      "end a session",
      "end",
      this.sessionKey(id),
      [
        id,
        byName ? "1" : "",
        encodeWhere(reference),
        String(tombstone?.stays ?? 0),
        tombstone?.lineage ?? "",
        replicas === undefined ? "" : "1",
        "delete",
        encodeCause(cause),
      ],
      { replicas },
    );
    return lineage === "" ? null : String(lineage);
  }

  async count(reference: Reference): Promise<number> {
    const counts = await this.#forEachShard(async (shard) => {
      const [, count, alike] = await this.#executor.read(
        "count a session set",
        "count",
        this.#keys.deriveSetKey(shard, reference),
        [encodeLookalikeName(reference)],
      );
      return [Number(count), Number(alike)] as const;
    });
    const count = sum(counts.map(([own]) => own));
    if (count === 0 && counts.some(([, alike]) => alike > 0)) reference.lookalike?.onFound();
    return count;
  }

  async has(reference: Reference, id: string): Promise<boolean> {
    const [, has] = await this.#executor.read(
      "look into a session set",
      "has",
      this.sessionKey(id),
      [id, encodeSetName(reference)],
    );
    return Number(has) === 1;
  }

  async list(
    reference: Reference,
    { limit, order, after = null }: ListOptions,
  ): Promise<StoredSession[]> {
    const byDeadlines = order === "deadline";
    const place = [after ? String(after.expiresAt) : "", after?.id ?? ""];
    const lists = await this.#forEachShard(async (shard) => {
      const [, sessions, alike] = await this.#executor.read(
        "list a session set",
        byDeadlines ? "listByDeadline" : "list",
        this.#keys.deriveSetKey(shard, reference),
        [
          encodeSetName(reference),
          String(limit),
          ...(byDeadlines ? place : []),
          after ? "" : encodeLookalikeName(reference),
        ],
      );
      return [decodeSessions(sessions), Number(alike)] as const;
    });
    const all = lists.flatMap(([sessions]) => sessions);
    if (all.length === 0 && lists.some(([, alike]) => alike > 0)) reference.lookalike?.onFound();
    return all.sort(byDeadlines ? byDeadline : byLastSeen).slice(0, limit);
  }

  pages(reference: Reference, options: PageOptions = {}): AsyncGenerator<StoredSession[]> {
    return readPages(this.#executor, this.#keys, this.#listShards(), reference, options);
  }

  async changeAll(reference: Reference, changes: FieldChanges): Promise<number> {
    const args = encodeFieldChanges(changes);
    const operation = randomBytes(6).toString("base64url");
    const counts = await this.#forEachShard(async (shard) => {
      const changed = new Set<string>();
      let cursor = ["", ""];
      do {
        const [word, ...rest] = await this.#executor.write(
          "change a session set",
          "changeAll",
          this.#keys.deriveSetKey(shard, reference),
          [
            encodeSetName(reference),
            operation,
            ...cursor,
            String(MAX_PAGE_SESSIONS),
            String(MAX_PAGE_KEYS),
            ...args,
          ],
        );
        if (word === "too-large")
          throw createTooLargeError(Number(rest[0]), changes.maxBytes, WRITTEN_BY_PAGES);
        if (word === "too-many")
          throw createTooManyReferencesError(Number(rest[0]), { written: WRITTEN_BY_PAGES });
        cursor = [String(rest[0]), String(rest[1])];
        for (const birth of rest[2] as string[]) changed.add(birth);
      } while (cursor[0] !== "");
      return changed.size;
    });
    return sum(counts);
  }

  async endAll(reference: Reference, options: EndAllOptions = {}): Promise<number> {
    const { except = null, replicas, cause } = options;
    let alike = 0;
    let empty = true;
    const counts = await this.#forEachShard(async (shard) => {
      const ended = new Set<string>();
      let spared = [except !== null && decodeShard(except) === shard ? except : "", ""];
      let left: number;
      do {
        const [, births, rest, now, created, others] = await this.#executor.write(
          "end a session set",
          "endAll",
          this.#keys.deriveSetKey(shard, reference),
          [
            encodeSetName(reference),
            ...spared,
            String(MAX_PAGE_KEYS),
            replicas === undefined ? "" : "1",
            encodeLookalikeName(reference),
            encodeCause(cause),
          ],
          { replicas, isAwaited: isLastPage },
        );
        for (const birth of births as string[]) ended.add(birth);
        left = Number(rest);
        spared = [String(now), String(created)];
        if (Number(others) >= 0) alike += Number(others);
        else empty = false; // even if only the spared session is left
      } while (left !== 0);
      return ended.size;
    });
    if (empty && alike > 0) reference.lookalike?.onFound();
    return sum(counts);
  }

  reindex(references: readonly DeclaredReference[], options: StoreReindexOptions) {
    return reindex(this.#executor, this.#keys, this.#scanScope, references, options);
  }

  iterate({ withFields = false }: PageOptions = {}): AsyncGenerator<StoredSession[], void> {
    const keys = new ShardKeys(this.#executor, this.#keys, this.#scanScope);
    const scan = new KeyScan(keys, decodeCursor(null, this.shards));
    return iterateSessions(scan, (id) => this.find(id, withFields ? {} : { names: [] }));
  }

  subscribe(id: string | null, listener: FeedListener): Promise<() => Promise<void>> {
    const shards = id === null ? this.#listShards() : [this.#keys.findShard(id)];
    return this.#feed.subscribe(shards, listener);
  }

  sessionKey(id: string): string {
    return this.#keys.deriveSessionKey(id);
  }

  setKey(reference: Reference): string {
    return this.#keys.derivePublicSetKey(reference);
  }

  async close(): Promise<void> {
    this.#executor.close(); // the client is the caller's
    this.#feed.close();
  }

  get #scanScope(): ScanScope {
    return { shards: this.shards, cluster: this.#cluster };
  }

  #listShards(): number[] {
    return Array.from({ length: this.shards }, (_, shard) => shard);
  }

  #forEachShard<T>(work: (shard: number) => Promise<T>): Promise<T[]> {
    return waitForAll(this.#listShards().map(work));
  }
}

/** Whether the set is empty after this page of `endAll`. */
function isLastPage([, , left]: Reply): boolean {
  return Number(left) === 0;
}

function encodeLookalikeName({ lookalike, ...reference }: Reference): string {
  return lookalike ? encodeSetName({ ...reference, text: lookalike.text }) : "";
}

function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0);
}
