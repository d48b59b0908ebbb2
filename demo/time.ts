import { type Html, html } from "./html.ts";

const SECOND = 1000;
const UNITS = [
  ["day", 86_400 * SECOND],
  ["hour", 3_600 * SECOND],
  ["minute", 60 * SECOND],
] as const;

const words = new Intl.RelativeTimeFormat("en", { numeric: "auto" });

/** "2 minutes ago", with the full time behind it. */
export function ago(date: Date, now = Date.now()): Html {
  return html`<time datetime="${date.toISOString()}" title="${date.toUTCString()}">${relative(now - date.getTime())}</time>`;
}

function relative(elapsed: number): string {
  const unit = UNITS.find(([, length]) => elapsed >= length);
  return unit ? words.format(-Math.floor(elapsed / unit[1]), unit[0]) : "just now";
}
