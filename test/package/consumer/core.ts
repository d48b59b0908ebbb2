// A program of a user of the package in TypeScript who has installed nothing else, types included.
// (What works on node:http needs the types of Node, which come with those of the frameworks.)
import { createSessions, type Session, SessionError, type SessionWithToken } from "session-sets";
import { fetchSessions } from "session-sets/fetch";
import { honoSessions } from "session-sets/hono";
import { memoryStore } from "session-sets/memory";
import { redisStore } from "session-sets/redis";
import { storeContract } from "session-sets/testing";

const sessions = createSessions({
  data: {} as { user_id?: number },
  store: memoryStore(),
  references: ["user_id"],
});

export const first: Promise<Session<{ user_id?: number }> | undefined> = sessions
  .by("user_id", 1)
  .list({ limit: 1 })
  .then(([session]) => session);
export const signedIn: Promise<SessionWithToken<{ user_id?: number }>> = sessions.signIn(
  "token",
  { user_id: 1 },
  { idleTimeout: "1 day", absoluteTimeout: null },
);
// @ts-expect-error: no field of the sessions
export const kept = () => sessions.signIn(null, { user_id: 1 }, { keep: ["cart"] });
// @ts-expect-error: no field of the sessions
export const misspelt = () => createSessions({ data: {} as { a?: 1 }, references: ["b"] });
export const others = [redisStore, storeContract, fetchSessions, honoSessions];

/** Its type, which is inferred, has a name in the declarations of the program, too. */
export const tooLarge = (error: unknown) =>
  error instanceof SessionError && error.code === "ERR_SESSION_TOO_LARGE" ? error : null;
export const over = (error: unknown): number => {
  const found = tooLarge(error);
  return found === null ? 0 : found.bytes - found.maxBytes;
};
// @ts-expect-error: of one code alone
export const bytes = (error: SessionError) => error.bytes;
