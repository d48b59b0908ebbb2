import { randomBytes } from "node:crypto";
import { sum } from "../../shared/sum.ts";
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
import { countSet } from "./count.ts";
import { Feed } from "./feed/feed.ts";
import {
  decodeChanged,
  decodeCommanded,
  decodeRefused,
  decodeSessions,
  decodeSignedIn,
  decodeUpdated,
  type Postponed,
} from "./layout/decode.ts";
import {
  encodeCause,
  encodeCommand,
  encodeFieldChanges,
  encodeFields,
  encodeLimits,
  encodeList,
  encodeNames,
  encodeOptional,
  encodeRotation,
  encodeUpdate,
  encodeWhere,
} from "./layout/encode.ts";
import {
  encodeLookalikeName,
  encodeName,
  encodeSetName,
  encodeSetNames,
  type Keys,
} from "./layout/keys.ts";
import { decodeTimes } from "./layout/session-hash.ts";
import {
  dropLimits,
  type EncodeBounds,
  enterWithinLimits,
  type LimitedStore,
  trim,
} from "./limits.ts";
import { changeWithinLimits } from "./limits-of-all.ts";
import { find } from "./lookups.ts";
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

/** The most fields that the script for changes of fields alone takes: it reads all at once. */
const MAX_UPDATED_FIELDS = 1000;

/** Whether a change is of fields alone: the session keeps its id, its sets and its timeouts, wherever it is. */
function isUpdate({ set, unset, idleTimeout, rotation, references, where }: Change): boolean {
  return (
    idleTimeout === null &&
    rotation === null &&
    references.length === 0 &&
    where === undefined &&
    set.size + unset.length <= MAX_UPDATED_FIELDS
  );
}

/** Fulfils the store's contract with scripts and plain reads. */
export class RedisStore implements CommandStore, FeedStore, IterableStore, ReindexableStore {
  readonly shards: number;
  readonly #executor: Executor;
  readonly #feed: Feed;
  readonly #keys: Keys;
  readonly #cluster: boolean;
  readonly #limited: LimitedStore;

  constructor(connection: Connection, keys: Keys, shards: number, timeout: number) {
    this.shards = shards;
    this.#cluster = connection.cluster;
    this.#keys = keys;
    this.#executor = new Executor(connection, timeout);
    this.#feed = new Feed(connection, this.#executor, keys, timeout);
    this.#limited = { shards, timeout, executor: this.#executor, keys };
  }

  create(session: NewSession, createIdElsewhere?: () => string): Promise<Created | Refused> {
    return enterWithinLimits<Created | Refused>(this.#limited, {
      references: session.references,
      enter: (references, encodeBounds) =>
        this.#create({ ...session, references }, encodeBounds, createIdElsewhere),
      hasEntered: (answer) => answer.state === "created",
    });
  }

  #create(
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
      ...encodeFields(fields),
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
        const limits = encodeLimits(references, encodeBounds(this.#keys.findShard(id)));
        return { id, key: this.sessionKey(id), args: [id, ...args, ...limits] };
      },
      (reply, { id }) => decodeRefused(reply) ?? { state: "created", id, ...decodeTimes(reply[1]) },
    );
  }

  signIn(id: string, session: SignIn): Promise<SignedIn> {
    return enterWithinLimits<SignedIn>(this.#limited, {
      references: session.references,
      leaving: session.leaving,
      enter: (references, encodeBounds) =>
        this.#signIn(id, { ...session, references }, encodeBounds(this.#keys.findShard(id))),
      hasEntered: (answer) => answer.state === "signed-in",
    });
  }

  #signIn(id: string, session: SignIn, bounds: readonly string[]): Promise<SignedIn | Postponed> {
    const { fields: set, references, maxBytes, keep, leaving = [] } = session;
    const args = [
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
    ];
    const key = this.sessionKey(id);
    return this.#executor.write("sign in", "signIn", key, args, {}, (reply) =>
      decodeSignedIn(reply, set),
    );
  }

  find(id: string, options: FindOptions = {}): Promise<Lookup> {
    return find(this.#executor, this.#keys, id, options);
  }

  change(id: string, change: Change): Promise<Changed> {
    const { references, rotation } = change;
    return enterWithinLimits<Changed>(this.#limited, {
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

  #change(id: string, change: Change, bounds: readonly string[]): Promise<Changed | Postponed> {
    const key = this.sessionKey(id);
    if (isUpdate(change)) {
      const args = encodeUpdate(change);
      return this.#executor.write("change a session", "update", key, args, {}, (reply) =>
        decodeUpdated(id, reply),
      );
    }
    const args = [
      id,
      encodeWhere(change.where),
      encodeOptional(change.idleTimeout),
      ...encodeRotation(change.rotation),
      ...encodeFieldChanges(change, bounds),
    ];
    return this.#executor.write("change a session", "change", key, args, {}, decodeChanged);
  }

  command(id: string, command: Command): Promise<Commanded> {
    return enterWithinLimits<Commanded>(this.#limited, {
      references: command.references,
      from: id,
      stays: true,
      enter: (given, encodeBounds) =>
        this.#command(
          id,
          { ...command, references: given },
          encodeBounds(this.#keys.findShard(id)),
        ),
      hasEntered: (answer) => answer.state === "changed",
    });
  }

  #command(
    id: string,
    command: Command,
    bounds: readonly string[],
  ): Promise<Commanded | Postponed> {
    const args = [id, ...encodeCommand(command, bounds)];
    const key = this.sessionKey(id);
    return this.#executor.write("change a session", "command", key, args, {}, decodeCommanded);
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

  count(reference: Reference): Promise<number> {
    return countSet(this.#limited, reference);
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
