import assert from "node:assert/strict";
import type {
  Change,
  Changed,
  Created,
  FieldChanges,
  FieldReferences,
  Fields,
  NewSession,
  Reference,
  Rotation,
  SessionStore,
  SignedIn,
  SignIn,
  StoredSession,
  Times,
} from "../store/contract.ts";
import type { Limit } from "../store/entering.ts";
import { MAX_LIST_LIMIT, type PageOptions } from "../store/listing.ts";
import { newId, newIdBeside } from "./ids.ts";

/*
 * The steps that the tests of the suite are made of. Sessions that must live have deadlines of hours, and
 * those that must expire have deadlines of a few ms, so no test depends on the speed of the machine.
 */

export const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;
/** A deadline that a test waits for. */
export const SOON_MS = 20;
/** Long enough for a deadline of SOON_MS to pass. */
export const PAST_SOON_MS = 45;
const MAX_BYTES = 65_536;

export type Texts = Readonly<Record<string, string>>;
export type ReferenceTexts = Readonly<Record<string, readonly string[]>>;

export function toFields(texts: Texts): Fields {
  return new Map(Object.entries(texts));
}

/** The reference for the set of sessions whose field has this value. */
export function of(field: string, text: string): Reference {
  return { field, text, plain: false };
}

/** `user_id` says who the user is. */
export function toReferences(references: ReferenceTexts): FieldReferences[] {
  return Object.entries(references).map(([field, texts]) => ({
    field,
    texts,
    plain: false,
    identity: field === "user_id",
  }));
}

/** The same, each with a limit. */
export function toLimited(references: ReferenceTexts, limit: Limit): FieldReferences[] {
  return toReferences(references).map((reference) => ({ ...reference, limit }));
}

export interface SessionDraft {
  readonly id?: string;
  readonly fields?: Texts;
  readonly references?: ReferenceTexts;
  readonly idleTimeout?: number | null;
  readonly absoluteTimeout?: number | null;
  readonly asOf?: number | undefined;
}

export function createDraft(store: SessionStore, session: SessionDraft = {}): NewSession {
  return {
    id: session.id ?? newId(store.shards),
    fields: toFields(session.fields ?? {}),
    references: toReferences(session.references ?? {}),
    idleTimeout: session.idleTimeout === undefined ? HOUR_MS : session.idleTimeout,
    absoluteTimeout: session.absoluteTimeout === undefined ? DAY_MS : session.absoluteTimeout,
    asOf: session.asOf,
  };
}

/** Creates a session; fails if the store refuses to. */
export async function createSession(store: SessionStore, made: NewSession): Promise<Created> {
  const created = await store.create(made);
  assert.equal(created.state, "created");
  return created;
}

/** Creates a session and returns its id. */
export async function create(store: SessionStore, session?: SessionDraft): Promise<string> {
  const made = createDraft(store, session);
  await createSession(store, made);
  return made.id;
}

/** Creates a session whose `user_id` is this user, and returns its id. */
export function createForUser(
  store: SessionStore,
  user: string,
  session: SessionDraft = {},
): Promise<string> {
  return create(store, {
    ...session,
    fields: { user_id: user, ...session.fields },
    references: { user_id: [user], ...session.references },
  });
}

/** Creates `count` sessions of this user, each with its own number in the field `n`. */
export async function createMany(
  store: SessionStore,
  user: string,
  count: number,
): Promise<string[]> {
  const ids: string[] = [];
  // In batches: a client may bound how many commands wait at once.
  while (ids.length < count) {
    const batch = Array.from({ length: Math.min(100, count - ids.length) }, (_, i) =>
      createForUser(store, user, { fields: { n: String(ids.length + i) } }),
    );
    ids.push(...(await Promise.all(batch)));
  }
  return ids;
}

export interface ChangesDraft {
  readonly set?: Texts;
  readonly unset?: readonly string[];
  readonly references?: ReferenceTexts;
  readonly maxBytes?: number;
}

export function createChanges(draft: ChangesDraft): FieldChanges {
  return {
    set: toFields(draft.set ?? {}),
    unset: draft.unset ?? [],
    references: toReferences(draft.references ?? {}),
    maxBytes: draft.maxBytes ?? MAX_BYTES,
  };
}

interface ChangeDraft extends ChangesDraft, Pick<Change, "where"> {
  readonly idleTimeout?: number | null;
  readonly rotation?: Rotation | null;
}

export function createChange(draft: ChangeDraft = {}): Change {
  return {
    ...draft,
    ...createChanges(draft),
    idleTimeout: draft.idleTimeout ?? null,
    rotation: draft.rotation ?? null,
  };
}

export function change(store: SessionStore, id: string, draft?: ChangeDraft): Promise<Changed> {
  return store.change(id, createChange(draft));
}

/**
 * A rotation that always happens, with an hour of grace, where `user_id` says who the user is. A
 * replacement of another user's session has an idle timeout of an hour and an absolute one of a day.
 */
export function createRotation(to: string, over: Partial<Rotation> = {}): Rotation {
  const { grace = HOUR_MS } = over;
  const replacement = { idleTimeout: HOUR_MS, absoluteTimeout: DAY_MS, without: [] };
  const identity = ["user_id"];
  return { to, when: "always", identity, grace, tombstone: grace, replacement, ...over };
}

