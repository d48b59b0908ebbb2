import { countBytes } from "../../shared/codec.ts";
import { createTooManyReferencesError, MAX_REFERENCES } from "../../shared/errors.ts";
import type {
  Changed,
  FieldChanges,
  FieldReferences,
  Gone,
  NewSession,
  SignedIn,
  SignIn,
  StoredSession,
  Superseded,
  Times,
} from "../contract.ts";

/* The entries of the memory store, and what is derived from one of them. */

/** What the memory store keeps at an id. */
export type Entry = Session | Alias | Tombstone;

export interface Session extends Mutable<Times> {
  readonly kind: "session";
  id: string;
  /** The id that it was made with. */
  readonly lineage: string;
  /** The id before this one, if an alias was left there. */
  previous: string | null;
  /** Its place among all sessions in the order of their creation, or 0 if the program gave a clock. */
  readonly order: number;
  /** The number of its last use among all uses. It orders lists if the clock stands still, as in tests. */
  lastUse: number;
  readonly fields: Map<string, string>;
  /** How many bytes it counts for, including its overhead. */
  bytes: number;
  /** The identity fields that have a value. */
  readonly identities: Set<string>;
  /** The values of its reference fields, as texts. A field without values isn't included. */
  readonly references: Map<string, Set<string>>;
}

export interface Alias {
  readonly kind: "alias";
  readonly target: string;
  /** The id before this one, if an alias was left there. */
  readonly previous: string | null;
  readonly expiresAt: number;
}

