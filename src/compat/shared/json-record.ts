import { decodeValue, encodeValue } from "../../shared/codec.ts";
import { asCause, SessionError } from "../../shared/errors.ts";
import { readSafely } from "../../shared/given.ts";
import type { Fields } from "../../store/contract.ts";

/*
 * Records as the predecessors accept them: anything that JSON.stringify accepts, under any names. A
 * Date becomes its text, and undefined is dropped. The codec alone would refuse both.
 */

export interface JSONRecord {
  [name: string]: unknown;
}

/**
 * Copies a record by way of JSON.
 *
 * @throws SessionError ERR_SESSION_VALUE where JSON.stringify fails, or makes no object of it, and for a
 * promise, of which it would make an empty one.
 */
export function toJSONRecord(name: string, record: unknown): JSONRecord {
  readSafely("ERR_SESSION_VALUE", name, () => refusePromise(name, record));
  let json: unknown;
  try {
    json = JSON.parse(JSON.stringify(record) ?? "null");
  } catch (cause) {
    throw new SessionError(
      "ERR_SESSION_VALUE",
      `${name} cannot be stored, because JSON.stringify fails on it; see the cause. Nothing was written`,
      { cause: asCause(cause) },
    );
  }
  checkRecord(name, json);
  return json;
}

/** @throws SessionError ERR_SESSION_VALUE for a promise, which has no fields. */
export function refusePromise(name: string, record: unknown): void {
  if (typeof Object(record).then !== "function") return;
  throw new SessionError(
    "ERR_SESSION_VALUE",
    `${name} cannot be stored: a promise has to be awaited first; nothing was written`,
  );
}

/** @throws SessionError ERR_SESSION_VALUE for what isn't an object with fields. */
export function checkRecord(name: string, record: unknown): asserts record is JSONRecord {
  if (typeof record === "object" && record !== null && !Array.isArray(record)) return;
  throw new SessionError(
    "ERR_SESSION_VALUE",
    `${name} must be an object, such as { theme: "dark" }; nothing was written`,
  );
}

/** Encodes a record as fields, each under its name with `prefix` before it. */
export function encodeRecord(record: JSONRecord, prefix = ""): Map<string, string> {
  const fields = new Map<string, string>();
  for (const [name, value] of Object.entries(record)) {
    const text = typeof value === "string" ? encodeValue(name, value) : JSON.stringify(value);
    fields.set(encodeFieldName(name, prefix), text);
  }
  return fields;
}

export function encodeFieldName(name: string, prefix = ""): string {
  return encodeText(prefix + name);
}

/** Decodes a record from its fields. Fields without the prefix are not part of it. */
export function decodeRecord<Data = JSONRecord>(fields: Fields, prefix = ""): Data {
  const entries = [...fields]
    .map(([field, text]): [string, unknown] => [decodeText(field), decodeValue(text)])
    .filter(([name]) => name.startsWith(prefix))
    .map(([name, value]) => [name.slice(prefix.length), value]);
  // fromEntries defines properties, so that no name reaches a setter.
  return Object.fromEntries(entries) as Data;
}

/**
 * Encodes a text as a name or an id that every store accepts. Different texts stay different. A text
 * is put in quotes if it is empty, if it isn't well-formed Unicode, or if a client or a store would
 * read it as something of its own. Any other stays as it is.
 */
export function encodeText(text: string): string {
  return text.isWellFormed() && !/^["@]|^__proto__$|^$/.test(text) ? text : JSON.stringify(text);
}

export function decodeText(text: string): string {
  if (!text.startsWith('"')) return text;
  try {
    return JSON.parse(text) as string;
  } catch {
    return text; // it was written by hand, not by encodeText
  }
}
