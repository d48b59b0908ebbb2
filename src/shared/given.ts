import { asCause, createConfigError, quote, SessionError } from "./errors.ts";

/*
 * A caller's values are read once, into plain data, before they are used. They may be revoked Proxies,
 * have getters that throw, or answer differently each time.
 */

/**
 * Reads something that a caller has given. If reading it throws, it is refused, and the thrown error is
 * the cause. `what` names it.
 */
export function readSafely<T>(
  code: "ERR_SESSION_CONFIG" | "ERR_SESSION_VALUE",
  what: string | (() => string),
  read: () => T,
): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof SessionError) throw error;
    throw new SessionError(
      code,
      `${typeof what === "string" ? what : what()} cannot be read: a getter or a Proxy in it throws; see the cause. Nothing was done`,
      { cause: asCause(error) },
    );
  }
}

/**
 * Reads the options that a caller has given, without those that are undefined.
 *
 * @throws SessionError ERR_SESSION_CONFIG for what isn't a record, and for unknown names.
 */
export function readOptions<Options extends object>(
  what: string,
  options: Options,
  known: readonly string[],
): Options {
  return readSafely("ERR_SESSION_CONFIG", `An option of ${what}`, () => {
    refuseUnknownNames(what, options, known);
    return pickGiven(options, known);
  });
}

/** Reads each option once, by its name: a class may have them on its prototype. */
export function pickGiven<Options extends object>(
  options: Options,
  known: readonly string[],
): Options {
  const all = known.map((name) => [name, Reflect.get(options, name) as unknown] as const);
  return Object.fromEntries(all.filter(([, value]) => value !== undefined)) as Options;
}

/** Refuses what isn't a record of options, and names of options that don't exist. */
function refuseUnknownNames(what: string, options: object, known: readonly string[]): void {
  if (typeof options !== "object" || options === null || Array.isArray(options)) {
    throw createConfigError(
      `The options of ${what} must be an object: { ${known[0]}: … }; got ${quote(options)}`,
    );
  }
  for (const name of Object.keys(options)) {
    if (known.includes(name)) continue;
    throw createConfigError(
      `${what} has no option ${quote(name)}; its options are ${known.join(", ")}`,
      { option: name },
    );
  }
}

/**
 * Reads the elements of a list that a caller has given. Null for what isn't a list, or one with holes.
 *
 * @throws SessionError of this code if it cannot be read.
 */
export function readElements(
  code: "ERR_SESSION_CONFIG" | "ERR_SESSION_VALUE",
  what: string,
  list: unknown,
): unknown[] | null {
  return readSafely(code, what, () => {
    if (!Array.isArray(list)) return null;
    const keys = Object.keys(list); // few, even where the length of a sparse list is huge
    return isDense(list, keys) ? keys.map((_, i): unknown => list[i]) : null;
  });
}

/** Whether the keys of an array are exactly its indexes. Keys that aren't indexes come last. */
export function isDense(array: readonly unknown[], keys = Object.keys(array)): boolean {
  return keys.length === array.length && (keys.at(-1) ?? "-1") === String(array.length - 1);
}
