// A program of a user of the package in TypeScript, as a CommonJS module.
import sessionSets = require("session-sets");
import koa = require("session-sets/koa");
import memory = require("session-sets/memory");
import redis = require("session-sets/redis");
import testing = require("session-sets/testing");

/** What belongs to the code of an error. */
function told(error: sessionSets.SessionError): number | string {
  switch (error.code) {
    case "ERR_SESSION_TOO_LARGE":
      return error.bytes - error.maxBytes;
    case "ERR_CSRF":
      return error.reason;
    default:
      // @ts-expect-error: of another code
      return error.bytes;
  }
}

async function main(): Promise<void> {
  const sessions = sessionSets.createSessions({
    data: {} as { user_id?: number },
    store: memory.memoryStore(),
    references: ["user_id"],
  });
  await sessions.signIn(null, { user_id: 1 });
  const error = new sessionSets.SessionError("ERR_CSRF", "no", { reason: "origin" });
  console.log(
    JSON.stringify({
      size: await sessions.by("user_id", 1).size(),
      error: error instanceof sessionSets.SessionError && told(error) === "origin",
      types: [koa.csrfGuard, koa.koaSessions, redis.redisStore].map((value) => typeof value),
      contract: testing.storeContract.length > 0,
    }),
  );
}

void main();
