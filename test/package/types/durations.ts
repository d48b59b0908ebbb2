/* Durations that compile, which test/package/exact-types.test.ts runs, and what must not. */
import type { Duration } from "session-sets";

// Durations that run compile.
export const durations: readonly Duration[] = [
  1000,
  "1000",
  "1 s",
  "30m",
  "30 minutes",
  "1 Hour",
  "28 days",
  "2 WEEKS",
  "1.5h",
  "90 secs",
  "1 yr",
];
// @ts-expect-error: no unit
export const none: Duration = "1 fortnight";
// @ts-expect-error: no number
export const word: Duration = "days";
