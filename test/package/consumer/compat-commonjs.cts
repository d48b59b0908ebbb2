// A program of a user of the three predecessors in TypeScript, as a CommonJS module.
import Koa = require("koa");
import KoaRedisSessionSets = require("session-sets/compat/koa-redis-session-sets");
import users = require("session-sets/compat/redis-user-sessions");
import spots = require("session-sets/compat/spots-sessions");

async function main(): Promise<void> {
  const app = `consumer-${process.pid}`;
  const sessions = new spots.SpotsSessions(process.env.REDIS_URL ?? "");
  const Session = KoaRedisSessionSets(new Koa(), {
    client: sessions.client,
    prefix: app,
    references: { user_id: {} },
  });
  await Session.store.set("id", { user_id: 1 });
  const token: string = await sessions.create({ app, ownerId: "1", data: { a: 1 }, duration: 60 });
  const { client } = sessions;
  console.log(
    JSON.stringify({
      koa: await client.smembers(Session.getReferenceKey("user_id", 1)),
      users: typeof users.createSession === "function" ? 1 : 0,
      spots: await sessions.get({ app, token }),
      same:
        spots.default === spots.SpotsSessions &&
        KoaRedisSessionSets.default === KoaRedisSessionSets,
    }),
  );
  await client.quit();
}

void main();