export interface Tombstone {
  readonly kind: "tombstone";
  readonly by: Superseded["by"];
  readonly hadIdentity: boolean;
  /** The identity fields that the sign-in named. */
  readonly named: readonly string[];
  readonly expiresAt: number;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

export function toTimes(session: Session): Times {
  const { createdAt, lastSeenAt, idleTimeout, absoluteDeadline, expiresAt } = session;
  return { createdAt, lastSeenAt, idleTimeout, absoluteDeadline, expiresAt };
}

let uses = 0;

/** Pushes the idle deadline forward. The absolute deadline still applies (I6). */
export function slideDeadline(session: Session, now: number): void {
  const { idleTimeout, absoluteDeadline } = session;
  session.lastSeenAt = now;
  session.lastUse = ++uses;
  session.expiresAt = Math.min(
    idleTimeout === null ? Number.POSITIVE_INFINITY : now + idleTimeout,
    absoluteDeadline ?? Number.POSITIVE_INFINITY,
  );
}

/** How the user that a call names compares with the session's. */
export interface Ownership {
  /** Whether the session is another user's or nobody's, or is signed out: another session replaces it. */
  readonly changes: boolean;
  /** Whether the named user may see the session's fields. */
  readonly mayKeep: boolean;
}

/**
 * Compares each identity field by itself; the strictest result counts. Null where the references name no
 * user.
 */
export function compareOwners(
  session: Session,
  references: readonly FieldReferences[],
  identity: readonly string[],
): Ownership | null {
  const owners = references
    .filter(({ field }) => identity.includes(field))
    .map(({ field, texts }) => compareIdentity(session.references.get(field), texts))
    .filter((owner) => owner !== null);
  if (owners.length === 0) return null;
  const mayKeep = !owners.includes("another");
  return { changes: owners.some((owner) => owner !== "same"), mayKeep };
}

function compareIdentity(had: ReadonlySet<string> | undefined, texts: readonly string[]) {
  if (!had) return texts.length === 0 ? null : "nobody";
  return texts.some((text) => had.has(text)) ? "same" : "another"; // without texts: a sign-out
}

/** The bytes of the fields after the changes; 0 if the changes set nothing. */
export function countBytesAfter(session: Session, changes: FieldChanges): number {
  return changes.set.size === 0 ? 0 : countBytes(deriveFieldsAfter(session, changes));
}

function deriveFieldsAfter(session: Session, { set, unset }: FieldChanges): Map<string, string> {
  const fields = new Map([...session.fields, ...set]);
  for (const name of unset) fields.delete(name);
  return fields;
}

/**
 * Changes that only remove values are always allowed.
 *
 * @throws SessionError ERR_SESSION_VALUE if the references would have too many values after the changes.
 */
export function checkReferences(
  session: Session | null,
  references: readonly FieldReferences[],
): void {
  const after = new Map(
    [...(session?.references ?? [])].map(([field, texts]) => [field, texts.size]),
  );
  let added = false;
  for (const { field, texts } of references) {
    added ||= texts.some((text) => !session?.references.get(field)?.has(text));
    after.set(field, texts.length);
  }
  const count = [...after.values()].reduce((sum, size) => sum + size, 0);
  if (added && count > MAX_REFERENCES) throw createTooManyReferencesError(count);
}

/** Records whether an identity field has a value. */
export function updateIdentities(session: Session, field: string, texts: readonly string[]): void {
  if (texts.length > 0) session.identities.add(field);
  else session.identities.delete(field);
}

/** The approximate size of a session without its fields and references. */
const SESSION_OVERHEAD_BYTES = 1024;
/** The approximate size of a field, or of a value of a reference, without its text. */
const ENTRY_OVERHEAD_BYTES = 128;

/** How many bytes a session counts for. */
export function estimateBytes(
  fields: ReadonlyMap<string, string>,
  references: Iterable<Iterable<string>>,
): number {
  let bytes = SESSION_OVERHEAD_BYTES;
  for (const [name, text] of fields)
    bytes += ENTRY_OVERHEAD_BYTES + countTextBytes(name) + countTextBytes(text);
  for (const texts of references) {
    for (const text of texts) bytes += ENTRY_OVERHEAD_BYTES + 2 * countTextBytes(text);
  }
  return bytes;
}

/** V8 keeps a text in one byte a character if all are Latin-1, otherwise in two. */
function countTextBytes(text: string): number {
  return LATIN_PATTERN.test(text) ? text.length : 2 * text.length;
}

const LATIN_PATTERN = /^[\0-\xff]*$/;

/** How many bytes a session counts for after the changes. */
export function estimateBytesAfter(session: Session, changes: FieldChanges): number {
  const references = new Map<string, Iterable<string>>(session.references);
  for (const { field, texts } of changes.references) references.set(field, texts);
  return estimateBytes(deriveFieldsAfter(session, changes), references.values());
}

export function toStoredSession(session: Session, names?: readonly string[]): StoredSession {
  const fields = names
    ? [...session.fields].filter(([name]) => names.includes(name))
    : session.fields;
  const { id, lineage } = session;
  return { id, lineage, fields: new Map(fields), ...toTimes(session) };
}

export type ChangedSession = Extract<Changed, { readonly state: "changed" }>;

export function toChanged(
  session: Session,
  { rotated }: { readonly rotated: boolean },
): ChangedSession {
  return {
    state: "changed",
    id: session.id,
    lineage: session.lineage,
    rotated,
    times: toTimes(session),
    fields: rotated ? new Map(session.fields) : null,
  };
}

/** What the tombstone of a replaced session says; `session` is null if there was none. */
export function describeSuperseded(
  session: Session | null,
  identity: readonly string[],
  references: readonly FieldReferences[],
): Pick<Tombstone, "by" | "hadIdentity" | "named"> {
  const hadIdentity = identity.some((field) => session?.references.has(field));
  return { by: "sign-in", hadIdentity, named: listNamedIdentities(references, identity) };
}

/** What replaces a session: a sign-in if it names a user, otherwise a sign-out. */
export function describeReplacement(
  identity: readonly string[],
  references: readonly FieldReferences[],
): "sign-in" | "delete" {
  return listNamedIdentities(references, identity).length > 0 ? "sign-in" : "delete";
}

/** The identity fields that a change gives values. */
function listNamedIdentities(
  references: readonly FieldReferences[],
  identity: readonly string[],
): string[] {
  return references
    .filter(({ field, texts }) => identity.includes(field) && texts.length > 0)
    .map(({ field }) => field);
}

/** The fields and references of a new session, with those it keeps from the session that it replaces. */
export function mergeKept(
  { fields, references, keep, identity }: SignIn,
  old: Session | null,
): Pick<NewSession, "fields" | "references"> {
  if (!old || compareOwners(old, references, identity)?.mayKeep === false)
    return { fields, references };
  const kept = new Set(keep.filter((name) => !fields.has(name)));
  return {
    fields: new Map([...[...old.fields].filter(([name]) => kept.has(name)), ...fields]),
    references: [
      ...references,
      ...[...old.references]
        .filter(([field]) => kept.has(field))
        .map(([field, texts]) => ({ field, texts: [...texts], plain: false })),
    ],
  };
}

export function toSignedIn(session: Session, { ended }: { readonly ended: boolean }): SignedIn {
  const fields = new Map(session.fields);
  return { state: "signed-in", times: toTimes(session), fields, ended };
}

/** The answer for an id that leads to no session, but to nothing, a tombstone, or too many aliases. */
export function toAbsent(
  marker: Alias | Tombstone | undefined,
  references: readonly FieldReferences[] = [],
  identity: readonly string[] = [],
): Superseded | Gone {
  if (marker === undefined) return { state: "gone" };
  if (marker.kind === "alias") return { state: "superseded", by: "sign-in", hadIdentity: true };
  const given = listNamedIdentities(references, identity);
  const namesLess = given.length > 0 && marker.named.some((field) => !given.includes(field));
  return { state: "superseded", by: marker.by, hadIdentity: marker.hadIdentity || namesLess };
}
