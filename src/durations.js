import ms from "ms";
import { SessionError } from "./errors.ts";

const LONGEST = ms("100 years");
/**
 * The whole milliseconds of a duration above zero (or, where `orZero`, of zero too) and up to a
 * hundred years; anything else is ERR_SESSION_CONFIG.
 */
export function milliseconds(name, value, orZero = false) {
  const parsed = typeof value === "string" ? parse(value) : value;
  const whole = typeof parsed === "number" ? Math.round(parsed) : Number.NaN;
  if (!(whole >= (orZero ? 0 : 1) && whole <= LONGEST)) {
    throw new SessionError(
      "ERR_SESSION_CONFIG",
      `${name} must be a duration: milliseconds above zero or a string such as "30 minutes" or "28 days", at most 100 years; got ${show(value)}`,
    );
  }
  return whole;
}
function parse(text) {
  // ms() throws on an empty string and on one over 100 characters.
  return text.length > 0 && text.length <= 100 ? ms(text) : undefined;
}
function show(value) {
  return typeof value === "string" ? JSON.stringify(value.slice(0, 40)) : String(value);
}
