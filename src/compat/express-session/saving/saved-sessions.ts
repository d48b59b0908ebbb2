import type { MoveProgress } from "../../../migrate/migrator.ts";
import type { EndingCallback } from "../../../sessions/endings/ending.ts";
import { isId } from "../../../sessions/token.ts";
import { countBytes, encodeValue } from "../../../shared/codec.ts";
import {
  createConfigError,
  createLimitError,
  createTooLargeError,
} from "../../../shared/errors.ts";
import { readSafely } from "../../../shared/given.ts";
import { waitForAll } from "../../../shared/wait-for-all.ts";
import type { Command, Commanded } from "../../../store/commanding.ts";
import type { StoredSession, Tombstone } from "../../../store/contract.ts";
import { isIterable } from "../../../store/iterating.ts";
import { checkRecord, refusePromise, toJSONRecord } from "../../shared/json-record.ts";
import type { StoreConfig } from "../options.ts";
import { deriveId } from "../sid.ts";
import { CallQueue } from "./call-queue.ts";
import {
  type Cookie,
  type CookieChanges,
  compareCookies,
  deriveLifetime,
  type Lifetime,
  MAX_LIFETIME_MS,
  type Moments,
  toCookie,
  toCookieChanges,
} from "./cookie.ts";
import {
  compareRecords,
  createRecord,
  omitCookie,
  pickReferences,
  type SessionRecord,
  type StoreReference,
  toData,
} from "./record.ts";
import { type Copy, SeenSessions } from "./seen.ts";

/**
 * The tombstone of a destroyed session. It answers requests that still have the sid, without a look for
 * a session to migrate. Only an object that was never handed out makes a session in its place.
 */
const TOMBSTONE: Tombstone = { stays: 5 * 60_000 };
/** How long (ms) before its first save a middleware may have made a session. */
const MAX_REQUEST_MS = 60_000;

interface IterateOptions {
  /** @default false: only ids and times */
  readonly withFields?: boolean;
}

/** The changes of a save or a touch. */
type Changes = Pick<Command, "set" | "unset" | "references" | "replace" | "create">;

/** The saved sessions of a middleware, by their sids. */
export class SavedSessions {
  readonly #config: StoreConfig;
  readonly #seen = new SeenSessions();
  readonly #queue = new CallQueue();

  constructor(config: StoreConfig) {
    this.#config = config;
  }

  deriveId(sid: unknown): string {
    return deriveId(sid, this.#store.shards);
  }

  async find<Data extends object>(sid: string): Promise<Data | null> {
    const id = this.deriveId(sid);
    const found = await this.#queue.read(id, async () => {
      const { migrator } = this.#config;
      const first = await this.#store.find(id);
      if (first.state === "live") return first;
      if (first.state === "gone" && migrator) {
        await migrator.migrate(sid);
        const migrated = await this.#store.find(id);
        if (migrated.state === "live") return migrated;
      }
      await this.#refuseId("get", sid);
      return null;
    });
    if (!found) return null;
    const { session, now } = found;
    // The server's clock may differ from this process's, which the middleware compares with.
    const expiresAt = Date.now() + (session.expiresAt - now);
    const data = toData<Data>(session.fields, expiresAt, this.#config.references);
    const fields = omitCookie(session.fields);
    return this.#seen.handOut({ id, fields, times: session, now }, data);
  }

  /** Notes that the middleware has made `session` from one that was handed out. */
  follow(handedOut: object, session: object): void {
    this.#seen.follow(handedOut, session);
  }

