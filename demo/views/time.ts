import { type Html, html } from "./html.ts";

const SECOND_MS = 1000;
const UNITS = [
  ["day", 86_400 * SECOND_MS],
  ["hour", 3_600 * SECOND_MS],
  ["minute", 60 * SECOND_MS],
] as const;

const words = new Intl.RelativeTimeFormat("en", { numeric: "auto" });

/** Formats a date as "2 minutes ago", with the full time as its title. */
export function formatAgo(date: Date, now = Date.now()): Html {
  return formatMoment(date.getTime(), now);
}

/** Formats a moment (ms since 1970) as "2 minutes ago" or "in 2 minutes", with the full time as its title. */
export function formatMoment(moment: number, now = Date.now()): Html {
  const date = new Date(moment);
  // A value that was written into the store by hand may be no date.
  if (Number.isNaN(date.getTime())) return html`at no time`;
  const text = moment > now ? formatLeft(moment - now) : formatElapsed(now - moment);
  return html`<time datetime="${date.toISOString()}" title="${date.toUTCString()}">${text}</time>`;
}

/** Formats a duration as "30 minutes". */
export function formatDuration(ms: number): string {
  // 59.9 minutes are an hour.
  const [unit, length] = UNITS.find(([, one]) => ms >= one * 0.99) ?? ["second", SECOND_MS];
  const amount = Math.round(ms / length);
  return `${amount} ${unit}${amount === 1 ? "" : "s"}`;
}

function formatElapsed(elapsed: number): string {
  const unit = UNITS.find(([, length]) => elapsed >= length);
  return unit ? words.format(-Math.floor(elapsed / unit[1]), unit[0]) : "just now";
}

/** In minutes, hours or days, so that the text changes once a minute at most. */
function formatLeft(left: number): string {
  return left < 60 * SECOND_MS ? "within a minute" : `in ${formatDuration(left)}`;
}
