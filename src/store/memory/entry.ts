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

/* What the memory store keeps, and what one session becomes and says. */

/** What the memory store keeps at an id: a session, or what a rotation left there. */
export type Entry = Session | Alias | Tombstone;

export interface Session extends Mutable<Times> {
  readonly kind: "session";
  id: string;
  /** The id it was made with. */
  readonly lineage: string;
  /** The id before this one, where an alias was left there. */
  previous: string | null;
  /** Which of all it was when it was made, where the program has given no clock of its own; else 0. */
  readonly order: number;
  /** Which use of all was its last: where the clock stands still, as in a test, lists go by this. */
  lastUse: number;
  readonly fields: Map<string, string>;
  /** What it counts for, with what it takes beside its fields. */
  bytes: number;
  /** The fields that say who the user is and have a value. */
  readonly identities: Set<string>;
  /** The values of its reference fields, as texts; a field without any is not in it. */
  readonly references: Map<string, Set<string>>;
}

export interface Alias {
  readonly kind: "alias";
  readonly target: string;
  /** The id before this one, where an alias was left there. */
  readonly previous: string | null;
  readonly expiresAt: number;
}

export interface Tombstone {
  readonly kind: "tombstone";
  readonly by: Superseded["by"];
  readonly hadIdentity: boolean;
  /** The fields that say who the user is and that the sign-in has named. */
  readonly named: readonly string[];
  readonly expiresAt: number;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

export function toTimes(session: Session): Times {
  const { createdAt, lastSeenAt, idleTimeout, absoluteDeadline, expiresAt } = session;
  return { createdAt, lastSeenAt, idleTimeout, absoluteDeadline, expiresAt };
}

let uses = 0;

/** Pushes the idle deadline forward; the absolute one holds beside it (I6). */
export function slideDeadline(session: Session, now: number): void {
  const { idleTimeout, absoluteDeadline } = session;
  session.lastSeenAt = now;
  session.lastUse = ++uses;
  session.expiresAt = Math.min(
    idleTimeout === null ? Number.POSITIVE_INFINITY : now + idleTimeout,
    absoluteDeadline ?? Number.POSITIVE_INFINITY,
  );
}

/** Whose a session is that a call names a user for; null where it names none. */
export interface Ownership {
  /** Another user's, nobody's, or one that is signed out: another session takes its place. */
  readonly changes: boolean;
  /** Whether the user that it names may see what the session has. */
  readonly mayKeep: boolean;
}

/** Each identity field counts by itself, and the strictest for all. */
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
  return texts.some((text) => had.has(text)) ? "same" : "another"; // a sign-out, too
}

/** The bytes of the fields after the changes; 0 where the changes add nothing. */
export function countBytesAfter(session: Session, { set, unset }: FieldChanges): number {
  if (set.size === 0) return 0;
  const after = new Map(session.fields);
  for (const name of unset) after.delete(name);
  for (const [name, text] of set) after.set(name, text);
  return countBytes(after);
}

/**
 * @throws SessionError ERR_SESSION_VALUE where the references would have too many values after the
 * changes; those that only take some away are let through.
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

/** Whether a field says who the user of a session is from now on. */
export function noteIdentity(session: Session, field: string, texts: readonly string[]): void {
  if (texts.length > 0) session.identities.add(field);
  else session.identities.delete(field);
}

/** About what a session takes beside its fields and references. */
const SESSION_OVERHEAD_BYTES = 1024;
/** About what each field and each value of a reference takes beside its text. */
const ENTRY_OVERHEAD_BYTES = 128;

/** What a session counts for. V8 keeps a text that is not Latin alone in two bytes a character. */
export function weigh(
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

function countTextBytes(text: string): number {
  return LATIN.test(text) ? text.length : 2 * text.length;
}

const LATIN = /^[\0-\xff]*$/;

/** What a session counts for after the changes. */
export function weighAfter(session: Session, { set, unset, references }: FieldChanges): number {
  const fields = new Map(session.fields);
  for (const name of unset) fields.delete(name);
  for (const [name, text] of set) fields.set(name, text);
  const after = new Map<string, Iterable<string>>(session.references);
  for (const { field, texts } of references) after.set(field, texts);
  return weigh(fields, after.values());
}

export function toStoredSession(session: Session, names?: readonly string[]): StoredSession {
  const fields = names
    ? [...session.fields].filter(([name]) => names.includes(name))
    : session.fields;
  const { id, lineage } = session;
  return { id, lineage, fields: new Map(fields), ...toTimes(session) };
}

export type ChangedSession = Extract<Changed, { readonly state: "changed" }>;

export function toChanged(session: Session, rotated: boolean): ChangedSession {
  return {
    state: "changed",
    id: session.id,
    lineage: session.lineage,
    rotated,
    times: toTimes(session),
    fields: rotated ? new Map(session.fields) : null,
  };
}

/** What stays of a session, if there was one, whose place another one takes. */
export function describeSuperseded(
  session: Session | null,
  identity: readonly string[],
  references: readonly FieldReferences[],
): Pick<Tombstone, "by" | "hadIdentity" | "named"> {
  const hadIdentity = identity.some((field) => session?.references.has(field));
  return { by: "sign-in", hadIdentity, named: listNamedIdentities(references, identity) };
}

/** The fields that say who the user is and that a change gives values. */
function listNamedIdentities(
  references: readonly FieldReferences[],
  identity: readonly string[],
): string[] {
  return references
    .filter(({ field, texts }) => identity.includes(field) && texts.length > 0)
    .map(({ field }) => field);
}

/** What a session that is to be made has of its own, and of the one whose place it takes. */
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

export function toSignedIn(session: Session, ended: boolean): SignedIn {
  const fields = new Map(session.fields);
  return { state: "signed-in", times: toTimes(session), fields, ended };
}

/** What an id leads to that leads to no session: nothing, a tombstone, or too many aliases. */
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