/** A change of the user. A session of another user is replaced. */
export function changeUser(to: string, user: string, over: Partial<Rotation> = {}): Change {
  return createChange({
    set: { user_id: user },
    references: { user_id: [user] },
    rotation: createRotation(to, { when: "user-changes", ...over }),
  });
}

interface SignInDraft
  extends SessionDraft,
    Partial<Pick<SignIn, "keep" | "identity" | "tombstone" | "maxBytes">> {}

/** A sign-in at an id, whose `user_id` is this user. Its tombstones stay for an hour. */
export function createSignIn(id: string, user: string, over: SignInDraft = {}): SignIn {
  return {
    id: over.id ?? newIdBeside(id),
    fields: toFields({ user_id: user, ...over.fields }),
    references: toReferences({ user_id: [user], ...over.references }),
    idleTimeout: over.idleTimeout === undefined ? HOUR_MS : over.idleTimeout,
    absoluteTimeout: over.absoluteTimeout === undefined ? DAY_MS : over.absoluteTimeout,
    keep: over.keep ?? [],
    identity: over.identity ?? ["user_id"],
    tombstone: over.tombstone ?? HOUR_MS,
    maxBytes: over.maxBytes ?? MAX_BYTES,
    asOf: over.asOf,
  };
}

/** Signs this user in at an id, and returns the new id and the answer. Fails if it was refused. */
export async function signIn(
  store: SessionStore,
  id: string,
  user: string,
  over?: SignInDraft,
): Promise<{ to: string; answer: Extract<SignedIn, { state: "signed-in" }> }> {
  const sent = createSignIn(id, user, over);
  const answer = await store.signIn(id, sent);
  assert.equal(answer.state, "signed-in");
  return { to: sent.id, answer };
}

/** Renews a session `times` times, and returns all its ids, the first one first. */
export async function renew(
  store: SessionStore,
  first: string,
  times: number,
  over: Partial<Rotation> = {},
): Promise<string[]> {
  const ids = [first];
  for (let id = first; ids.length <= times; ) {
    const to = newIdBeside(id);
    expectDone(await change(store, id, { rotation: createRotation(to, over) }));
    ids.push(to);
    id = to;
  }
  return ids;
}

/** Finds the session that the id leads to, and fails if there is none. */
export async function findLive(
  store: SessionStore,
  id: string,
  names?: readonly string[],
): Promise<StoredSession> {
  const lookup = await store.find(id, { names });
  assert.equal(lookup.state, "live", `find says ${lookup.state} of a session that is alive`);
  return lookup.session;
}

export async function readTexts(store: SessionStore, id: string): Promise<Texts> {
  return Object.fromEntries((await findLive(store, id)).fields);
}

export async function assertGone(store: SessionStore, ...ids: string[]): Promise<void> {
  for (const id of ids) assert.deepEqual(await store.find(id), { state: "gone" });
}

export async function assertSuperseded(
  store: SessionStore,
  { hadIdentity }: { readonly hadIdentity: boolean },
  ...ids: string[]
): Promise<void> {
  for (const id of ids) {
    assert.deepEqual(await store.find(id), { state: "superseded", by: "sign-in", hadIdentity });
  }
}

/** Asserts that these ids lead to sessions that their own requests ended. */
export async function assertDeleted(store: SessionStore, ...ids: string[]): Promise<void> {
  const superseded = { state: "superseded", by: "delete", hadIdentity: false };
  for (const id of ids) assert.deepEqual(await store.find(id), superseded);
}

/** Returns the answer of a change that was made, and fails otherwise. */
export function expectDone(answer: Changed): Extract<Changed, { state: "changed" }> {
  assert.equal(answer.state, "changed");
  return answer;
}

export function pickTimes(times: Times): Times {
  const { createdAt, lastSeenAt, idleTimeout, absoluteDeadline, expiresAt } = times;
  return { createdAt, lastSeenAt, idleTimeout, absoluteDeadline, expiresAt };
}

/** Reads every session of a set through its pages, and fails if one comes twice. */
export async function readAllPages(
  store: SessionStore,
  reference: Reference,
  options?: PageOptions,
): Promise<StoredSession[]> {
  const sessions: StoredSession[] = [];
  for await (const page of store.pages(reference, options)) sessions.push(...page);
  assert.equal(new Set(sessions.map(({ id }) => id)).size, sessions.length, "a session came twice");
  return sessions;
}

/** Asserts that every way to read a set gives exactly these sessions. */
export async function assertMembers(
  store: SessionStore,
  reference: Reference,
  ids: readonly string[],
): Promise<void> {
  const expected = [...ids].sort();
  const set = `${reference.field} = ${reference.text.slice(0, 40)}`;
  assert.equal(await store.count(reference), expected.length, `count of ${set}`);
  const paged = (await readAllPages(store, reference)).map(({ id }) => id);
  assert.deepEqual(paged.sort(), expected, `pages of ${set}`);
  if (expected.length <= MAX_LIST_LIMIT) {
    for (const order of ["last-seen", "deadline"] as const) {
      const listed = await store.list(reference, { limit: MAX_LIST_LIMIT, order });
      assert.deepEqual(listed.map(({ id }) => id).sort(), expected, `list of ${set} (${order})`);
    }
  }
  for (const id of expected.slice(0, 20)) {
    assert.equal(await store.has(reference, id), true, `has of ${set}`);
  }
}
