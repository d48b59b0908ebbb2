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
  return html`<time datetime="${date.toISOString()}" title="${date.toUTCString()}">${formatElapsed(now - date.getTime())}</time>`;
}

function formatElapsed(elapsed: number): string {
  const unit = UNITS.find(([, length]) => elapsed >= length);
  return unit ? words.format(-Math.floor(elapsed / unit[1]), unit[0]) : "just now";
}
