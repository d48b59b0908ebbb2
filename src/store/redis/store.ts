import { randomBytes } from "node:crypto";
import { waitForAll } from "../../shared/wait-for-all.ts";
import type { Command, Commanded, CommandStore } from "../commanding.ts";
import type {
  Change,
  Changed,
  Created,
  EndAllOptions,
  EndOptions,
  FieldChanges,
  FieldReferences,
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
import type { FeedListener, FeedStore, StoredEndingKind } from "../feed.ts";
import type { IterableStore } from "../iterating.ts";
import { byDeadline, byLastSeen, type ListOptions, type PageOptions } from "../listing.ts";
import type { DeclaredReference, ReindexableStore, StoreReindexOptions } from "../reindexing.ts";
import { decodeShard } from "../shards.ts";
import { countSet } from "./count.ts";
import { Feed } from "./feed/feed.ts";
import {
  decodeChanged,
  decodeCommanded,
  decodeRefused,
  decodeSessions,
  decodeSignedIn,
  decodeTimes,
} from "./layout/decode.ts";
import {
  encodeCause,
  encodeCommand,
  encodeFieldChanges,
  encodeFields,
  encodeLimits,
  encodeList,
  encodeLookalikeName,
  encodeNames,
  encodeOptional,
  encodeRotation,
  encodeWhere,
} from "./layout/encode.ts";
import { encodeName, encodeSetName, encodeSetNames, type Keys } from "./layout/keys.ts";
import {
  checkLimitsOfAll,
  createLimitedStore,
  dropLimits,
  enterWithinLimits,
  type LimitedStore,
  trim,
} from "./limits.ts";
import { find } from "./lookups.ts";
import { changePages, MAX_PAGE_KEYS, readPages } from "./pages.ts";
import { iterateSessions } from "./reindex/all-sessions.ts";
import { reindex } from "./reindex/reindex.ts";
import { KeyScan, ShardKeys } from "./reindex/scan.ts";
import { decodeCursor, type ScanScope } from "./reindex/scan-cursor.ts";
import { Executor, type Reply } from "./scripts/executor.ts";
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

  constructor(connection: Connection, keys: Keys, shards: number, timeout: number) {
    this.shards = shards;
    this.#cluster = connection.cluster;
    this.#keys = keys;
    this.#executor = new Executor(connection, timeout);
    this.#feed = new Feed(connection, this.#executor, keys, timeout);
  }

  create(session: NewSession, createIdElsewhere?: () => string): Promise<Created | Refused> {
    if (!this.#mustCount(session.references)) return this.#create(session, createIdElsewhere);
    return enterWithinLimits(this.#limited, {
      references: session.references,
      to: session.id,
      enter: (references) => this.#create({ ...session, references }, createIdElsewhere),
      toLineage: (answer) => (answer.state === "created" ? answer.id : null),
    });
  }

  #create(session: NewSession, createIdElsewhere?: () => string): Promise<Created | Refused> {
    const { fields, references, idleTimeout, absoluteTimeout, asOf } = session;
    const args = [
      encodeOptional(idleTimeout),
      encodeOptional(absoluteTimeout),
      references.flatMap(encodeSetNames).join(" "),
      encodeOptional(asOf),
      ...encodeFields(fields),
      ...encodeLimits(references),
    ];
    const ids = [session.id];
    return this.#executor.writeAnywhere(
      "create a session",
      "create",
      (n) => {
        const maxTries = createIdElsewhere && this.shards > 1 ? MAX_SHARDS_TRIED : 1;
        if (n >= maxTries) return null;
        const id = ids[n] ?? (createIdElsewhere?.() as string);
        ids[n] = id;
        return { id, key: this.sessionKey(id), args: [id, ...args] };
      },
      (reply, { id }) => decodeRefused(reply) ?? { state: "created", id, ...decodeTimes(reply[1]) },
    );
  }

  signIn(id: string, session: SignIn): Promise<SignedIn> {
    if (!this.#mustCount(session.references)) return this.#signIn(id, session);
    return enterWithinLimits(this.#limited, {
      references: session.references,
      from: id,
      to: session.id,
      enter: (references) => this.#signIn(id, { ...session, references }),
      toLineage: (answer) => (answer.state === "signed-in" ? session.id : null),
    });
  }

  #signIn(id: string, session: SignIn): Promise<SignedIn> {
    const { fields: set, references, maxBytes, keep } = session;
    const args = [
      id,
      session.id,
      encodeOptional(session.idleTimeout),
      encodeOptional(session.absoluteTimeout),
      String(session.tombstone),
      encodeNames(session.identity),
      encodeOptional(session.asOf),
      encodeCause(session.cause),
      ...encodeList(keep.flatMap((name) => [name, encodeName(name)])),
      ...encodeFieldChanges({ set, unset: [], references, maxBytes }),
    ];
    const key = this.sessionKey(id);
    return this.#executor.write("sign in", "signIn", key, args, {}, decodeSignedIn);
  }

  find(id: string, options: FindOptions = {}): Promise<Lookup> {
    return find(this.#executor, this.#keys, id, options);
  }

  change(id: string, change: Change): Promise<Changed> {
    if (!this.#mustCount(change.references)) return this.#change(id, change);
    return enterWithinLimits(this.#limited, {
      references: change.references,
      from: id,
      to: change.rotation?.to,
      stays: true,
      identity: change.rotation?.when === "credentials" ? [] : (change.rotation?.identity ?? []),
      enter: (references) => this.#change(id, { ...change, references }),
      toLineage: (answer) => (answer.state === "changed" ? answer.lineage : null),
    });
  }

  #change(id: string, change: Change): Promise<Changed> {
    const args = [
      id,
      encodeWhere(change.where),
      encodeOptional(change.idleTimeout),
      ...encodeRotation(change.rotation),
      ...encodeFieldChanges(change),
    ];
    const key = this.sessionKey(id);
    return this.#executor.write("change a session", "change", key, args, {}, decodeChanged);
  }

  command(id: string, command: Command): Promise<Commanded> {
    if (!this.#mustCount(command.references)) return this.#command(id, command);
    return enterWithinLimits(this.#limited, {
      references: command.references,
      from: id,
      to: command.merge?.to,
      stays: true,
      makes: Boolean(command.create),
      enter: (references) => this.#command(id, { ...command, references }),
      toLineage: (answer) => (answer.state === "changed" ? answer.lineage : null),
    });
  }

  #command(id: string, command: Command): Promise<Commanded> {
    const args = [id, ...encodeCommand(command)];
    const key = this.sessionKey(id);
    return this.#executor.write("change a session", "command", key, args, {}, decodeCommanded);
  }

  end(id: string, options: EndOptions = {}): Promise<string | null> {
    return this.endAs("delete", id, options);
  }

  /** Ends a session as `end` does, and tells that it was ended in another way. */
  async endAs(how: StoredEndingKind, id: string, options: EndOptions): Promise<string | null> {
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
        how,
        encodeCause(cause),
      ],
      { replicas },
    );
    return lineage === "" ? null : String(lineage);
  }

  count(reference: Reference): Promise<number> {
    return countSet(this.#executor, this.#keys, this.shards, reference);
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
    await checkLimitsOfAll(this.#limited, reference, changes.references);
    const given = this.shards === 1 ? changes : dropLimits(changes);
    const operation = randomBytes(6).toString("base64url");
    const counts = await this.#forEachShard((shard) =>
      changePages(this.#executor, this.#keys, shard, reference, given, operation),
    );
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
          this.#keys.deriveSetKey(shard, reference),
          [encodeSetName(reference), ...spared, ...listEndAllArguments(reference, options)],
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

  async trim(reference: Reference, keep: number, options: TrimOptions = {}): Promise<number> {
    return trim(this.#limited, reference, keep, options);
  }

  /** Whether the sets have limits that no script sees to: on one shard they all do. */
  #mustCount(references: readonly FieldReferences[]): boolean {
    return this.shards > 1 && references.some(({ limit }) => limit);
  }

  get #limited(): LimitedStore {
    return createLimitedStore(this, this.#executor, this.#keys);
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

/** The arguments that all pages of a set that is ended have in common. */
function listEndAllArguments(
  reference: Reference,
  { leavesMark = true, replicas, cause }: EndAllOptions,
): string[] {
  return [
    String(MAX_PAGE_KEYS),
    replicas === undefined ? "" : "1",
    encodeLookalikeName(reference),
    encodeCause(cause),
    leavesMark ? "1" : "",
  ];
}

function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0);
}
