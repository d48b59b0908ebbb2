import { quote, SessionError } from "../../shared/errors.ts";
import type { FieldReferences, Reference } from "../../store/contract.ts";
import { encodeText, type JSONRecord } from "../shared/json-record.ts";

/*
 * References whose values are named by their texts: 1 and "1" are the same. Their ids are kept in
 * plain Redis sets, too.
 */

export function referenceOf(field: string, value: unknown): Reference {
  const [text, ...more] = textsOf(field, value);
  if (text === undefined || more.length > 0) throw noReference(field);
  return { field, text, plain: true };
}

/** The references among the fields of a record; a field that is null, or is to go, has none. */
export function referencesOf(record: JSONRecord, declared: ReadonlySet<string>): FieldReferences[] {
  return Object.entries(record)
    .filter(([field]) => declared.has(field))
    .map(([field, value]) => ({ field, texts: textsOf(field, value), plain: true }));
}

function textsOf(field: string, value: unknown): string[] {
  const texts = [value ?? []].flat().map((element) => {
    if (!["string", "number", "boolean"].includes(typeof element)) throw noReference(field);
    return encodeText(String(element));
  });
  return [...new Set(texts)];
}

function noReference(field: string): SessionError {
  return new SessionError(
    "ERR_SESSION_VALUE",
    `The field ${quote(field)} is a reference, so its value must be a string, a number or a boolean`,
    { field },
  );
}
