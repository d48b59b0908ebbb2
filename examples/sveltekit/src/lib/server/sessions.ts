import { redirect } from "@sveltejs/kit";
import { Redis } from "ioredis";
import { createSessions } from "session-sets";
import { csrfGuard, fetchSessions } from "session-sets/fetch";
import { memoryStore } from "session-sets/memory";
import { redisStore } from "session-sets/redis";

export interface Data {
  /** The user. It is a reference, so that all sessions of a user can be found. */
  user_id?: number;
  device?: string;
}

const { REDIS_URL } = process.env;

function openStore() {
  if (!REDIS_URL) return memoryStore();
  // It connects lazily, because `vite build` loads this module, too.
  return redisStore(new Redis(REDIS_URL, { lazyConnect: true }), { prefix: "example" });
}

const sessions = createSessions({
  data: {} as Data,
  store: openStore(),
  references: ["user_id"],
  idleTimeout: "30 minutes",
  absoluteTimeout: "12 hours",
});

export const fetchSession = fetchSessions(sessions);
export const guard = csrfGuard();

/** The session of who is signed in. Others are sent to the form. */
export async function requireUser({ session }: App.Locals) {
  const { user_id } = await session.get(["user_id"]);
  if (user_id === undefined) redirect(303, "/sign-in");
  return session;
}
