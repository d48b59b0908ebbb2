import { createConfigError, isArray, listOptionNames, quote } from "../../shared/errors.ts";
import { readElements, readOptions } from "../../shared/given.ts";
import type { EndOptions } from "../../store/contract.ts";
import type {
  CreateOptions,
  DeleteOptions,
  ReadOptions,
  RotateOptions,
  SignInOptions,
  TouchOptions,
} from "../types.ts";
import { checkCause } from "./cause.ts";

/* The options of verbs, with and without a request. */

export const READ_OPTIONS = listOptionNames<ReadOptions>({ touch: true });
export const TOUCH_OPTIONS = listOptionNames<TouchOptions>({ idleTimeout: true });
export const ROTATE_OPTIONS = listOptionNames<RotateOptions>({
  grace: true,
  asOf: true,
  initiator: true,
  reason: true,
});
export const CREATE_OPTIONS = listOptionNames<CreateOptions>({
  idleTimeout: true,
  absoluteTimeout: true,
  asOf: true,
});
export const SIGN_IN_OPTIONS = listOptionNames<SignInOptions>({
  idleTimeout: true,
  absoluteTimeout: true,
  asOf: true,
  keep: true,
  initiator: true,
  reason: true,
});
const DELETE_OPTIONS = listOptionNames<DeleteOptions>({
  replicas: true,
  initiator: true,
  reason: true,
});

/** Which fields are read, and whether that counts as use. */
export interface ReadArguments {
  /** Undefined for all fields. */
  readonly fields: readonly string[] | undefined;
  readonly touch: boolean;
}

/** How most calls read. */
const WHOLE: ReadArguments = { fields: undefined, touch: true };

/**
 * Parses the arguments of a verb that reads. The first may be the fields or the options.
 *
 * @throws SessionError ERR_SESSION_CONFIG for anything else.
 */
export function parseReadArguments(
  verb: string,
  first: readonly string[] | ReadOptions | undefined,
  second: ReadOptions | undefined,
): ReadArguments {
  if (first === undefined && second === undefined) return WHOLE;
  const isList = isArray(first);
  if (!isList && first !== undefined && (typeof first !== "object" || first === null)) {
    throw createConfigError(
      `${verb} takes the fields to read as a list, such as ["theme"], or options; got ${quote(first)}`,
    );
  }
  if (!isList && first !== undefined && second !== undefined) {
    throw createConfigError(
      `${verb} takes the fields to read as a list, such as ["theme"], before its options; got ${quote(first)}`,
    );
  }
  const options = (isList ? second : ((first as ReadOptions | undefined) ?? second)) ?? {};
  const { touch = true } = readOptions(verb, options, READ_OPTIONS);
  if (typeof touch !== "boolean") {
    throw createConfigError("touch must be true or false", { option: "touch" });
  }
  return { fields: isList ? parseFieldsToRead(verb, first) : undefined, touch };
}

/** Reads the list of fields once. It doesn't check that they are valid names. */
export function parseFieldsToRead(verb: string, fields: unknown): string[] {
  const names = readElements("ERR_SESSION_CONFIG", "The list of fields to read", fields);
  if (names !== null) return names as string[];
  throw createConfigError(
    `${verb} takes the fields to read as a list, such as ["theme"]; got ${quote(fields)}`,
  );
}

/** How a store ends sessions. */
export type EndingOptions = Pick<EndOptions, "replicas" | "cause">;

/** @throws SessionError ERR_SESSION_CONFIG for `replicas` that isn't a whole number above zero, or a wrong cause. */
export function parseEndingOptions(options: DeleteOptions): EndingOptions {
  const { replicas, ...rest } = readOptions("delete", options, DELETE_OPTIONS);
  const cause = checkCause(rest);
  if (replicas === undefined || (Number.isInteger(replicas) && replicas >= 1)) {
    return { replicas, cause };
  }
  throw createConfigError(
    "replicas must be a whole number above zero; leave it out to wait for none. Nothing was ended",
    { option: "replicas" },
  );
}
