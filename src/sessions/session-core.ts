import { channel } from "node:diagnostics_channel";
import { checkFieldName, countBytes } from "../shared/codec.ts";
import { parseDuration } from "../shared/durations.ts";
import { createConfigError, createTooLargeError, quote } from "../shared/errors.ts";
import { readElements, readOptions } from "../shared/given.ts";
import type {
  Changed,
  EndAllOptions,
  EndOptions,
  FieldChanges,
  FindOptions,
  Lookup,
  Reference,
  Rotation,
  SessionStore,
  SignIn,
} from "../store/contract.ts";
import type { Refused } from "../store/entering.ts";
import type { ReindexProgress } from "../store/reindexing.ts";
import type { Found } from "../store/touch-delay.ts";
import type { EndingCallback, EndingGap, ToldEnding } from "./endings/ending.ts";
import { SessionEndings } from "./endings/session-endings.ts";
import { createIdentityKeptError, createNobodyError } from "./identity-errors.ts";
import { checkCause } from "./options/cause.ts";
import { type Config, parseTimeouts, type Settings, type Timeouts } from "./options/config.ts";
import { checkAgainstSchema } from "./options/schema.ts";
import { CREATE_OPTIONS, ROTATE_OPTIONS, SIGN_IN_OPTIONS } from "./options/verb-options.ts";
import {
  composeSession,
  copyValues,
  createReference,
  createUnsetReferences,
  decodeFields,
  encodeValues,
  requireReference,
  toUnrotatedNames,
} from "./record.ts";
import { createRefusedError, parseAsOf } from "./refusals.ts";
import { type ReindexOptions, reindex } from "./reindex.ts";
import {
  createToken,
  createTokenAfter,
  createTokenBeside,
  isId,
  isToken,
  type NewToken,
  toId,
} from "./token.ts";
import type { CreateOptions, RotateOptions, SessionWithToken, SignInOptions } from "./types.ts";

/** Publishes { id, error } when a read succeeded but the touch after it failed. */
const touchFailed = channel("session-sets:touch-failed");

/** The methods of a store that read and change whole sets. */
type Sets = Pick<
  SessionStore,
  "setKey" | "count" | "has" | "list" | "pages" | "changeAll" | "trim"
>;

/** What the options of `rotate` choose. */
export type RotationChoice = Pick<Rotation, "grace" | "asOf" | "leaving" | "cause">;

/** Changes of one session. */
export interface Changes {
  readonly values?: object;
  readonly unset?: readonly string[];
  readonly idleTimeout?: number | null;
  readonly rotation?: Pick<Rotation, "to" | "when"> & Partial<RotationChoice>;
  /** Only if the session has this value. */
  readonly where?: Reference;
}

/** A session that was signed in. `ended` says whether another session was ended for it. */
export interface SignInResult<Data> extends SessionWithToken<Data> {
  readonly ended: boolean;
}

