import {
  createTooLargeError,
  createTooManyReferencesError,
  MAX_REFERENCES,
  quote,
  SessionError,
  toFieldName,
} from "./errors.ts";
import { isDense, readSafely } from "./given.ts";

/*
 * The codec turns any JSON value into a text that reads well in redis-cli, and back.
 *
 * A string is stored as it is, or JSON-quoted if it would read back as JSON. So the first character tells
 * whether a text is JSON, and other texts are never parsed.
 */

/** How deep arrays and objects may be nested inside one value. */
const MAX_DEPTH = 200;
const MAX_NAME_BYTES = 256;

/** A number begins with "-" or a digit, which come before all letters. */
const CODE_OF_9 = "9".charCodeAt(0);

// RFC 8259, section 6.
const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

/** Throws ERR_SESSION_VALUE unless `name` can be the name of a session's field. */
export function checkFieldName(name: unknown): asserts name is string {
  const fault = findNameFault(name);
  if (fault) {
    throw new SessionError("ERR_SESSION_VALUE", `The field name ${quote(name)} ${fault}`, {
      field: toFieldName(name),
    });
  }
}

/** Says what is wrong with a field's name, or undefined. */
export function findNameFault(name: unknown): string | undefined {
  if (typeof name !== "string") return "is not a string";
  if (name === "") return "is empty";
  if (name.startsWith("@"))
    return 'begins with "@", which is reserved for the library\'s own fields';
  if (name === "__proto__") return "is not allowed";
  if (!name.isWellFormed()) return "is not well-formed Unicode (it has a lone surrogate)";
  // A unit of UTF-16 takes three bytes of UTF-8 at most.
  if (3 * name.length > MAX_NAME_BYTES && Buffer.byteLength(name) > MAX_NAME_BYTES)
    return `is over ${MAX_NAME_BYTES} bytes`;
  return undefined;
}

/**
 * Encodes a field's value as a text. Throws ERR_SESSION_VALUE for what JSON would change. Throws
 * ERR_SESSION_TOO_LARGE as soon as the parts it has read are over `maxBytes`.
 */
export function encodeValue(
  field: string,
  value: unknown,
  maxBytes = Number.POSITIVE_INFINITY,
): string {
  if (typeof value === "string") return isPlain(value) ? value : JSON.stringify(value);
  return JSON.stringify(copyValue(field, value, maxBytes));
}

/**
 * Copies a value into plain data, which stays the same if the value's getters answer differently later.
 * Throws as `encodeValue` does.
 */
export function copyValue(
  field: string,
  value: unknown,
  maxBytes = Number.POSITIVE_INFINITY,
): unknown {
  const isContainer = typeof value === "object" && value !== null;
  if (!isContainer) return checkPart(field, value, []);
  const nameIt = () => `The field ${quote(field)}`;
  return readSafely("ERR_SESSION_VALUE", nameIt, () =>
    copyPart(field, value, { above: new Set(), path: [], left: maxBytes, maxBytes }),
  );
}

/** Decodes the value that a text stands for. */
export function decodeValue(text: string): unknown {
  switch (text[0]) {
    case "t":
      return text === "true" ? true : text;
    case "f":
      return text === "false" ? false : text;
    case "n":
      return text === "null" ? null : text;
    case '"':
    case "[":
    case "{":
      return parseJSON(text);
    default:
      return isNumber(text) ? Number(text) : text;
  }
}

/**
 * Encodes the texts that a reference's value is found by: one for a string, finite number or boolean,
 * one for each element of an array of them, none for null. Anything else is ERR_SESSION_VALUE.
 */
export function encodeReferenceTexts(field: string, value: unknown): string[] {
  const elements = Array.isArray(value) ? value : [value];
  const texts = new Set<string>();
  for (const element of elements) {
    if (element === null) continue;
    if (typeof element === "object") {
      throw new SessionError(
        "ERR_SESSION_VALUE",
        `The field ${quote(field)} is a reference, so its value must be a string, a finite number, a boolean, null, or an array of them; got ${Array.isArray(element) ? "an array in an array" : "an object"}`,
        { field },
      );
    }
    texts.add(encodeValue(field, element));
  }
  if (texts.size > MAX_REFERENCES) throw createTooManyReferencesError(texts.size, { field });
  return [...texts];
}

