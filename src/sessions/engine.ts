import { channel } from "node:diagnostics_channel";
import { milliseconds } from "../durations.ts";
import { refuseUnknownKeys, tooLarge } from "../errors.ts";
import type {
  Change,
  Changed,
  FieldChanges,
  Gone,
  Reference,
  Rotation,
  StoredSession,
  Superseded,
} from "../store/contract.ts";
import { isOfMovingSlot } from "../store/moving.ts";
import { bytesOf, checkFieldName } from "../values.ts";
import { type Config, deadlinesOf } from "./config.ts";
import {
  declaredReference,
  decodeFields,
  encodeValues,
  referenceOf,
  unsetReferences,
  withTimes,
} from "./record.ts";
import { checkAgainst } from "./schema.ts";
import { createToken, createTokenAfter } from "./token.ts";
import type { Deadlines, RotateOptions, SessionWithToken } from "./types.ts";

/** Told of each error of a touch that a read did without: { id, error }. */
const touchFailed = channel("session-sets:touch-failed");

/** A read counts as use after a twentieth of the idle timeout, or a minute, whichever is less. */
const TOUCH_PARTS = 20;
const TOUCH_AFTER = 60_000;

/** How many shards a new session is tried in, while slots of a cluster are being moved. */
const SHARDS_TO_TRY = 8;

/** What an id leads to; `touched`: its idle deadline was pushed forward by this read. */
export type Reading =
  | { readonly state: "live"; readonly session: StoredSession; readonly touched: boolean }
  | Superseded
  | Gone;

/** What is to change in one session. */
export interface Changes {
  readonly values?: object;
  readonly unset?: readonly string[];
  readonly idleTimeout?: number | null;
  readonly rotation?: Rotation | null;
}

/** Sessions by their ids: what `Sessions` and the session of a request share. */
export class Engine {
  readonly config: Config;

  constructor(config: Config) {
    this.config = config;
  }

  async create<Data>(values: object, deadlines: Deadlines = {}): Promise<SessionWithToken<Data>> {
    const { store, maxBytes } = this.config;
    refuseUnknownKeys("create", deadlines, ["idleTimeout", "absoluteTimeout"]);
    const timeouts = deadlinesOf(deadlines, this.config);
    const { set, references } = await this.#encode(values);
    const bytes = bytesOf(set);
    if (bytes > maxBytes) throw tooLarge(bytes, maxBytes);
    let fresh = createToken(store.shards);
    for (let left = SHARDS_TO_TRY; ; left--) {
      const { token, id } = fresh;
      try {
        const times = await store.create({ id, fields: set, references, ...timeouts });
        return { token, session: withTimes(id, decodeFields<Data>(set), times) };
      } catch (error) {
        if (left === 1 || !isOfMovingSlot(error)) throw error;
        fresh = createTokenAfter(id, store.shards);
      }
    }
  }

  async read(id: string, fields: readonly string[] | undefined, touch: boolean): Promise<Reading> {
    for (const field of fields ?? []) checkFieldName(field);
    const found = await this.config.store.find(id, fields);
    if (found.state !== "live") return found;
    const { session, now } = found;
    if (!touch || now - session.lastSeenAt < touchAfter(session)) {
      return { state: "live", session, touched: false };
    }
    return this.#touched(session);
  }

  /** Touches a session that was just read. The read stands also where that fails. */
  async #touched(session: StoredSession): Promise<Reading> {
    try {
      const changed = await this.change(session.id, {});
      if (changed.state === "gone") return changed; // ended since
      if (changed.state !== "changed") return { state: "live", session, touched: false };
      const { id, times } = changed;
      return { state: "live", session: { ...session, id, ...times }, touched: true };
    } catch (error) {
      touchFailed.publish({ id: session.id, error });
      return { state: "live", session, touched: false };
    }
  }

  async change(
    id: string,
    { values = {}, unset = [], idleTimeout = null, rotation = null }: Changes,
  ): Promise<Exclude<Changed, { state: "too-large" }>> {
    const change: Change = { ...(await this.changes(values, unset)), idleTimeout, rotation };
    const changed = await this.config.store.change(id, change);
    if (changed.state === "too-large") throw tooLarge(changed.bytes, this.config.maxBytes);
    return changed;
  }

  /** Changes of fields as a store takes them, checked. */
  async changes(values: object, unset: readonly string[]): Promise<FieldChanges> {
    const { set, references } = await this.#encode(values);
    return {
      set,
      unset,
      references: [...references, ...unsetReferences(unset, this.config)],
      maxBytes: this.config.maxBytes,
    };
  }

  reference(field: string, value: unknown): Reference {
    return referenceOf(field, value, this.config);
  }

  /** @throws SessionError ERR_SESSION_CONFIG where a field is no declared reference. */
  checkReference(field: string): void {
    declaredReference(field, this.config);
  }

  /** A rotation to a fresh id, with a grace time of its own where one is given. */
  rotation(to: string, when: Rotation["when"], options: RotateOptions = {}): Rotation {
    refuseUnknownKeys("rotate", options, ["grace"]);
    const { identity, rotationGrace } = this.config;
    const { grace = rotationGrace } = options;
    return { to, when, identity, grace: milliseconds("grace", grace, true) };
  }

  /** Whether one of the fields says who the user is. */
  concernsIdentity(fields: readonly string[]): boolean {
    return this.config.identity.some((field) => fields.includes(field));
  }

  /** Whether the values say who the user is. */
  identifies(values: object): boolean {
    const given: { readonly [field: string]: unknown } = { ...values };
    return this.config.identity.some((field) => [given[field] ?? []].flat().length > 0);
  }

  async #encode(values: object) {
    const encoded = encodeValues(values, this.config);
    if (this.config.schema) await checkAgainst(this.config.schema, values);
    return encoded;
  }
}

function touchAfter({ idleTimeout }: StoredSession): number {
  return Math.min((idleTimeout ?? Number.POSITIVE_INFINITY) / TOUCH_PARTS, TOUCH_AFTER);
}
