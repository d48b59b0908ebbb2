import ms from "ms";
import { createConfigError, quote } from "./errors.ts";

/** Units that work too, in any case. */
type OtherUnit =
  | ("millisecond" | "milliseconds" | "msec" | "msecs")
  | ("s" | "sec" | "secs" | "second")
  | ("m" | "min" | "mins" | "minute")
  | ("h" | "hr" | "hrs" | "hour")
  | ("d" | "day")
  | ("w" | "week")
  | ("y" | "yr" | "yrs" | "year");

type Cased<Unit extends string> = Unit | Capitalize<Unit> | Uppercase<Unit>;

/**
 * A length of time: milliseconds, or a number with its unit, such as `"28 days"` or `"30m"`. (The units
 * are a type parameter so that compile errors name them.)
 */
export type Duration<
  Unit extends string = "ms" | "seconds" | "minutes" | "hours" | "days" | "weeks" | "years",
> =
  | number
  | `${number}`
  | `${number}${Cased<Unit | OtherUnit>}`
  | `${number} ${Cased<Unit | OtherUnit>}`;

export const DAY_MS = 86_400_000;
const MAX_DURATION_MS = ms("100 years");

/**
 * Converts a duration to whole milliseconds: above zero, or zero with `allowZero`, and at most a
 * hundred years.
 *
 * @throws SessionError ERR_SESSION_CONFIG
 */
export function parseDuration(
  name: string,
  value: Duration,
  { allowZero = false }: { readonly allowZero?: boolean } = {},
): number {
  const parsed = typeof value === "string" ? parseUnits(value) : value;
  const whole = typeof parsed === "number" ? Math.round(parsed) : Number.NaN;
  if (!(whole >= (allowZero ? 0 : 1) && whole <= MAX_DURATION_MS)) {
    throw createConfigError(
      `${name} must be a duration: milliseconds${allowZero ? ", zero or more, or" : " above zero or"} a string such as "30 minutes" or "28 days", at most 100 years; got ${quote(value)}`,
      { option: name },
    );
  }
  return whole;
}

/** Converts a duration that may be left out to milliseconds, or null. */
export function parseOptionalDuration(name: string, value: Duration | undefined): number | null {
  return value === undefined ? null : parseDuration(name, value);
}

function parseUnits(text: string): number | undefined {
  // ms() throws on an empty string and on one over 100 characters.
  return text.length > 0 && text.length <= 100 ? ms(text as ms.StringValue) : undefined;
}
