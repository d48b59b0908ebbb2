import type { Session } from "../../../sessions/types.ts";
import {
  decodeValue,
  encodeReferenceTexts,
  encodeValue,
  findNameFault,
} from "../../../shared/codec.ts";
import { quote, SessionError } from "../../../shared/errors.ts";
import type { FieldChanges, FieldReferences, Fields } from "../../../store/contract.ts";
import type { Limit } from "../../../store/entering.ts";
import { toJSONRecord } from "../../shared/json-record.ts";
import {
  assembleCookie,
  type Cookie,
  isCookieField,
  isFixed,
  isReservedForCookies,
  toCookie,
} from "./cookie.ts";

/*
 * A session of a middleware as fields. Each of its properties is a field, and so is the cookie. As in
 * other stores, JSON.stringify says what is stored: a Date becomes a string, and undefined is left out.
 * The values that functions find for references are further fields.
 */

/** A reference, as declared. */
export interface StoreReference {
  readonly name: string;
  /** Whether the ids are kept as a plain Redis set, too. */
  readonly plain: boolean;
  /** How many sessions a value may have, if that is limited. */
  readonly limit: Limit | undefined;
  /** Finds the value in a session; null where it is the session's own field. */
  readonly from: ((session: object) => unknown) | null;
}

/** References by the names of the fields that hold their values. */
export type References = ReadonlyMap<string, StoreReference>;

/** A session as it is stored. */
export interface SessionRecord {
  readonly fields: Fields;
  /** The values that reference fields have, as texts. */
  readonly texts: ReadonlyMap<string, readonly string[]>;
  /** The middleware's cookie, as JSON has it. */
  readonly cookie: Cookie;
}

const FOUND_PREFIX = "~";

/**
 * The name of the field that holds a reference's value. A value that a function finds has a field
 * beside those of the session.
 */
export function toStoredName(name: string, { isFound }: { readonly isFound: boolean }): string {
  return isFound ? FOUND_PREFIX + name : name;
}

/** How a record is made. */
export interface RecordOptions {
  /** The most bytes that one value may have. A longer one is refused before it is read whole. */
  readonly maxBytes: number;
  /**
   * Called with the name of a field that cannot be stored under it, and the fault. If it returns, the
   * field is left out.
   */
  readonly onUnnamed?: (name: string, fault: string) => void;
}

/**
 * @throws SessionError ERR_SESSION_VALUE for a value that cannot be stored, with the field;
 * ERR_SESSION_TOO_LARGE.
 */
export function createRecord(
  session: unknown,
  references: References,
  { maxBytes, onUnnamed = refuseUnnamed }: RecordOptions,
): SessionRecord {
  const data = toJSONRecord("The session", session);
  const fields = new Map<string, string>();
  const texts = new Map<string, readonly string[]>();
  for (const [name, value] of Object.entries(data)) {
    const fault = findFault(name, references);
    if (fault !== undefined) {
      onUnnamed(name, fault);
      continue;
    }
    if (references.has(name)) texts.set(name, encodeReferenceTexts(name, value));
    fields.set(name, encodeValue(name, value, maxBytes));
  }
  for (const [field, { name, from }] of references) {
    if (!from) continue;
    const value = findValue(name, from, data) ?? null;
    const found = encodeReferenceTexts(name, value);
    if (found.length === 0) continue;
    texts.set(field, found);
    fields.set(field, encodeValue(name, value, maxBytes));
  }
  return { fields, texts, cookie: toCookie(data) };
}

function findFault(name: string, references: References): string | undefined {
  if (references.get(name)?.from) return "is reserved for a reference";
  if (isReservedForCookies(name)) return "is reserved for the options of cookies";
  return findNameFault(name);
}

function refuseUnnamed(name: string, fault: string): never {
  throw new SessionError(
    "ERR_SESSION_VALUE",
    `The session has the field ${quote(name)}, whose name ${fault}; nothing was written`,
    { field: name },
  );
}

/**
 * Decodes a session from its stored fields.
 *
 * @param expiresAt when it ends, on this process's clock.
 */
export function toData<Data>(fields: Fields, expiresAt: number, references: References): Data {
  // fromEntries defines properties, so that no name reaches a setter.
  const data = Object.fromEntries([...fields].map(([name, text]) => [name, decodeValue(text)]));
  return cleanData(data as Data, expiresAt, references);
}

/** Turns a session of a session set into one as the middleware knows it. */
export function toSavedSession<Data>(
  session: Session<Data>,
  references: References,
): Session<Data> {
  const data = cleanData(session.data, session.expiresAt.getTime(), references);
  const { cookie } = data as { cookie?: unknown };
  // A sliding session has an absolute deadline, too, but never reaches it.
  return { ...session, data, absoluteDeadline: isFixed(cookie) ? session.absoluteDeadline : null };
}

/** Removes the values that functions found for references, and assembles the cookie. */
function cleanData<Data>(data: Data, expiresAt: number, references: References): Data {
  const own = Object.entries(Object(data)).filter(([name]) => !references.get(name)?.from);
  return assembleCookie(Object.fromEntries(own), expiresAt) as Data;
}

/** The fields without those that hold the cookie. */
export function omitCookie(fields: Fields): Fields {
  return new Map([...fields].filter(([name]) => !isCookieField(name)));
}

/** The changes that turn the fields `before` into those of a record, except the cookie. */
export function compareRecords(
  before: Fields,
  { fields: all, texts }: SessionRecord,
  references: References,
): Omit<FieldChanges, "maxBytes"> {
  const fields = omitCookie(all);
  const set = new Map([...fields].filter(([name, text]) => before.get(name) !== text));
  const unset = [...before.keys()].filter((name) => !fields.has(name));
  return { set, unset, references: pickReferences([...set.keys(), ...unset], texts, references) };
}

/**
 * The references among some fields, with all their values. Each counts as one that says who the user is,
 * so that a full memory store ends sessions without a user before others.
 */
export function pickReferences(
  fields: Iterable<string>,
  texts: SessionRecord["texts"],
  references: References,
): FieldReferences[] {
  const found: FieldReferences[] = [];
  for (const field of fields) {
    const declared = references.get(field);
    if (!declared) continue;
    const { plain, limit } = declared;
    found.push({ field, texts: texts.get(field) ?? [], plain, limit, identity: true });
  }
  return found;
}

function findValue(name: string, from: NonNullable<StoreReference["from"]>, data: object): unknown {
  try {
    return from(data);
  } catch (cause) {
    throw new SessionError(
      "ERR_SESSION_VALUE",
      `The function of the reference ${quote(name)} fails on a session. Nothing was written. See the cause, and let the function return undefined if it finds nothing`,
      { field: name, cause },
    );
  }
}