/** Sessions by their ids: what `Sessions` and the session of a request share. */
export class SessionCore {
  readonly config: Settings;
  /** Whether a text is well-formed as a token. */
  readonly isToken = (text: unknown): text is string => isToken(text, this.#store.shards);
  readonly #endings: SessionEndings;
  readonly #store: SessionStore;

  constructor({ store, ...settings }: Config) {
    this.config = settings;
    this.#endings = new SessionEndings(store);
    this.#store = store;
  }

  /** Whether a text is well-formed as an id or a lineage. */
  isId(text: unknown): text is string {
    return isId(text, this.#store.shards);
  }

  /** Derives the id of a token, or null if the token isn't well-formed. */
  toId(token: unknown): string | null {
    return toId(token, this.#store.shards);
  }

  /** Builds the key under which the store keeps the session of an id. */
  toKey(id: string): string {
    return this.#store.sessionKey(id);
  }

  /** Reads a session's values once, and checks them. All verbs below take the result. */
  toPlainValues(values: unknown): object {
    return copyValues(values, this.config);
  }

  async create<Data>(values: object, options: CreateOptions = {}): Promise<SessionWithToken<Data>> {
    const { asOf, ...deadlines } = readOptions("create", options, CREATE_OPTIONS);
    return this.#create(values, parseTimeouts(deadlines, this.config), parseAsOf(asOf));
  }

  async #create<Data>(
    values: object,
    timeouts: Timeouts,
    asOf: number | undefined,
  ): Promise<SessionWithToken<Data>> {
    const store = this.#store;
    const { maxBytes } = this.config;
    const { set, references } = await this.#encodeValues(values);
    const bytes = countBytes(set);
    if (bytes > maxBytes) throw createTooLargeError(bytes, maxBytes);
    const all = [createToken(store.shards)];
    const [{ id: first }] = all as [NewToken];
    const createIdElsewhere = () => {
      const next = createTokenAfter(all.at(-1)?.id ?? first, store.shards);
      all.push(next);
      return next.id;
    };
    const created = await store.create(
      { id: first, fields: set, references, ...timeouts, asOf },
      createIdElsewhere,
    );
    if (created.state !== "created") throw createRefusedError(created);
    const { id, state: _, ...times } = created;
    const token = all.find((one) => one.id === id)?.token as string;
    return { token, session: composeSession(toUnrotatedNames(id), decodeFields<Data>(set), times) };
  }

  /**
   * Ends the session that an id leads to, and makes a new one for the user. Without an id it only makes
   * one. No limit counts the sessions of `leaving`, which the caller ends.
   */
  async signIn<Data>(
    id: string | null,
    values: object,
    options: SignInOptions<string> = {},
    leaving?: readonly string[],
  ): Promise<SignInResult<Data>> {
    const given = readOptions("signIn", options, SIGN_IN_OPTIONS);
    const cause = checkCause(given);
    if (!this.namesUser(values)) throw createNobodyError(this.config.identity);
    if (id !== null) return this.replace(id, values, given, { cause, leaving });
    const { keep = [], asOf, ...deadlines } = given;
    this.readKeep(keep);
    return {
      ...(await this.#create<Data>(values, parseTimeouts(deadlines, this.config), parseAsOf(asOf))),
      ended: false,
    };
  }

  /** Ends the session that an id leads to, whichever user it has, and makes another in its place. */
  async replace<Data>(
    id: string,
    values: object,
    { keep = [], asOf, ...deadlines }: SignInOptions<string>,
    endings: Pick<SignIn, "cause" | "leaving">,
  ): Promise<SignInResult<Data>> {
    const kept = this.readKeep(keep);
    const timeouts = parseTimeouts(deadlines, this.config);
    const { identity, rotationGrace: tombstone, maxBytes } = this.config;
    const { set: fields, references } = await this.#encodeValues(values);
    const fresh = createTokenBeside(id);
    const made = { ...timeouts, id: fresh.id, fields, references, asOf: parseAsOf(asOf) };
    const signedIn = await this.#store.signIn(id, {
      ...made,
      keep: [...new Set(kept)],
      identity,
      tombstone,
      maxBytes,
      ...endings,
    });
    if (signedIn.state === "too-large") throw createTooLargeError(signedIn.bytes, maxBytes);
    if (signedIn.state !== "signed-in") throw createRefusedError(signedIn);
    const { times, ended } = signedIn;
    const session = composeSession(
      toUnrotatedNames(fresh.id),
      decodeFields<Data>(signedIn.fields),
      times,
    );
    return { token: fresh.token, session, ended };
  }

  /**
   * Reads the fields to keep, once.
   *
   * @throws SessionError ERR_SESSION_CONFIG if they aren't a list, or if one says who the user is.
   */
  readKeep(keep: readonly string[]): string[] {
    const names = readElements("ERR_SESSION_CONFIG", "keep", keep) as string[] | null;
    if (names === null) {
      throw createConfigError('keep must be a list of fields, such as ["cart"]', {
        option: "keep",
      });
    }
    for (const field of names) checkFieldName(field);
    const identity = this.config.identity.find((field) => names.includes(field));
    if (identity === undefined) return names;
    throw createConfigError(
      `keep names ${quote(identity)}, which says who the user is: put it in the values`,
      { option: "keep", field: identity },
    );
  }

  /**
   * Looks up what an id leads to. Only some `names` of fields may be read, and `byName` takes lineages.
   *
   * @throws SessionError ERR_SESSION_VALUE at once for what can't be a name.
   */
  find(id: string, options: FindOptions = {}): Promise<Lookup> {
    if (options.names !== undefined) for (const field of options.names) checkFieldName(field);
    return this.#store.find(id, options);
  }

  /** Whether an id or a lineage leads to a session. */
  async isLive(name: string): Promise<boolean> {
    return (await this.find(name, { names: [], byName: true })).state === "live";
  }

  /**
   * Counts a read as use (`isTouchDue`): pushes the idle deadline forward. If that fails, the read still
   * succeeds, and it returns the same object.
   */
  async touch(found: Found): Promise<Lookup> {
    const { session } = found;
    try {
      const changed = await this.change(session.id, {});
      if (changed.state === "gone") return changed; // ended after the read
      if (changed.state !== "changed") return found;
      const { id, times } = changed;
      return { ...found, session: { ...session, id, ...times } };
    } catch (error) {
      touchFailed.publish({ id: session.id, error });
      return found;
    }
  }

  async change(
    id: string,
    { values = {}, unset = [], idleTimeout = null, rotation, where }: Changes,
  ): Promise<Exclude<Changed, { state: "too-large" | Refused["state"] }>> {
    const changes = this.#encodeChanges(values, unset);
    if (this.config.schema) await checkAgainstSchema(this.config.schema, values);
    const changed = await this.#store.change(id, {
      ...changes,
      idleTimeout,
      rotation: rotation ? this.#completeRotation(rotation, changes) : null,
      ...(where ? { where } : {}),
    });
    if (changed.state === "too-large")
      throw createTooLargeError(changed.bytes, this.config.maxBytes);
    if (changed.state === "cleared" || changed.state === "full") throw createRefusedError(changed);
    return changed;
  }

  #completeRotation(
    { grace, ...chosen }: NonNullable<Changes["rotation"]>,
    { references }: FieldChanges,
  ): Rotation {
    const { identity, rotationGrace, idleTimeout, absoluteTimeout } = this.config;
    const without = references.filter(({ texts }) => texts.length === 0).map(({ field }) => field);
    return {
      ...chosen,
      identity,
      grace: grace ?? rotationGrace,
      tombstone: rotationGrace,
      // A session that takes the place of a signed-out one has no user.
      replacement: {
        idleTimeout,
        absoluteTimeout,
        without: identity.filter(createMembershipTest(without)),
      },
    };
  }

  /** Ends one session. Resolves to its lineage, or null if none was ended. */
  async end(id: string, options: EndOptions): Promise<string | null> {
    return this.#store.end(id, options);
  }

  /** The sets of sessions in the store. */
  get sets(): Sets {
    return this.#store;
  }

  async endAll(reference: Reference, options: EndAllOptions): Promise<number> {
    return this.#store.endAll(reference, options);
  }

  /** Compares all sessions with their sets. */
  reindex(options: ReindexOptions): AsyncGenerator<ReindexProgress, void> {
    return reindex(this.#store, this.config, options);
  }

  /** Tells how the session of an id or lineage ends. @throws SessionError ERR_SESSION_CONFIG for what is neither. */
  async onEnd(name: string, callback: EndingCallback): Promise<() => Promise<void>> {
    if (this.isId(name)) return this.#endings.onEnd(name, callback);
    throw createConfigError(
      "onEnd takes a session's id or lineage (session.id, session.lineage), not its token or key",
    );
  }

  /** Tells how all sessions end. */
  endings(): AsyncGenerator<ToldEnding | EndingGap, void> {
    return this.#endings.iterate();
  }

  async close(): Promise<void> {
    await this.#endings.close();
    await this.#store.close();
  }

  /** Checks changes of fields, and encodes them for a store. */
  async encodeChanges(values: object, unset: readonly string[]): Promise<FieldChanges> {
    const changes = this.#encodeChanges(values, unset);
    if (this.config.schema) await checkAgainstSchema(this.config.schema, values);
    return changes;
  }

  #encodeChanges(values: object, unset: readonly string[]): FieldChanges {
    const { set, references } = encodeValues(values, this.config);
    const { maxBytes } = this.config;
    if (unset.length === 0) return { set, unset, references, maxBytes };
    const unsetReferences = createUnsetReferences(unset, this.config);
    return { set, unset, references: [...references, ...unsetReferences], maxBytes };
  }

  /** @param name the program's name of the field, if that isn't its name in the store. */
  createReference(field: string, value: unknown, name?: string): Reference {
    return createReference(field, value, this.config, name);
  }

  /** @throws SessionError ERR_SESSION_CONFIG if a field isn't a declared reference. */
  checkReference(field: string, verb?: string): void {
    requireReference(field, this.config, verb);
  }

  /**
   * Parses the options of `rotate`: how long an alias stays (ms), when the credentials were read, and why
   * a session is ended.
   */
  parseRotateOptions(options: RotateOptions): RotationChoice {
    const given = readOptions("rotate", options, ROTATE_OPTIONS);
    const { grace = this.config.rotationGrace, asOf } = given;
    return {
      grace: parseDuration("grace", grace, { allowZero: true }),
      asOf: parseAsOf(asOf),
      cause: checkCause(given),
    };
  }

  /** Filters the fields that say who the user is. */
  filterIdentities(fields: readonly string[]): readonly string[] {
    return this.config.identity.filter(createMembershipTest(fields));
  }

  /** @throws SessionError ERR_SESSION_CONFIG if `set` or `unset` without a request names a user. */
  refuseIdentities(verb: "set" | "unset", fields: readonly string[]): void {
    const [identity] = this.filterIdentities(fields);
    if (identity !== undefined) throw createIdentityKeptError(verb, identity);
  }

  /** Whether the values say who the user is. */
  namesUser(values: object): boolean {
    const given = values as { readonly [field: string]: unknown };
    return this.config.identity.some((field) => [given[field]].flat().some((one) => one != null));
  }

  async #encodeValues(values: object) {
    const encoded = encodeValues(values, this.config);
    if (this.config.schema) await checkAgainstSchema(this.config.schema, values);
    return encoded;
  }
}

function createMembershipTest(list: readonly string[]): (one: string) => boolean {
  return (one) => list.includes(one);
}
