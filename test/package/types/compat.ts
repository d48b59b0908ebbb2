/* The types of the predecessors' APIs: code that compiles, and code that must not. Compiled, never run. */
import Koa from "koa";
import { createClient } from "redis";
import KoaRedisSessionSets, {
  type KoaSession,
  type KoaSessionContext,
  type KoaSessionData,
} from "session-sets/compat/koa-redis-session-sets";
import {
  createSession,
  getUserSessions,
  readSession,
  updateSession,
} from "session-sets/compat/redis-user-sessions";
import {
  type SpotsData,
  type SpotsSession,
  SpotsSessions,
  type SpotsSessionsOptions,
} from "session-sets/compat/spots-sessions";
import { type Equal, same } from "./equal.ts";

const spots = new SpotsSessions();
new SpotsSessions("redis://localhost:6379");
new SpotsSessions({ tokenEncoding: "hex", tokenSize: 32 });
// @ts-expect-error: an encoding that loses bits
new SpotsSessions({ tokenEncoding: "utf8" });
// @ts-expect-error: no duration
await spots.create({ app: "a", ownerId: "1", data: {} });
await spots.client.set("anything", "else");
const { client: redis } = spots;
// @ts-expect-error: the client cannot be replaced
spots.client = redis;
// @ts-expect-error: misspelt
new SpotsSessions({ mising: "reject" });
// @ts-expect-error: nothing that can be done
new SpotsSessions({ missing: "throw" });

const one = { app: "a", token: "t" };
const found = await spots.get(one);
same<Equal<typeof found, SpotsSession | undefined>>();
const killed = await spots.kill(one);
same<Equal<typeof killed, boolean>>();
const rejecting = new SpotsSessions({ missing: "reject", tokenSize: 32 });
const { ownerId, ...rest } = await rejecting.get(one);
same<Equal<typeof ownerId, string>>();
same<Equal<typeof rest, { data: SpotsData }>>();
const refreshed = await rejecting.refresh({ ...one, duration: 60 });
same<Equal<typeof refreshed, true>>();
const ended = await rejecting.killAll({ app: "a", ownerId: "1" });
same<Equal<typeof ended, boolean>>();
declare const configured: SpotsSessionsOptions;
for (const missing of [configured.missing, undefined]) {
  const perhaps = await new SpotsSessions({ missing }).get(one);
  same<Equal<typeof perhaps, SpotsSession | undefined>>();
}
const loaded = await new SpotsSessions(configured).get(one);
same<Equal<typeof loaded, SpotsSession | undefined>>();
const either: SpotsSessions[] = [spots, rejecting];
// @ts-expect-error: it may resolve to undefined
const surely: SpotsSessions<"reject"> = spots;
console.log(either, surely);

const app = new Koa<Koa.DefaultState, KoaSessionContext>();
const Session = KoaRedisSessionSets(app, { client: spots.client, references: { user_id: 1 } });
app.use(Session);
app.use(async (ctx) => {
  same<Equal<typeof ctx.session, KoaSession>>();
  const { user_id } = await ctx.session.get(["user_id"]);
  const values = await ctx.session.set({ user_id: user_id as number }, "28 days");
  same<Equal<typeof values, { user_id: number }>>();
  await ctx.session.unset(["user_id"], 1000);
  const key: string = ctx.session.getKey();
  await spots.client.hgetall(key);
  const session: KoaSessionData = await ctx.session.get();
  const token: string = await ctx.session.createCSRFToken(session);
  const valid: boolean = await ctx.session.verifyCSRFToken(session, token);
  ctx.body = valid && (await ctx.session.verifyCSRFToken(token));
  Session.createSession(ctx);
  // @ts-expect-error: no duration
  await ctx.session.touch("soon");
});
KoaRedisSessionSets(app, {
  client: spots.client,
  namespace: "shop",
  references: { user_id: { rotate: true }, lang: { rotate: false } },
  sameSite: "strict",
  migrate: true,
});
// @ts-expect-error: no client
KoaRedisSessionSets(app, {});
// @ts-expect-error: no option
KoaRedisSessionSets(app, { client: spots.client, referneces: { user_id: {} } });
// @ts-expect-error: no namespace
KoaRedisSessionSets(app, { client: spots.client, namespace: 1 });
// @ts-expect-error: no options of a cookie
KoaRedisSessionSets(app, { client: spots.client, expires: new Date() });

const client = createClient();
interface Data {
  userId: string;
  expires: string;
  role: string;
}
const data: Data = { userId: "eva", expires: "2999-01-01T00:00:00Z", role: "admin" };
const made = await createSession({ client, data });
same<Equal<typeof made, string>>();
const given = await createSession({ client, sessionId: "id", data });
same<Equal<typeof given, string>>();
// @ts-expect-error: misspelt
await createSession({ client, sesionId: "id", data });
const read = await readSession<Data>({ client, sessionId: "id" });
same<Equal<typeof read, Data | null>>();
const [first] = await getUserSessions<Data>({ client, userId: "eva" });
same<Equal<NonNullable<typeof first>, { sessionId: string; data: Data }>>();
await updateSession({ client, sessionId: "id", data: { role: "guest" } });
// @ts-expect-error: no userId
await createSession({ client, data: { expires: "" } });
