import { randomBytes } from "node:crypto";
import { performance } from "node:perf_hooks";
import {
  createLimitError,
  createTooLargeError,
  createTooManyReferencesError,
} from "../../shared/errors.ts";
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
  type Full,
  type ListOptions,
  type Lookup,
  MAX_HOPS,
  MAX_RENEWALS,
  type NewSession,
  type Reference,
  type Refused,
  type SignedIn,
  type SignIn,
  type StoredSession,
  type TrimOptions,
} from "../contract.ts";
import type { IterableStore } from "../iterating.ts";
import { byDeadline, byLastSeen } from "../list-order.ts";
import type { DeclaredReference, ReindexableStore, StoreReindexOptions } from "../reindexing.ts";
import { decodeShard } from "../shards.ts";
import {
  decodeChanged,
  decodeCommanded,
  decodeHash,
  decodeLookup,
  decodePairs,
  decodeRefused,
  decodeSessions,
  decodeSignedIn,
  decodeTimes,
  type Hash,
  isSession,
  prependOwnFields,
  readTarget,
} from "./layout/decode.ts";
import {
  commandArguments,
  encodeFieldChanges,
  encodeLimits,
  encodeList,
  encodeNames,
  encodeOptional,
  encodeRotation,
  whereArgument,
} from "./layout/encode.ts";
import { encodeName, encodeSetName, encodeSetNames, type Keys } from "./layout/keys.ts";
import {
  checkLimitsOfAll,
  dropLimits,
  type Entry,
  enterWithinLimits,
  type LimitedStore,
  trim,
} from "./limits.ts";
import { listByAge, MAX_PAGE_KEYS, MAX_PAGE_SESSIONS, readPages, toAge } from "./pages.ts";
import { iterateSessions } from "./reindex/all-sessions.ts";
import { reindex } from "./reindex/reindex.ts";
import { KeyScan, ShardKeys } from "./reindex/scan.ts";
import { decodeCursor, type ScanScope } from "./reindex/scan-cursor.ts";
import { Executor, type Reply } from "./scripts/executor.ts";
import type { Connection } from "./wire/connection.ts";

type Send = Connection["send"];

/** In how many shards a new session is tried, while slots of a cluster are moving. */
const MAX_SHARDS_TRIED = 8;
/** What is written of a set where one of its sessions is refused. */
const WRITTEN_BY_PAGES = "its page of the set is as it was, and other pages may have been changed";

/** The store's contract by scripts and plain reads. */
export class RedisStore implements CommandStore, ReindexableStore, IterableStore {
  readonly shards: number;
  readonly #executor: Executor;
  readonly #keys: Keys;
  readonly #cluster: boolean;

  constructor(connection: Connection, keys: Keys, shards: number, timeout: number) {
    this.shards = shards;
    this.#cluster = connection.cluster;
    this.#keys = keys;
    this.#executor = new Executor(connection, timeout);
  }

