// A program of a user of the package in JavaScript, as a CommonJS module.
const { createSessions, SessionError } = require("session-sets");
const { csrfGuard, koaSessions } = require("session-sets/koa");
const { memoryStore } = require("session-sets/memory");
const { redisStore } = require("session-sets/redis");
const { storeContract } = require("session-sets/testing");

async function main() {
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
      contract: storeContract.length > 0,
    }),
  );
}

void main();
