import { randomBytes } from "node:crypto";
import { performance } from "node:perf_hooks";
import { waitForAll } from "../../shared/wait-for-all.ts";
import type { Command, Commanded, CommandStore } from "../commanding.ts";
import type {
  Change,
  Changed,
  Created,
  EndAllOptions,
  EndOptions,
  FieldChanges,
  FindOptions,
  Lookup,
  NewSession,
  Reference,
  SignedIn,
  SignIn,
  StoredSession,
  TrimOptions,
} from "../contract.ts";
import type { Refused } from "../entering.ts";
import type { FeedListener, FeedStore } from "../feed.ts";
import type { IterableStore } from "../iterating.ts";
import { byDeadline, byLastSeen, type ListOptions, type PageOptions } from "../listing.ts";
import type { DeclaredReference, ReindexableStore, StoreReindexOptions } from "../reindexing.ts";
import { Feed } from "./feed/feed.ts";
import {
  decodeChanged,
  decodeCommanded,
  decodeLookup,
  decodeRefused,
  decodeSessions,
  decodeSignedIn,
  decodeTimes,
  type Postponed,
} from "./layout/decode.ts";
import {
  encodeCause,
  encodeCommand,
  encodeFieldChanges,
  encodeLimits,
  encodeList,
  encodeNames,
  encodeOptional,
  encodeRotation,
  encodeWhere,
} from "./layout/encode.ts";
import {
  encodeLookalikeName,
  encodeName,
  encodeSetName,
  encodeSetNames,
  type Keys,
} from "./layout/keys.ts";
import {
  dropLimits,
  type EncodeBounds,
  type Entry,
  enterWithinLimits,
  type LimitedStore,
  sum,
  trim,
} from "./limits.ts";
import { changeWithinLimits } from "./limits-of-all.ts";
import { findByName, followAliases } from "./lookups.ts";
import { changePages, readPages } from "./pages.ts";
import { iterateSessions } from "./reindex/all-sessions.ts";
import { reindex } from "./reindex/reindex.ts";
import { KeyScan, ShardKeys } from "./reindex/scan.ts";
import { decodeCursor, type ScanScope } from "./reindex/scan-cursor.ts";
import { Executor } from "./scripts/executor.ts";
import { endShard } from "./set-endings.ts";
import type { Connection } from "./wire/connection.ts";

/** The most shards that `create` tries while slots of a cluster are moving. */
const MAX_SHARDS_TRIED = 8;

/** Fulfils the store's contract with scripts and plain reads. */
export class RedisStore implements CommandStore, FeedStore, IterableStore, ReindexableStore {
  readonly shards: number;
  readonly #executor: Executor;
  readonly #feed: Feed;
  readonly #keys: Keys;
  readonly #cluster: boolean;
  readonly #timeout: number;

  constructor(connection: Connection, keys: Keys, shards: number, timeout: number) {
    this.shards = shards;
    this.#cluster = connection.cluster;
    this.#keys = keys;
    this.#timeout = timeout;
    this.#executor = new Executor(connection, timeout);
    this.#feed = new Feed(connection, this.#executor, keys, timeout);
  }