  /**
   * Saves the changes to a session since it was handed out or last saved. A new session is made. One that
   * has ended meanwhile stays ended. That is no error, just as if it had ended right after.
   */
  async save(sid: string, session: object): Promise<void> {
    const id = this.deriveId(sid);
    const record = this.#createRecord(session, id); // as it is at the moment of the call
    const copy = this.#seen.findCopy(session, id);
    const cookieMoments = deriveMoments(session, copy);
    if (copy.base) this.#seen.rememberFields(id, session);
    await this.#queue.change([id], async () => {
      if (copy.base) await this.#update(copy, record, copy.base);
      else await this.#write(sid, copy, record, cookieMoments);
    });
  }

  /** Pushes the deadline of a session forward, or sets it as its cookie says. Changes no field. */
  async touch(sid: string, session: { readonly cookie?: unknown }): Promise<void> {
    const id = this.deriveId(sid);
    const given = readSafely("ERR_SESSION_VALUE", "The session", () => {
      checkRecord("The session", session);
      refusePromise("The session", session);
      return session.cookie;
    });
    const cookie = toCookie(toJSONRecord("The session", { cookie: given }));
    const copy = this.#seen.findCopy(session, id);
    const cookieMoments = deriveMoments(session, copy);
    await this.#queue.change([id], async () => {
      if (copy.base) await this.#slide(copy, cookie);
      else await this.#slideUnseen(sid, copy, cookie, cookieMoments);
    });
  }

  /** Ends the session of a sid or, where there is none, the one whose public id this is. */
  async end(name: string): Promise<void> {
    const id = this.deriveId(name);
    const ids = this.#isId(name) ? [id, name] : [id];
    await this.#queue.change(ids, async () => {
      await this.#config.migrator?.migrate(name, { thenEnd: true });
      for (const one of ids) {
        if (await this.#end(one)) return;
      }
    });
  }

  /** Tells how the session of a sid ends or, where there is none, the one whose public id this is. */
  async onEnd(name: string, callback: EndingCallback): Promise<() => Promise<void>> {
    const id = this.deriveId(name);
    const { core, migrator } = this.#config;
    return this.#queue.read(id, async () => {
      if (migrator && !(await this.#isLive(id))) await migrator.migrate(name);
      const isSid = !this.#isId(name) || (await this.#isLive(id));
      return core.onEnd(isSid ? id : name, callback);
    });
  }

  /** All sessions, in bounded steps. */
  async *iterate(options: IterateOptions = {}): AsyncGenerator<StoredSession[], void> {
    await this.#queue.waitForChanges();
    yield* this.#iterate(options);
  }

  /** Migrates all sessions of another store, in bounded steps. */
  migrateAll(cursor: string | null): AsyncGenerator<MoveProgress, void> {
    const { migrator } = this.#config;
    if (!migrator) {
      throw createConfigError("moveSessions needs the option migrate", { option: "migrate" });
    }
    return migrator.migrateAll(cursor);
  }

  async endAll(): Promise<void> {
    await this.#queue.changeAll(async () => {
      const migration = this.#config.migrator?.migrateAll(null, { thenEnd: true });
      for await (const _ of migration ?? []);
      for await (const page of this.#iterate()) {
        await waitForAll(page.map(({ id }) => this.#end(id)));
      }
    });
  }

  /** Encodes a session. A migrated one may be larger than `maxBytes`, and then must not grow. */
  #createRecord(session: object, id: string): SessionRecord {
    const { references, core } = this.#config;
    const base = this.#seen.findBase(Object(session), id);
    const maxBytes = Math.max(core.config.maxBytes, base ? countBytes(base) : 0);
    return createRecord(session, references, { maxBytes });
  }

  /** Decodes a stored session. */
  toData<Data>({ fields, expiresAt }: StoredSession): Data {
    return toData<Data>(fields, expiresAt, this.#config.references);
  }

  async *#iterate({
    withFields = false,
  }: IterateOptions = {}): AsyncGenerator<StoredSession[], void> {
    const store = this.#store;
    if (!isIterable(store)) {
      throw createConfigError(
        "This store cannot go through all its sessions: it has no iterate method",
      );
    }
    yield* store.iterate({ withFields });
  }

  /** Writes the changes to an object that the store knows. */
  async #update(copy: Copy, record: SessionRecord, base: NonNullable<Copy["base"]>): Promise<void> {
    const changes = compareRecords(base, record, this.#config.references);
    const cookie = compareCookies(copy.cookie, record.cookie, copy.moments);
    const set = new Map([...changes.set, ...encodeCookie(cookie)]);
    const isTouch = set.size === 0 && changes.unset.length === 0;
    if (!isTouch || !copy.isFresh) {
      await this.#change(
        copy,
        { ...changes, set },
        this.#deriveLifetime(cookie, record, copy.moments),
      );
    }
    copy.base = omitCookie(record.fields);
    this.#remember(copy, record.cookie);
  }

  /** Writes an unknown object whole: as a new session, or in place of the one that is there. */
  async #write(
    sid: string,
    copy: Copy,
    record: SessionRecord,
    cookieMoments: Moments | null,
  ): Promise<void> {
    const { fields, texts, cookie } = record;
    await this.#config.migrator?.migrate(sid, { thenEnd: true });
    if (this.#isId(sid)) {
      const found = await this.#store.find(copy.id, { names: [] });
      if (found.state !== "live") await this.#refuseId("set", sid);
    }
    const references = pickReferences(fields.keys(), texts, this.#config.references);
    const whole = { set: fields, unset: [], references, replace: true };
    const changes = copy.isNew ? ({ ...whole, create: "anew" } as const) : whole;
    await this.#change(
      copy,
      changes,
      deriveLifetime(cookie, cookieMoments, this.#config.idleTimeout),
    );
    copy.base = omitCookie(fields);
    copy.cookie = cookie;
  }

  async #slide(copy: Copy, cookie: Cookie): Promise<void> {
    const changes = compareCookies(copy.cookie, cookie, copy.moments);
    const set = encodeCookie(changes);
    if (set.size > 0 || !copy.isFresh) {
      const lifetime = this.#deriveLifetime(changes, { cookie }, copy.moments);
      await this.#change(copy, { set, unset: [], references: [] }, lifetime);
    }
    this.#remember(copy, cookie);
  }

  /** Nothing tells which options of an unknown object have changed, so all that it has are written. */
  async #slideUnseen(
    sid: string,
    copy: Copy,
    cookie: Cookie,
    cookieMoments: Moments | null,
  ): Promise<void> {
    await this.#config.migrator?.migrate(sid);
    const lifetime = deriveLifetime(cookie, cookieMoments, this.#config.idleTimeout);
    const set = encodeCookie(toCookieChanges(cookie));
    const changed = await this.#change(copy, { set, unset: [], references: [] }, lifetime);
    if (changed?.state === "gone") await this.#refuseId("touch", sid);
  }

  #remember(copy: Copy, cookie: Cookie): void {
    copy.cookie = cookie;
    this.#seen.remember(copy.id, cookie);
  }

  /** The new lifetime of a session; null if this request has not changed it. */
  #deriveLifetime(
    { times }: CookieChanges,
    { cookie }: Pick<SessionRecord, "cookie">,
    moments: Moments,
  ): Lifetime | null {
    return times ? deriveLifetime(cookie, moments, this.#config.idleTimeout) : null;
  }

  async #change(
    copy: Copy,
    changes: Changes,
    lifetime: Lifetime | null,
  ): Promise<Commanded | null> {
    const { maxBytes } = this.#config.core.config;
    if (lifetime && lifetime.idleTimeout <= 0) {
      await this.#end(copy.id);
      return null;
    }
    const changed = await this.#store.command(copy.id, {
      ...changes,
      ...toTimeouts(lifetime),
      maxBytes,
      merge: null,
    });
    if (changed.state === "too-large") throw createTooLargeError(changed.bytes, maxBytes);
    if (changed.state === "full") {
      const { name } = this.#config.references.get(changed.field) as StoreReference;
      throw createLimitError(name, changed.limit);
    }
    if (changed.state === "changed") copy.noteUse(changed.times);
    return changed;
  }

  async #end(id: string): Promise<boolean> {
    return (await this.#store.end(id, { tombstone: TOMBSTONE })) !== null;
  }

  async #isLive(id: string): Promise<boolean> {
    return (await this.#store.find(id, { names: [] })).state === "live";
  }

  /** Whether a text has the form of an id; only the store knows whether it is one. */
  #isId(text: string): boolean {
    return isId(text, this.#store.shards);
  }

  /** @throws SessionError ERR_SESSION_CONFIG if the text is the public id of a session, not a sid. */
  async #refuseId(method: string, sid: string): Promise<void> {
    if (!this.#isId(sid)) return;
    const found = await this.#store.find(sid, { names: [] });
    if (found.state !== "live") return;
    throw createConfigError(
      `${method} takes the sid of a session, and was given the public id of one, which gives no access to it. An id is for destroy, and for delete, has and clear({ except }) of a set`,
    );
  }

  get #store() {
    return this.#config.store;
  }
}

/**
 * When the cookie of an object that the store does not know can have been made: during the request that
 * is under way. Null if the object is not of a middleware's class, for then it may be of any age.
 */
function deriveMoments(session: object, copy: Copy): Moments | null {
  if (copy.base) return copy.moments;
  const prototype = Object.getPrototypeOf(session);
  const now = Date.now();
  if (prototype === null || Object.getPrototypeOf(prototype) === null) return null;
  return { from: now - MAX_REQUEST_MS, to: now };
}

function encodeCookie({ fields }: CookieChanges): Map<string, string> {
  return new Map([...fields].map(([name, value]) => [name, encodeValue("cookie", value)]));
}

/** Sets an absolute deadline if the cookie names the moment, and otherwise one that is never reached. */
function toTimeouts(lifetime: Lifetime | null): Pick<Command, "idleTimeout" | "absoluteTimeout"> {
  if (!lifetime) return { idleTimeout: null };
  const { idleTimeout, fixed } = lifetime;
  return { idleTimeout, absoluteTimeout: fixed ? idleTimeout : MAX_LIFETIME_MS };
}
