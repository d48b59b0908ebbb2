import type { Handle } from "@sveltejs/kit/hooks";
import { SessionError } from "session-sets";
import { fetchSession, guard } from "#lib/server/sessions.ts";

/** Answers each request with the cookies of its session. */
export const handle: Handle = async ({ event, resolve }) => {
  event.locals.session = fetchSession(event.request);
  try {
    guard(event.request);
    return event.locals.session.commit(await resolve(event));
  } catch (error) {
    if (!(error instanceof SessionError)) throw error;
    const answer = new Response("Something went wrong", { status: error.status });
    return event.locals.session.commit(answer);
  }
};
