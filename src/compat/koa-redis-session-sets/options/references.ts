import { createConfigError, quote, SessionError } from "../../../shared/errors.ts";
import { readElements, readSafely } from "../../../shared/given.ts";
import type { FieldReferences, Reference } from "../../../store/contract.ts";
import { encodeText, type JSONRecord } from "../../shared/json-record.ts";
import { quoteName, toErrorField } from "../ids.ts";

/*
 * References whose values are compared as texts, so that 1 and "1" are the same. The ids of their
 * sessions are kept in plain Redis sets, too.
 */

/** The fields that are declared as references. */
export interface KoaReferences {
  readonly references: ReadonlySet<string>;
  /** Those that say who the user is. Their first value, at least, gives the session a new token. */
  readonly identity: readonly string[];
  /** Those of them whose later values give it none. */
  readonly firstOnly: readonly string[];
}

/** @throws SessionError ERR_SESSION_CONFIG for a declaration that cannot work. */
export function parseReferences(references: unknown = {}): KoaReferences {
  return readSafely("ERR_SESSION_CONFIG", "references", () => readReferences(references));
}

function readReferences(references: unknown): KoaReferences {
  // Lists and maps have no field names: no reference would be declared, without an error.
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

/** The `rotate` of a declaration. Any value is a declaration. */
function parseRotation(field: string, declared: unknown): boolean | undefined {
  if (typeof declared !== "object" || declared === null) return undefined;
  const { rotate, ...others } = declared as { rotate?: unknown };
  const [other] = Object.keys(others);
  const named = quote(field);
  if (other === "identity") {
    throw createConfigError(
      `The reference ${named} has no option "identity" here: write { rotate: false } for one that does not say who the user is`,
      { option: "references", field },
    );
  }
  if (other === "limit" || other === "whenFull") {
    throw createConfigError(
      `The reference ${named} has no option ${quote(other)} here: koa-redis-session-sets has no limits, and this entry keeps to its API; leave it out, or use createSessions and the middleware of session-sets/koa, whose references have limits`,
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

/** The references among the fields of a record. A field that is null has no values. */
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