/** Whether a string may be stored unquoted: decodeValue gives the same string back. */
function isPlain(text: string): boolean {
  switch (text[0]) {
    case "t":
      return text !== "true" && text.isWellFormed();
    case "f":
      return text !== "false" && text.isWellFormed();
    case "n":
      return text !== "null" && text.isWellFormed();
    case '"':
    case "[":
    case "{":
      return false;
    default:
      return !isNumber(text) && text.isWellFormed();
  }
}

/** Whether a text is a number in JSON. Most texts show by their first character that they aren't. */
function isNumber(text: string): boolean {
  return text.charCodeAt(0) <= CODE_OF_9 && NUMBER.test(text);
}

function parseJSON(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text; // written by hand, not by encodeValue: a plain string
  }
}

/** The state of copying one value. */
interface CheckState {
  /** The containers around the present part. */
  readonly above: Set<object>;
  /** The keys that lead to the present part. */
  readonly path: string[];
  /** How many bytes the other parts may have. Each has two at least. */
  left: number;
  readonly maxBytes: number;
}

/** Copies a part of a value, and refuses what JSON.stringify would drop, change or fail on. */
function copyPart(field: string, value: unknown, state: CheckState): unknown {
  const { above, path, maxBytes } = state;
  checkPart(field, value, path);
  if (typeof value !== "object" || value === null) return value;
  if (above.has(value)) refuseValue(field, path, "a cycle");
  if (above.size >= MAX_DEPTH) refuseValue(field, path, `nested deeper than ${MAX_DEPTH} levels`);
  const keys = Object.keys(value);
  state.left -= 2 * keys.length;
  if (state.left < 0) throw createTooLargeError(maxBytes - state.left, maxBytes);
  above.add(value);
  const entries = keys.map((key): [string, unknown] => {
    path.push(key);
    const part = copyPart(field, (value as { readonly [key: string]: unknown })[key], state);
    path.pop();
    return [key, part];
  });
  above.delete(value);
  // fromEntries defines properties, so that no name reaches a setter.
  return Array.isArray(value) ? entries.map(([, one]) => one) : Object.fromEntries(entries);
}

function checkPart(field: string, value: unknown, path: readonly string[]): unknown {
  const fault = findFault(value);
  if (fault) refuseValue(field, path, fault);
  return value;
}

function findFault(value: unknown): string | undefined {
  switch (typeof value) {
    case "string":
    case "boolean":
      return undefined;
    case "number":
      return Number.isFinite(value) ? undefined : String(value);
    case "object":
      return value === null ? undefined : findObjectFault(value);
    default:
      return `a value of type ${typeof value}`;
  }
}

function findObjectFault(value: object): string | undefined {
  const isArray = Array.isArray(value);
  // Counting prototypes, unlike comparing them, accepts plain objects of other realms too.
  if (hasMorePrototypes(value, isArray ? 2 : 1))
    return `an object of class ${readClassName(value)}`;
  if (isArray && !isDense(value)) return "an array with holes or with properties of its own";
  if (Object.getOwnPropertySymbols(value).length > 0) return "an object with symbol keys";
  if (typeof (value as { toJSON?: unknown }).toJSON === "function") return "an object with toJSON";
  return undefined;
}

/** Whether an object has more than `max` prototypes. It stops there: a Proxy may have endless ones. */
function hasMorePrototypes(value: object, max: number): boolean {
  let prototype: object | null = value;
  for (let count = 0; count <= max; count++) {
    prototype = Object.getPrototypeOf(prototype);
    if (prototype === null) return false;
  }
  return true;
}

function readClassName(value: object): string {
  const { name } = Object(value.constructor) as { name?: unknown };
  return typeof name === "string" && name !== "" ? name : "unknown";
}

function refuseValue(field: string, keys: readonly string[], fault: string): never {
  const path = keys.map((key) => `[${quote(key)}]`).join("");
  throw new SessionError(
    "ERR_SESSION_VALUE",
    `The field ${quote(field)} cannot be stored: ${path === "" ? "it" : `the value at ${path.slice(0, 120)}`} is ${fault}, which JSON would change; convert it first (a Date with toISOString, a Map with Object.fromEntries)`,
    { field },
  );
}

/** Counts the bytes of fields' names and values together. */
export function countBytes(fields: ReadonlyMap<string, string>): number {
  let bytes = 0;
  for (const [name, text] of fields) bytes += Buffer.byteLength(name) + Buffer.byteLength(text);
  return bytes;
}
