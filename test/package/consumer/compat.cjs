// A program of a user of the three predecessors in JavaScript, as a CommonJS module: only the names
// that are required are new.
const Koa = require("koa");
const { createClient } = require("redis");
const KoaRedisSessionSets = require("session-sets/compat/koa-redis-session-sets");
const { createSession, getUserSessions } = require("session-sets/compat/redis-user-sessions");
const { SpotsSessions, default: Default } = require("session-sets/compat/spots-sessions");

async function main() {
  const spots = new SpotsSessions(process.env.REDIS_URL);
  const Session = KoaRedisSessionSets(new Koa(), {
    client: spots.client,
    prefix: `consumer-${process.pid}`,
    references: { user_id: {} },
  });
  await Session.store.set("id", { user_id: 1 });
  const app = `consumer-${process.pid}`;
  const token = await spots.create({ app, ownerId: "1", data: { a: 1 }, duration: 60 });
  const client = await createClient({ url: process.env.REDIS_URL }).connect();
  const expires = new Date(Date.now() + 60_000).toISOString();
  await createSession({ client, data: { userId: app, expires } });
  console.log(
    JSON.stringify({
      koa: await spots.client.smembers(Session.getReferenceKey("user_id", 1)),
      users: (await getUserSessions({ client, userId: app })).length,
      spots: await spots.get({ app, token }),
      same: Default === SpotsSessions && KoaRedisSessionSets.default === KoaRedisSessionSets,
    }),
  );
  await client.close();
  await spots.client.quit();
}

void main();
