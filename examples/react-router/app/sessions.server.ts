import { Redis } from "ioredis";
import { createContext, type MiddlewareFunction } from "react-router";
import { createSessions, SessionError } from "session-sets";
import { csrfGuard, type FetchSession, fetchSessions } from "session-sets/fetch";
import { memoryStore } from "session-sets/memory";
import { redisStore } from "session-sets/redis";

export interface Data {
  /** The user. It is a reference, so that all sessions of a user can be found. */
  user_id?: number;
  device?: string;
}

const { REDIS_URL } = process.env;

const sessions = createSessions({
  data: {} as Data,
  store: REDIS_URL ? redisStore(new Redis(REDIS_URL), { prefix: "example" }) : memoryStore(),
  references: ["user_id"],
  idleTimeout: "30 minutes",
  absoluteTimeout: "12 hours",
});

const fetchSession = fetchSessions(sessions);
const guard = csrfGuard();

/** The session, for all loaders and actions of a request. */
export const sessionContext = createContext<FetchSession<Data, "user_id">>();

/** Answers each request with the cookies of its session. */
export const withSession: MiddlewareFunction<Response> = async ({ request, context }, next) => {
  const session = fetchSession(request);
  context.set(sessionContext, session);
  try {
    guard(request);
    return session.commit(await next());
  } catch (error) {
    if (!(error instanceof SessionError)) throw error;
    return session.commit(new Response("Something went wrong", { status: error.status }));
  }
};
