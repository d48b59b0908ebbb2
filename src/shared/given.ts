import { asCause, createConfigError, quote, SessionError } from "./errors.ts";

/*
 * What a caller gives is read once, into something plain, before it is used: it may be a Proxy that
 * was revoked, have getters that throw, or say something else each time that it is asked.
 */

/**
 * Reads something that a caller has given. Where reading it throws, it is refused, and what was thrown
 * is the cause.
 */
export function readSafely<T>(
  code: "ERR_SESSION_CONFIG" | "ERR_SESSION_VALUE",
  what: string,
  read: () => T,
): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof SessionError) throw error;
    throw new SessionError(
      code,
      `${what} cannot be read: a getter or a Proxy of it throws; see the cause. Nothing was done`,
      { cause: asCause(error) },
    );
  }
}

/**
 * The options that a caller has given; those that are undefined are left out.
 *
 * @throws SessionError ERR_SESSION_CONFIG for what is no record, and for unknown names.
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
      `The options of ${what} are an object: { ${known[0]}: … }; got ${quote(options)}`,
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
 * The elements of a list that a caller has given; null for what is no list, or one with holes.
 *
 * @throws SessionError of this code where it cannot be read.
 */
export function readElements(
  code: "ERR_SESSION_CONFIG" | "ERR_SESSION_VALUE",
  what: string,
  list: unknown,
): unknown[] | null {
  return readSafely(code, what, () => {
    if (!Array.isArray(list)) return null;
    const keys = Object.keys(list); // a list of holes may be longer than anything that is in it
    return isDense(list, keys) ? keys.map((_, i): unknown => list[i]) : null;
  });
}

/** Whether the keys of an array are its indexes and no others; keys that are no index come last. */
export function isDense(array: readonly unknown[], keys = Object.keys(array)): boolean {
  return keys.length === array.length && (keys.at(-1) ?? "-1") === String(array.length - 1);
}
