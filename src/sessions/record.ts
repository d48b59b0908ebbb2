import {
  checkFieldName,
  copyValue,
  decodeValue,
  encodeReferenceTexts,
  encodeValue,
} from "../shared/codec.ts";
import {
  createConfigError,
  createTooManyReferencesError,
  MAX_REFERENCES,
  quote,
  SessionError,
  toFieldName,
} from "../shared/errors.ts";
import { readElements, readSafely } from "../shared/given.ts";
import { warnOnce } from "../shared/warnings.ts";
import type {
  FieldReferences,
  Fields,
  Lookalike,
  Reference,
  StoredSession,
  Times,
} from "../store/contract.ts";
import type { ReferenceConfig, Settings } from "./options/config.ts";
import type { Session } from "./types.ts";

/** Values in the form that a store takes. */
export interface EncodedValues {
  readonly set: Fields;
  readonly references: readonly FieldReferences[];
}

/** Accepts plain objects, and instances of classes. */
function isRecord(values: unknown): values is object {
  return Object.prototype.toString.call(values) === "[object Object]";
}

/**
 * Copies values into plain data, without the fields that are undefined. Each field is read once, so the
 * value that is checked is the one that is written.
 *
 * @throws SessionError ERR_SESSION_VALUE, naming the field; ERR_SESSION_TOO_LARGE.
 */
export function copyValues(values: unknown, { maxBytes }: Pick<Settings, "maxBytes">): object {
  const entries = readSafely("ERR_SESSION_VALUE", "A session's values", () =>
    isRecord(values) ? Object.entries(values) : null,
  );
  if (entries === null) {
    throw new SessionError(
      "ERR_SESSION_VALUE",
      "A session's values must be an object of fields, such as { user_id: 1 }",
    );
  }
  const given = entries.filter(([, value]) => value !== undefined);
  for (const [field] of given) checkFieldName(field);
  return Object.fromEntries(
    given.map(([field, value]) => [field, copyValue(field, value, maxBytes)]),
  );
}

/** Encodes plain values for a store. Throws ERR_SESSION_VALUE, naming the field. */
export function encodeValues(values: object, config: Settings): EncodedValues {
  const set = new Map<string, string>();
  const references: FieldReferences[] = [];
  for (const [field, value] of Object.entries(values)) {
    const declared = config.references.get(field);
    if (declared) {
      checkType(field, value, declared);
      references.push({
        field,
        texts: encodeReferenceTexts(field, value),
        ...toReferenceKind(field, declared, config),
      });
    }
    set.set(field, encodeValue(field, value, config.maxBytes));
  }
  const count = references.reduce((sum, { texts }) => sum + texts.length, 0);
  if (count > MAX_REFERENCES) throw createTooManyReferencesError(count);
  return { set, references };
}

/** Reads the fields to unset, once. @throws SessionError ERR_SESSION_VALUE for what isn't a list of names. */
export function parseFieldsToUnset(fields: unknown): string[] {
  const names = readElements("ERR_SESSION_VALUE", "The list of fields to unset", fields);
  if (names === null) {
    throw new SessionError("ERR_SESSION_VALUE", 'The fields to unset must be a list: ["theme"]');
  }
  return names.map(parseFieldName);
}

function parseFieldName(name: unknown): string {
  checkFieldName(name);
  return name;
}

/** Lists the references among fields that are unset. */
export function createUnsetReferences(
  fields: readonly string[],
  config: Settings,
): FieldReferences[] {
  const references: FieldReferences[] = [];
  for (const field of fields) {
    const declared = config.references.get(field);
    if (declared)
      references.push({ field, texts: [], ...toReferenceKind(field, declared, config) });
  }
  return references;
}

/** Says how a store keeps the values of a declared reference. */
function toReferenceKind(field: string, { plain, limit }: ReferenceConfig, { identity }: Settings) {
  return { plain, limit, identity: identity.includes(field) };
}

/**
 * Finds the declaration of a reference. Any other field is ERR_SESSION_CONFIG.
 *
 * @param verb what the program called with the field.
 */
