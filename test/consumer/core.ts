// A program of a user of the package in TypeScript who has installed nothing else, types included.
// (What works on node:http needs the types of Node, which come with those of the frameworks.)
import { createSessions, type Session } from "session-sets";
import { fetchSessions } from "session-sets/fetch";
import { honoSessions } from "session-sets/hono";
import { memoryStore } from "session-sets/memory";
import { redisStore } from "session-sets/redis";
import { storeContract } from "session-sets/testing";

const sessions = createSessions({
  data: {} as { user_id?: number },
  store: memoryStore(),
  references: { user_id: {} },
  idleTimeout: "30 minutes",
});

export const first: Promise<Session<{ user_id?: number }> | undefined> = sessions
  .by("user_id", 1)
  .list({ limit: 1 })
  .then(([session]) => session);
export const others = [redisStore, storeContract, fetchSessions, honoSessions];
