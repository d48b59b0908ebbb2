// A program of a user of the package in JavaScript, as an ES module, without Koa and without Redis.
import { createSessions, SessionError } from "session-sets";
import { expressSessions } from "session-sets/express";
import { fastifySessions } from "session-sets/fastify";
import { fetchSessions } from "session-sets/fetch";
import { honoSessions } from "session-sets/hono";
import { csrfGuard, koaSessions } from "session-sets/koa";
import { memoryStore } from "session-sets/memory";
import { nodeSessions } from "session-sets/node";
import { redisStore } from "session-sets/redis";
import { storeContract } from "session-sets/testing";

const sessions = createSessions({
  store: memoryStore(),
  references: ["user_id"],
});
await sessions.signIn(null, { user_id: 1 });
console.log(
  JSON.stringify({
    size: await sessions.by("user_id", 1).size(),
    error: new SessionError("ERR_CSRF", "no") instanceof Error,
    types: [csrfGuard, koaSessions, redisStore].map((value) => typeof value),
    adapters: [expressSessions, fastifySessions, fetchSessions, honoSessions, nodeSessions].map(
      (make) => typeof make(sessions),
    ),
    contract: storeContract.length > 0,
  }),
);
