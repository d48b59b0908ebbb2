import { createConfigError, quote, SessionError } from "../../../shared/errors.ts";
import { readElements, readSafely } from "../../../shared/given.ts";
import type { FieldReferences, Reference } from "../../../store/contract.ts";
import { encodeText, type JSONRecord } from "../../shared/json-record.ts";
import { quoteName, toErrorField } from "../ids.ts";

/*
 * References whose values are named by their texts: 1 and "1" are the same. Their ids are kept in
 * plain Redis sets, too.
 */

/** The fields that are declared as references. */
export interface DeclaredReferences {
  readonly references: ReadonlySet<string>;
  /** Those that give the session a new token: where they get their first value, at least. */
  readonly identity: readonly string[];
  /** Those of them that do so with their first value alone. */
  readonly firstOnly: readonly string[];
}

/** @throws SessionError ERR_SESSION_CONFIG for a declaration that cannot work. */
export function parseReferences(references: unknown = {}): DeclaredReferences {
  return readSafely("ERR_SESSION_CONFIG", "references", () => declared(references));
}

function declared(references: unknown): DeclaredReferences {
  // Lists and maps have no names of fields: none would be declared, and nothing said.
  if (typeof references !== "object" || references === null || Symbol.iterator in references) {
    throw createConfigError(
      `references must be an object with the names of the fields: references: { user_id: {} }; got ${quote(references)}`,
      { option: "references" },
    );
  }
  const all = Object.entries(references).map(
    ([field, value]) => [field, parseRotation(field, value)] as const,
  );
  const identity = all.filter(([, rotate]) => rotate !== false);
  return {
    references: new Set(all.map(([field]) => field)),
    identity: identity.map(([field]) => field),
    firstOnly: identity.filter(([, rotate]) => rotate === undefined).map(([field]) => field),
  };
}

/** What a declaration says of `rotate`; any value is a declaration. */
function parseRotation(field: string, declared: unknown): boolean | undefined {
  if (typeof declared !== "object" || declared === null) return undefined;
  const { rotate, ...others } = declared as { rotate?: unknown };
  const [other] = Object.keys(others);
  const named = quote(field);
  if (other === "identity") {
    throw createConfigError(
      `The reference ${named} has no option "identity" here: one that does not say who the user is is declared { rotate: false }`,
      { option: "references", field },
    );
  }
  if (other !== undefined) {
    throw createConfigError(
      `The reference ${named} has no option ${quote(other)}; it is declared {}, { rotate: true } or { rotate: false }`,
      { option: "references", field },
    );
  }
  if (rotate === undefined || typeof rotate === "boolean") return rotate;
  throw createConfigError(`rotate of the reference ${named} must be true or false`, {
    option: "references",
    field,
  });
}

export function createReference(field: string, value: unknown): Reference {
  if (typeof field !== "string") {
    throw new SessionError(
      "ERR_SESSION_VALUE",
      "A reference is named by its field, which is a string",
    );
  }
  const [text, ...more] = encodeTexts(field, value);
  if (text === undefined || more.length > 0) throw createNotReferenceError(field);
  return { field, text, plain: true };
}

/** The references among the fields of a record; a field that is null, or is to go, has none. */
export function pickReferences(
  record: JSONRecord,
  declared: ReadonlySet<string>,
): FieldReferences[] {
  return Object.entries(record)
    .filter(([field]) => declared.has(field))
    .map(([field, value]) => ({ field, texts: encodeTexts(field, value), plain: true }));
}

function encodeTexts(field: string, value: unknown): string[] {
  const list = readElements("ERR_SESSION_VALUE", `The field ${quoteName(field)}`, value);
  const texts = (list ?? [value ?? []].flat()).map((element) => {
    if (!["string", "number", "boolean"].includes(typeof element))
      throw createNotReferenceError(field);
    return encodeText(String(element));
  });
  return [...new Set(texts)];
}

function createNotReferenceError(field: string): SessionError {
  return new SessionError(
    "ERR_SESSION_VALUE",
    `The field ${quoteName(field)} is a reference, so its value must be a string, a number or a boolean`,
    { field: toErrorField(field) },
  );
}