  async create(session: NewSession, createIdElsewhere?: () => string): Promise<Created | Refused> {
    return this.#enter<Created | Refused>({
      references: session.references,
      enter: (references, encodeBounds) =>
        this.#create({ ...session, references }, encodeBounds, createIdElsewhere),
      hasEntered: (answer) => answer.state === "created",
    });
  }

  async #create(
    session: NewSession,
    encodeBounds: EncodeBounds,
    createIdElsewhere?: () => string,
  ): Promise<Created | Refused | Postponed> {
    const { fields, references, idleTimeout, absoluteTimeout, asOf } = session;
    const args = [
      encodeOptional(idleTimeout),
      encodeOptional(absoluteTimeout),
      references.flatMap(encodeSetNames).join(" "),
      encodeOptional(asOf),
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
        const limits = encodeLimits(references, encodeBounds(this.#keys.findShard(id)));
        return { id, key: this.sessionKey(id), args: [id, ...args, ...limits] };
      },
    );
    return decodeRefused(reply) ?? { state: "created", id: target.id, ...decodeTimes(reply[1]) };
  }

  async signIn(id: string, session: SignIn): Promise<SignedIn> {
    return this.#enter<SignedIn>({
      references: session.references,
      leaving: session.leaving,
      enter: (references, encodeBounds) =>
        this.#signIn(id, { ...session, references }, encodeBounds(this.#keys.findShard(id))),
      hasEntered: (answer) => answer.state === "signed-in",
    });
  }

  async #signIn(
    id: string,
    session: SignIn,
    bounds: readonly string[],
  ): Promise<SignedIn | Postponed> {
    const { fields: set, references, maxBytes, keep, leaving = [] } = session;
    const reply = await this.#executor.write("sign in", "signIn", this.sessionKey(id), [
      id,
      session.id,
      encodeOptional(session.idleTimeout),
      encodeOptional(session.absoluteTimeout),
      String(session.tombstone),
      encodeNames(session.identity),
      encodeOptional(session.asOf),
      encodeCause(session.cause),
      leaving.join(" "),
      ...encodeList(keep.flatMap((name) => [name, encodeName(name)])),
      ...encodeFieldChanges({ set, unset: [], references, maxBytes }, bounds),
    ]);
    return decodeSignedIn(reply);
  }

  async find(id: string, { names, byName = false }: FindOptions = {}): Promise<Lookup> {
    const asked = performance.now();
    const found = await this.#executor.runCommands("read a session", this.sessionKey(id), (send) =>
      byName ? findByName(send, this.#keys, id, names) : followAliases(send, this.#keys, id, names),
    );
    return decodeLookup(found, () => this.#executor.estimateTime(this.sessionKey(id), asked));
  }

  async change(id: string, change: Change): Promise<Changed> {
    const { references, rotation } = change;
    return this.#enter<Changed>({
      references,
      from: id,
      stays: true,
      identity: rotation?.when === "credentials" ? [] : (rotation?.identity ?? []),
      leaving: rotation?.leaving,
      enter: (given, encodeBounds) =>
        this.#change(id, { ...change, references: given }, encodeBounds(this.#keys.findShard(id))),
      hasEntered: (answer) => answer.state === "changed",
    });
  }

  async #change(
    id: string,
    change: Change,
    bounds: readonly string[],
  ): Promise<Changed | Postponed> {
    const reply = await this.#executor.write("change a session", "change", this.sessionKey(id), [
      id,
      encodeWhere(change.where),
      encodeOptional(change.idleTimeout),
      ...encodeRotation(change.rotation),
      ...encodeFieldChanges(change, bounds),
    ]);
    return decodeChanged(reply);
  }

  async command(id: string, command: Command): Promise<Commanded> {
    const key = this.sessionKey(id);
    return this.#enter<Commanded>({
      references: command.references,
      from: id,
      stays: true,
      enter: async (references, encodeBounds) => {
        const bounds = encodeBounds(this.#keys.findShard(id));
        const args = [id, ...encodeCommand({ ...command, references }, bounds)];
        const reply = await this.#executor.write("change a session", "command", key, args);
        return decodeCommanded(reply);
      },
      hasEntered: (answer) => answer.state === "changed",
    });
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
        encodeCause(cause),
      ],
      { replicas },
    );
    return lineage === "" ? null : String(lineage);
  }

  async count(reference: Reference): Promise<number> {
    const counts = await this.#countEach(reference, encodeLookalikeName(reference));
    const count = sum(counts.map(([own]) => own));
    if (count === 0 && counts.some(([, alike]) => alike > 0)) reference.lookalike?.onFound();
    return count;
  }

  /** For each shard: how many sessions have the value, and how many have the one that looks alike. */
  #countEach(reference: Reference, lookalike: string): Promise<(readonly [number, number])[]> {
    return this.#forEachShard(async (shard) => {
      const [, count, alike] = await this.#executor.read(
        "count a session set",
        "count",
        this.#keys.deriveSetKey(shard, reference),
        [lookalike],
      );
      return [Number(count), Number(alike)] as const;
    });
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
    return readPages(this.#executor, this.#keys, this.shards, reference, options);
  }

  async changeAll(reference: Reference, changes: FieldChanges): Promise<number> {
    const references = this.shards === 1 ? changes.references : dropLimits(changes.references);
    const operation = randomBytes(6).toString("base64url");
    const given = { ...changes, references };
    return changeWithinLimits(this.#limited, reference, changes.references, async () => {
      const counts = await this.#forEachShard((shard) =>
        changePages(this.#executor, this.#keys, shard, reference, given, operation),
      );
      return sum(counts);
    });
  }

  async endAll(reference: Reference, options: EndAllOptions = {}): Promise<number> {
    const shards = await this.#forEachShard((shard) =>
      endShard(this.#limited, shard, reference, options),
    );
    const found = shards.every(({ isEmpty }) => isEmpty) && shards.some(({ alike }) => alike > 0);
    if (found) reference.lookalike?.onFound();
    return sum(shards.map(({ ended }) => ended));
  }

  async trim(reference: Reference, keep: number, options: TrimOptions = {}): Promise<number> {
    return trim(this.#limited, reference, keep, options);
  }

  /** Lets a session into sets. Those without limits have room for it. */
  #enter<Answer extends { readonly state: string }>(entry: Entry<Answer>): Promise<Answer> {
    return enterWithinLimits(this.#limited, entry);
  }

  get #limited(): LimitedStore {
    return {
      shards: this.shards,
      timeout: this.#timeout,
      executor: this.#executor,
      keys: this.#keys,
      countEach: async (reference) => {
        const counts = await this.#countEach(reference, "");
        return counts.map(([own]) => own);
      },
    };
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
