import { misconfigured, quote, refuseUnknownKeys } from "../shared/errors.ts";
import { READ_OPTIONS } from "./option-names.ts";
import type { ReadOptions } from "./types.ts";

/** What is read, and whether that counts as use. */
export interface ReadArguments {
  /** All fields where it is undefined. */
  readonly fields: readonly string[] | undefined;
  readonly touch: boolean;
}

/**
 * The arguments of a verb that reads, of which the first may be the fields or the options.
 *
 * @throws SessionError ERR_SESSION_CONFIG where they are neither.
 */
export function readArguments(
  verb: string,
  first: readonly string[] | ReadOptions | undefined,
  second: ReadOptions | undefined,
): ReadArguments {
  const isList = Array.isArray(first);
  if (!isList && first !== undefined && (typeof first !== "object" || first === null)) {
    throw misconfigured(
      `${verb} takes the fields to read as a list, such as ["theme"], or options; got ${quote(first)}`,
    );
  }
  if (!isList && first !== undefined && second !== undefined) {
    throw misconfigured(
      `${verb} takes the fields to read as a list, such as ["theme"], before its options; got ${quote(first)}`,
    );
  }
  const options = (isList ? second : ((first as ReadOptions | undefined) ?? second)) ?? {};
  refuseUnknownKeys(verb, options, READ_OPTIONS);
  const { touch = true } = options;
  if (typeof touch !== "boolean") {
    throw misconfigured("touch must be true or false", { option: "touch" });
  }
  return { fields: isList ? first : undefined, touch };
}
