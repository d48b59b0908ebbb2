import type { Context } from "./context.ts";
import { type Page, renderLayout } from "./views/layout.ts";

/** Reads a field of the form that was sent. It is always a string. */
export function readField(ctx: Context, name: string): string {
  const body = ctx.request.body;
  const value = typeof body === "object" && body !== null && Reflect.get(body, name);
  return typeof value === "string" ? value : "";
}

/** Answers with a page. */
export function show(ctx: Context, page: Page, status = 200): void {
  ctx.status = status;
  ctx.type = "html";
  ctx.set("Cache-Control", "no-store");
  ctx.body = renderLayout(page, ctx.state.store.name).text;
}

/** Sends the browser to another page after a form, so that reloading does not send the form again. */
export function seeOther(ctx: Context, path: string): void {
  ctx.status = 303;
  ctx.redirect(path);
}
