import type { Next } from "koa";
import type { Context } from "./context.ts";
import { errorPage } from "./views/errors.ts";
import { readField, show } from "./web.ts";

/** Forbids frames, scripts in pages, and content from other sites. */
export async function setSecurityHeaders(ctx: Context, next: Next): Promise<void> {
  ctx.set({
    "Content-Security-Policy":
      "default-src 'none'; style-src 'self'; img-src 'self'; script-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    // With "no-referrer", browsers would send forms with `Origin: null`.
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
  });
  await next();
}

/** Answers every error with a page, which shows nothing of the error itself, and needs no session. */
export async function answerErrors(ctx: Context, next: Next): Promise<void> {
  try {
    await next();
    if (ctx.status === 404) ctx.throw(404);
  } catch (error) {
    const status = readStatus(error);
    if (status === 503) ctx.set("Retry-After", "5");
    else if (status >= 500) console.error(error);
    show(ctx, errorPage(status), status);
  }
}

function readStatus(error: unknown): number {
  const known = error instanceof Error && "status" in error && typeof error.status === "number";
  return known ? Number(error.status) : 500;
}

/** Checks the CSRF token that every form has, even the sign-in form. The session must be read before. */
export async function checkFormToken(ctx: Context, next: Next): Promise<void> {
  if (ctx.method === "POST") {
    await ctx.session.load();
    if (!ctx.session.verifyCSRFToken(readField(ctx, "csrf"))) ctx.throw(403);
  }
  await next();
}
