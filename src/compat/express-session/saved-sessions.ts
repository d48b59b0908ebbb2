import { misconfigured, tooLarge } from "../../errors.ts";
import { settled } from "../../settled.ts";
import type { Change, Fields, StoredSession, Tombstone } from "../../store/contract.ts";
import type { MoveProgress } from "../../store/redis/old-sessions.ts";
import { isWalkable } from "../../store/walk.ts";
import { timeLeft } from "./deadline.ts";
import type { StoreConfig } from "./options.ts";
import { changesSince, dataOf, recordOf, referencesIn, type SessionRecord } from "./record.ts";
import { type Copy, Seen } from "./seen.ts";
import { idOfSid } from "./sid.ts";

/**
 * What stays where a session was destroyed, so that a copy of it that is saved later is told from a
 * new session. Objects that the store has handed out, or has saved before, need none: saving them
 * never makes a session.
 */
const TOMBSTONE: Tombstone = { stays: 5 * 60_000 };

/** The saved sessions of a middleware, by their sids. */
export class SavedSessions {
  readonly #config: StoreConfig;
  readonly #seen = new Seen();
  /** By id, the saves under way that may make a session. */
  readonly #making = new Map<string, Promise<unknown>>();

  constructor(config: StoreConfig) {
    this.#config = config;
  }

  id(sid: unknown): string {
    return idOfSid(sid, this.#store.shards);
  }

  async find<Data extends object>(sid: string): Promise<Data | null> {
    const id = this.id(sid);
    const { old } = this.#config;
    let found = await this.#store.find(id);
    if (found.state === "gone" && old) {
      await old.move(sid);
      found = await this.#store.find(id);
    }
    if (found.state !== "live") return null;
    const { fields } = found.session;
    return this.#seen.handOut(id, fields, this.data<Data>(fields));
  }

  /** Says that the middleware has made `session` of one that was handed out. */
  follow(handedOut: object, session: object): void {
    this.#seen.follow(handedOut, session);
  }

  /**
   * Saves what has changed in a session since it was handed out or saved. A new session is made. One
   * that has ended meanwhile stays ended, and that is no error, as of a session that ends right after.
   */
  async save(sid: string, session: object): Promise<void> {
    const id = this.id(sid);
    const record = recordOf(session, this.#config.references); // as it is at the moment of the call
    const left = timeLeft(record.cookie, this.#config.idleTimeout);
    const copy = this.#seen.of(session, id);
    const saved = copy.inTurn(async () => {
      if (!copy.base) await this.#config.old?.moveToEnd(sid); // it is written whole
      await (left > 0 ? this.#save(copy, record, left) : this.#end(id));
    });
    if (!copy.base) this.#makes(id, saved);
    await saved;
  }

  /** Pushes the deadline of a session to what its cookie says now; changes nothing else. */
  async touch(sid: string, session: { readonly cookie?: unknown }): Promise<void> {
    const id = this.id(sid);
    const { fields, cookie } = recordOf({ cookie: session.cookie }, new Map());
    const left = timeLeft(cookie, this.#config.idleTimeout);
    const copy = this.#seen.of(session, id);
    await copy.inTurn(async () => {
      if (!copy.base) await this.#config.old?.move(sid);
      await (left > 0 ? this.#touch(copy, fields, left) : this.#end(id));
    });
  }

  /** Ends a session, also one whose first save was called before this and is not done yet. */
  async end(sid: string): Promise<void> {
    const id = this.id(sid);
    await this.#making.get(id);
    await this.#config.old?.moveToEnd(sid);
    await this.#end(id);
  }

  /** All sessions, in bounded steps. */
  async *all(withFields: boolean): AsyncGenerator<StoredSession[], void> {
    const store = this.#store;
    if (!isWalkable(store)) {
      throw misconfigured("This store cannot go through all its sessions: it has no walk method");
    }
    yield* store.walk(withFields);
  }

  /** Moves all sessions that another store has kept, in bounded steps. */
  moveAll(cursor: string | null): AsyncGenerator<MoveProgress, void> {
    const { old } = this.#config;
    if (!old) throw misconfigured("moveSessions needs the option migrate");
    return old.moveAll(cursor);
  }

  async endAll(): Promise<void> {
    await this.#config.old?.moveAllToEnd();
    for await (const page of this.all(false)) {
      await settled(page.map(({ id }) => this.#end(id)));
    }
  }

  /** The session that stored fields are. */
  data<Data>(fields: Fields): Data {
    return dataOf<Data>(fields, this.#config.references);
  }

  #makes(id: string, saved: Promise<unknown>): void {
    const all = Promise.allSettled([this.#making.get(id), saved]).then(() => {
      if (this.#making.get(id) === all) this.#making.delete(id);
    });
    this.#making.set(id, all);
  }

  async #save(copy: Copy, record: SessionRecord, left: number): Promise<void> {
    const { references } = this.#config;
    if (copy.base) await this.#change(copy.id, changesSince(copy.base, record, references), left);
    else await this.#write(copy.id, record, left);
    copy.base = record.fields;
  }

  /** An object that was never seen before is a whole session: a new one, or instead of what is there. */
  async #write(id: string, { fields, texts }: SessionRecord, left: number): Promise<void> {
    const references = referencesIn(fields.keys(), texts, this.#config.references);
    const changes = { set: fields, unset: [], references };
    await this.#change(id, { ...changes, replace: true, create: true }, left);
  }

  async #touch(copy: Copy, fields: Fields, left: number): Promise<void> {
    await this.#change(copy.id, { set: fields, unset: [], references: [] }, left);
    if (copy.base) copy.base = new Map([...copy.base, ...fields]);
  }

  async #change(
    id: string,
    changes: Omit<Change, "maxBytes" | "idleTimeout" | "rotation">,
    left: number,
  ): Promise<void> {
    const { maxBytes } = this.#config.engine.config;
    const change = { ...changes, maxBytes, idleTimeout: left, rotation: null };
    const changed = await this.#store.change(id, change);
    if (changed.state === "too-large") throw tooLarge(changed.bytes, maxBytes);
  }

  async #end(id: string): Promise<void> {
    await this.#store.end(id, { tombstone: TOMBSTONE });
  }

  get #store() {
    return this.#config.engine.config.store;
  }
}
