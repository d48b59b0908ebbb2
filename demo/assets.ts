import type { Next } from "koa";
import type { Context } from "./context.ts";
import { LIVE_SCRIPT } from "./live.ts";
import { style } from "./views/style.ts";

const ICON = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="9" fill="#4f46e5"/><g fill="none" stroke="#fff" stroke-width="2.6"><circle cx="12.5" cy="16" r="6"/><circle cx="19.5" cy="16" r="6"/></g></svg>`;

const ASSETS: Readonly<Record<string, readonly [type: string, content: string]>> = {
  "/style.css": ["css", style],
  "/icon.svg": ["svg", ICON],
  "/live.js": ["js", LIVE_SCRIPT],
};

/** Serves the style sheet, the icon and the script. */
export async function serveAssets(ctx: Context, next: Next): Promise<void> {
  const asset = ASSETS[ctx.path];
  if (!asset) return next();
  [ctx.type, ctx.body] = asset;
  ctx.set("Cache-Control", "public, max-age=300");
}
