// A program of a user of the three predecessors in TypeScript, as an ES module.
import Koa from "koa";
import { createClient } from "redis";
import KoaRedisSessionSets, {
  type KoaRedisSessionSetsOptions,
  type KoaSessionContext,
} from "session-sets/compat/koa-redis-session-sets";
import { createSession, getUserSessions } from "session-sets/compat/redis-user-sessions";
import Default, { type SpotsSession, SpotsSessions } from "session-sets/compat/spots-sessions";

const spots = new SpotsSessions({ connectionString: process.env.REDIS_URL ?? "" });
const koa = new Koa<Koa.DefaultState, KoaSessionContext>();
const options: KoaRedisSessionSetsOptions = {
  client: spots.client,
  prefix: `consumer-${process.pid}`,
  references: { user_id: {} },
};
const Session = KoaRedisSessionSets(koa, options);
koa.use(Session);
koa.use(async (ctx) => {
  const session = await ctx.session.get();
  await ctx.session.set({ user_id: session.user_id }, "28 days");
});
await Session.store.set("id", { user_id: 1 });
const app = `consumer-${process.pid}`;
const token: string = await spots.create({ app, ownerId: "1", data: { a: 1 }, duration: 60 });
const found: SpotsSession | undefined = await spots.get({ app, token });
const client = await createClient({ url: process.env.REDIS_URL ?? "" }).connect();
const expires = new Date(Date.now() + 60_000).toISOString();
const made: string = await createSession({ client, data: { userId: app, expires } });
const [listed] = await getUserSessions({ client, userId: app });
console.log(
  JSON.stringify({
    koa: await spots.client.smembers(Session.getReferenceKey("user_id", 1)),
    users: listed?.sessionId === made ? 1 : 0,
    spots: found,
    same: Default === SpotsSessions && KoaRedisSessionSets.length === 2,
  }),
);
await client.close();
await spots.client.quit();
