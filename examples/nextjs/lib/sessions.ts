import { Redis } from "ioredis";
import { cookies, headers } from "next/headers";
import { cache } from "react";
import { createSessions, SessionError } from "session-sets";
import { csrfGuard, fetchSessions } from "session-sets/fetch";
import { memoryStore } from "session-sets/memory";
import { redisStore } from "session-sets/redis";

export interface Data {
  /** The user. It is a reference, so that all sessions of a user can be found. */
  user_id?: number;
  device?: string;
}

const { REDIS_URL } = process.env;

/** Next.js loads this module more than once in a process. All copies use the store that was made first. */
const shared = globalThis as { store?: ReturnType<typeof openStore> };
shared.store ??= openStore();

function openStore() {
  if (!REDIS_URL) return memoryStore();
  // It connects lazily, because `next build` loads this module, too.
  return redisStore(new Redis(REDIS_URL, { lazyConnect: true }), { prefix: "example" });
}

const sessions = createSessions({
  data: {} as Data,
  store: shared.store,
  references: ["user_id"],
  idleTimeout: "30 minutes",
  absoluteTimeout: "12 hours",
});

// Next.js sets X-Forwarded-Proto itself, and builds the URL of a Request from it. Server Actions have only
// the headers, so they must trust that header to see the same.
const fetchSession = fetchSessions(sessions, { trustProxy: true });
const guard = csrfGuard();

type RequestSession = ReturnType<typeof fetchSession>;

/** A form as it was sent. */
export type Form = { readonly [field: string]: unknown };

/** The session in Server Components. They can read it, but cannot set cookies. */
export const currentSession = cache(async () => fetchSession({ headers: await headers() }));

/** The session in Server Actions. Its cookies go out through those of Next.js. */
export async function actionSession() {
  return fetchSession({ headers: await headers(), cookies: await cookies() });
}

type Answer = (session: RequestSession, form: Form, request: Request) => Promise<Response>;

/** Makes a route handler from a function of the session and the form. Its response gets the session's cookies. */
export function withSession(answer: Answer): (request: Request) => Promise<Response> {
  return async (request) => {
    const session = fetchSession(request);
    return session.commit(await answerSafely(answer, session, request));
  };
}

/** As `withSession`, for who is signed in. Others are sent to the form. */
export function withUser(answer: Answer): (request: Request) => Promise<Response> {
  return withSession(async (session, form, request) => {
    const { user_id } = await session.get(["user_id"]);
    return user_id === undefined ? redirectTo("/sign-in") : answer(session, form, request);
  });
}

async function answerSafely(answer: Answer, session: RequestSession, request: Request) {
  try {
    guard(request);
    await session.load(); // before any CSRF token is made or checked
    const form = request.method === "POST" ? await readForm(request) : {};
    if (request.method === "POST" && !session.verifyCSRFToken(form._csrf)) {
      return new Response("Forbidden", { status: 403 });
    }
    return await answer(session, form, request);
  } catch (error) {
    if (!(error instanceof SessionError)) throw error;
    return new Response("Something went wrong", { status: error.status });
  }
}

/** Unlike `Response.redirect`, it does not need the address of this application. */
export function redirectTo(location: string): Response {
  return new Response(null, { status: 303, headers: { location } });
}

/** A page that a route handler answers with. */
export function htmlPage(title: string, body: string, status: number): Response {
  const html = `<!doctype html><html lang="en"><title>${title}</title><h1>${title}</h1>${body}</html>`;
  return new Response(html, { status, headers: { "content-type": "text/html; charset=utf-8" } });
}

async function readForm(request: Request): Promise<Form> {
  const form = await request.formData().catch(() => []); // without a form there is no CSRF token
  return Object.fromEntries(form);
}