  async create(session: NewSession, elsewhere?: () => string): Promise<Created | Refused> {
    return this.#enter({
      references: session.references,
      ids: [session.id],
      enter: (references) => this.#create({ ...session, references }, elsewhere),
      toLineage: (answer) => (answer.state === "created" ? answer.id : null),
    });
  }

  async #create(session: NewSession, elsewhere?: () => string): Promise<Created | Refused> {
    const { fields, references, idleTimeout, absoluteTimeout, asOf } = session;
    const args = [
      encodeOptional(idleTimeout),
      encodeOptional(absoluteTimeout),
      references.flatMap(encodeSetNames).join(" "),
      encodeOptional(asOf),
      ...encodeList([...fields].flat()),
      ...encodeLimits(references),
    ];
    const ids = [session.id];
    const { target, reply } = await this.#executor.writeAnywhere(
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
    return decodeRefused(reply) ?? { state: "created", id: target.id, ...decodeTimes(reply[1]) };
  }

  async signIn(id: string, session: SignIn): Promise<SignedIn> {
    return this.#enter({
      references: session.references,
      ids: [id, session.id],
      enter: (references) => this.#signIn(id, { ...session, references }),
      toLineage: (answer) => (answer.state === "signed-in" ? session.id : null),
    });
  }

  async #signIn(id: string, session: SignIn): Promise<SignedIn> {
    const { fields: set, references, maxBytes, keep } = session;
    const reply = await this.#executor.write("sign in", "signIn", this.sessionKey(id), [
      id,
      session.id,
      encodeOptional(session.idleTimeout),
      encodeOptional(session.absoluteTimeout),
      String(session.tombstone),
      encodeNames(session.identity),
      encodeOptional(session.asOf),
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
    hops = MAX_HOPS,
  ): Promise<Hash> {
    for (let at = id, hop = 0; ; hop++) {
      const found = { id: at, pairs: await this.#readHash(send, at, names) };
      const target = readTarget(found);
      if (target === undefined || hop === hops) return found;
      at = target;
    }
  }

  async #findByName(send: Send, name: string, names?: readonly string[]): Promise<Hash> {
    const pointer = this.#keys.lineage(name);
    let found = await this.#followAliases(send, name, names, MAX_RENEWALS);
    // A session that is rotated once its pointer was read is pointed to anew: it is not gone.
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
    return this.#enter({
      references: change.references,
      ids: change.rotation ? [id, change.rotation.to] : [id],
      stays: true,
      enter: (references) => this.#change(id, { ...change, references }),
      toLineage: (answer) => (answer.state === "changed" ? answer.lineage : null),
    });
  }

  async #change(id: string, change: Change): Promise<Changed> {
    const reply = await this.#executor.write("change a session", "change", this.sessionKey(id), [
      id,
      whereArgument(change.where),
      encodeOptional(change.idleTimeout),
      ...encodeRotation(change.rotation),
      ...encodeFieldChanges(change),
    ]);
    return decodeChanged(reply);
  }

  async command(id: string, command: Command): Promise<Commanded> {
    const key = this.sessionKey(id);
    return this.#enter({
      references: command.references,
      ids: command.merge ? [id, command.merge.to] : [id],
      stays: true,
      enter: async (references) => {
        const args = [id, ...commandArguments({ ...command, references })];
        return decodeCommanded(
          await this.#executor.write("change a session", "command", key, args),
        );
      },
      toLineage: (answer) => (answer.state === "changed" ? answer.lineage : null),
    });
  }

  async end(id: string, options: EndOptions = {}): Promise<string | null> {
    const { byName = false, reference, tombstone, replicas } = options;
    const [, lineage] = await this.#executor.write(
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
    const counts = await this.#forEachShard(async (shard) => {
      const [, count, alike] = await this.#executor.read(
        "count a session set",
        "count",
        this.#keys.set(shard, reference),
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
        this.#keys.set(shard, reference),
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

  pages(reference: Reference, withFields: boolean): AsyncGenerator<StoredSession[]> {
    return readPages(this.#executor, this.#keys, this.#listShards(), reference, withFields);
  }

  async changeAll(reference: Reference, changes: FieldChanges): Promise<number> {
    await checkLimitsOfAll(this.#limited, reference, changes.references);
    const args = encodeFieldChanges(this.shards === 1 ? changes : dropLimits(changes));
    const operation = randomBytes(6).toString("base64url");
    const counts = await this.#forEachShard(async (shard) => {
      const changed = new Set<string>();
      let cursor = ["", ""];
      do {
        const [word, ...rest] = await this.#executor.write(
          "change a session set",
          "changeAll",
          this.#keys.set(shard, reference),
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
        if (word === "full")
          throw createLimitError(String(rest[0]), Number(rest[1]), WRITTEN_BY_PAGES);
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
    const { except = null, replicas } = options;
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
          this.#keys.set(shard, reference),
          [
            encodeSetName(reference),
            ...spared,
            String(MAX_PAGE_KEYS),
            replicas === undefined ? "" : "1",
            encodeLookalikeName(reference),
          ],
          { replicas, isAwaited: isLastPage },
        );
        for (const birth of births as string[]) ended.add(birth);
        left = Number(rest);
        spared = [String(now), String(created)];
        if (Number(others) >= 0) alike += Number(others);
        else empty = false; // also where it has but the one that is spared
      } while (left !== 0);
      return ended.size;
    });
    if (empty && alike > 0) reference.lookalike?.onFound();
    return sum(counts);
  }

  async trim(reference: Reference, keep: number, options: TrimOptions = {}): Promise<number> {
    return trim(this.#limited, reference, keep, options);
  }

  /** Lets a session into sets: on one shard the script itself sees to limits. */
  #enter<Answer>(entry: Entry<Answer>): Promise<Answer | Full> {
    if (this.shards === 1 || entry.references.every(({ limit }) => !limit)) {
      return entry.enter(entry.references);
    }
    return enterWithinLimits(this.#limited, entry);
  }

  get #limited(): LimitedStore {
    return {
      count: (reference) => this.count(reference),
      has: (reference, id) => this.has(reference, id),
      end: (id, options) => this.end(id, options),
      listByAge: (reference) =>
        listByAge(this.#executor, this.#keys, this.#listShards(), reference),
      readAge: async (id) => {
        const found = await this.#executor.runCommands(
          "read a session",
          this.sessionKey(id),
          (send) => this.#findByName(send, id, []),
        );
        return isSession(found) ? toAge(found.id, found.pairs) : null;
      },
    };
  }

  reindex(references: readonly DeclaredReference[], options: StoreReindexOptions) {
    return reindex(this.#executor, this.#keys, this.#scanScope, references, options);
  }

  iterate(withFields: boolean): AsyncGenerator<StoredSession[], void> {
    const keys = new ShardKeys(this.#executor, this.#keys, this.#scanScope);
    const scan = new KeyScan(keys, decodeCursor(null, this.shards));
    return iterateSessions(scan, (id) => this.find(id, withFields ? {} : { names: [] }));
  }

  sessionKey(id: string): string {
    return this.#keys.session(id);
  }

  setKey(reference: Reference): string {
    return this.#keys.publicSet(reference);
  }

  async close(): Promise<void> {
    this.#executor.close(); // the client is the caller's
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

/** Of a set that is being ended: nothing is left of it. */
function isLastPage([, , left]: Reply): boolean {
  return Number(left) === 0;
}

function encodeLookalikeName({ lookalike, ...reference }: Reference): string {
  return lookalike ? encodeSetName({ ...reference, text: lookalike.text }) : "";
}

function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0);
}