export function requireReference(field: string, config: Settings, verb = "by"): ReferenceConfig {
  const declared = config.references.get(field);
  if (declared) return declared;
  const names = [...config.references.keys()].map(quote);
  const known = names.join(", ") || "none";
  if (typeof field !== "string") {
    const call = `${verb}(${names[0] ?? '"user_id"'}${verb === "by" ? ", value" : ""})`;
    throw createConfigError(
      `${verb} takes the name of a declared reference (declared: ${known}), as in ${call}; got ${quote(field)}`,
    );
  }
  throw createConfigError(
    `${quote(field)} isn't a declared reference (declared: ${known}); add it to the references of createSessions`,
    { field: toFieldName(field) },
  );
}

function isFindable(value: unknown): boolean {
  return typeof value === "number"
    ? Number.isFinite(value)
    : typeof value === "string" || typeof value === "boolean";
}

/** Refuses a value, or an element of it, of another type than its reference is declared with. */
function checkType(field: string, value: unknown, { type }: ReferenceConfig): void {
  const others = [value].flat().filter((one) => one !== null && typeof one !== type);
  if (type === null || others.length === 0) return;
  throw new SessionError(
    "ERR_SESSION_VALUE",
    `The reference ${quote(field)} is declared { type: "${type}" }, but got a ${typeof others[0]}; convert it first`,
    { field },
  );
}

/**
 * Checks and encodes one value of a declared reference.
 *
 * @param name the program's name of the field, if that isn't its name in the store.
 */
export function createReference(
  field: string,
  value: unknown,
  config: Settings,
  name?: string,
): Reference {
  const declared = requireReference(field, config);
  if (!isFindable(value)) {
    throw new SessionError(
      "ERR_SESSION_VALUE",
      `Sessions are looked up by one value of ${quote(name ?? field)}: a string, a finite number or a boolean, as in by(${quote(name ?? field)}, 1); got ${quote(value)}`,
      { field: name ?? field },
    );
  }
  const [text = ""] = encodeReferenceTexts(field, value);
  checkType(field, value, declared);
  const lookalike = declared.type === null ? findLookalike(field, value, name) : null;
  return { field, text, plain: declared.plain, ...(lookalike ? { lookalike } : {}) };
}

/** Finds the value that reads the same in the other type: the number 60 for "60", or "60" for 60. */
function findLookalike(field: string, value: unknown, name?: string): Lookalike | null {
  const other = typeof value === "string" ? decodeValue(value) : String(value);
  if (typeof value === typeof other || typeof other === "object") return null;
  if (String(other) !== String(value)) return null; // such as "1e400" or "1.0", which no number reads as
  const declarable = name === undefined && typeof other !== "boolean";
  return {
    text: encodeValue(field, other),
    onFound: () =>
      warnOnce(
        "SESSION_SETS_VALUE_TYPE",
        `by(${quote(name ?? field)}, …) was called with a ${typeof value} and found no session, but there are sessions that have the same value as a ${typeof other}: convert it (values from a URL or a form are strings)${declarable ? `, or declare the reference { type: "${typeof other}" }` : ""}`,
      ),
  };
}

export function decodeFields<Data>(fields: Fields): Data {
  const data: Record<string, unknown> = {};
  for (const [field, text] of fields) {
    const value = decodeValue(text);
    if (field in data) defineField(data, field, value);
    else data[field] = value;
  }
  return data as Data;
}

/** Defines a field whose name every object has, so that it reaches no setter and hides no other field. */
function defineField(data: object, field: string, value: unknown): void {
  Object.defineProperty(data, field, {
    value,
    configurable: true,
    enumerable: true,
    writable: true,
  });
}

export function toSession<Data>(stored: StoredSession): Session<Data> {
  return composeSession(stored, decodeFields<Data>(stored.fields), stored);
}

export function composeSession<Data>(
  { id, lineage }: Pick<StoredSession, "id" | "lineage">,
  data: Data,
  times: Times,
): Session<Data> {
  return {
    id,
    lineage,
    data,
    createdAt: new Date(times.createdAt),
    lastSeenAt: new Date(times.lastSeenAt),
    expiresAt: new Date(times.expiresAt),
    absoluteDeadline: times.absoluteDeadline === null ? null : new Date(times.absoluteDeadline),
  };
}

/** Gives the id and lineage of a session that was never rotated. */
export function toUnrotatedNames(id: string) {
  return { id, lineage: id };
}
