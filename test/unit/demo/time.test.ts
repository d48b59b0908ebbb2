/* How the demo says when something was, or will be. */
import { expect, test } from "vitest";
import { formatDuration, formatMoment } from "../../../demo/views/time.ts";

const NOW = Date.UTC(2026, 0, 15, 12);
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

test.each([
  [0, "just now"],
  [-59_000, "just now"],
  [-90_000, "1 minute ago"],
  [-25 * HOUR, "yesterday"],
  [1, "within a minute"],
  [59_000, "within a minute"],
  [30 * MINUTE - 1, "in 30 minutes"],
  [HOUR - 1, "in 1 hour"],
  [12 * HOUR - 1, "in 12 hours"],
  [90 * 24 * HOUR - 5 * MINUTE, "in 90 days"],
])("a moment %d ms from now is %j", (distance, text) => {
  const { text: element } = formatMoment(NOW + distance, NOW);
  expect(element).toMatch(new RegExp(`^<time datetime="2\\S+Z" title="[^"]+">${text}</time>$`));
});

test.each([Number.NaN, Number.POSITIVE_INFINITY, 1e300])("%d is no moment", (moment) => {
  expect(formatMoment(moment, NOW).text).toBe("at no time");
});

test.each([
  [500, "1 second"],
  [45_000, "45 seconds"],
  [MINUTE, "1 minute"],
  [30 * MINUTE, "30 minutes"],
  [30 * 24 * HOUR, "30 days"],
])("%d ms are %j", (ms, text) => {
  expect(formatDuration(ms)).toBe(text);
});
