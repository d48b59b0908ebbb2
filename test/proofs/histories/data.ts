/* A session's fields after a call, and the user that the values of a call name. */
import { isDeepStrictEqual } from "node:util";
import type { Data } from "./calls.ts";

/**
 * The value of a field that a session may have inherited from another one, by a sign-in that nobody
 * knows the answer of: it is known when it was read.
 */
export const UNKNOWN: unknown = { unknown: true };

/** The field that says who the user is. */
const IDENTITY = "user_id";
/** The data after a change. */
export function applyChange(
  data: Data,
  { values, unset }: { values: Data; unset: readonly string[] },
): Data {
  const all = Object.entries({ ...data, ...values });
  return Object.fromEntries(all.filter(([field]) => !unset.includes(field)).sort());
}

/** The values by which a field's value is found. */
export function listValues(value: unknown): unknown[] {
  return [value].flat().filter((element) => element !== null && element !== undefined);
}

/** Whose a session is that the values name a user for; null where they name none. */
export function compareOwner(data: Data, values: Data): "same" | "nobody" | "another" | null {
  if (!(IDENTITY in values)) return null;
  const [before, after] = [listValues(data[IDENTITY]), listValues(values[IDENTITY])];
  if (before.length === 0) return after.length === 0 ? null : "nobody";
  return after.some((one) => before.includes(one)) ? "same" : "another";
}

/** The fields of a session that are kept, unless the values set them. */
export function pickKept(data: Data, keep: readonly string[], values: Data): Data {
  const wanted = keep.filter((field) => field in data && !(field in values));
  return Object.fromEntries(wanted.map((field) => [field, data[field]]));
}

/** The data of a session that replaces another one in a rotation: without a user who signs out. */
export function toReplacement(values: Data): Data {
  const { [IDENTITY]: user, ...others } = values;
  return listValues(user).length === 0 ? others : values;
}

/** Whether a rotation may put another session in the place of one. */
export function mayReplace(values: Data): boolean {
  return IDENTITY in values;
}

/** The data, with unknown fields as they were given; null if other fields were given differently. */
export function mergeKnown(data: Data, given: Data, fields: readonly string[] | null): Data | null {
  const all: Record<string, unknown> = { ...data };
  for (const name of new Set([...Object.keys(data), ...Object.keys(given)])) {
    const wanted = fields?.includes(name) ?? true;
    if (wanted && data[name] === UNKNOWN) {
      if (name in given) all[name] = given[name];
      else delete all[name];
    } else if ((wanted && name in data) !== name in given) {
      return null;
    } else if (name in given && !isDeepStrictEqual(data[name], given[name])) {
      return null;
    }
  }
  return all;
}
