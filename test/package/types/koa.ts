/* The types of `ctx.session` under Koa: code that compiles, and code that must not. Compiled, never run. */
import Koa from "koa";
import { createSessions, type Session, type SessionSet } from "session-sets";
import {
  type GivenSession,
  koaSessions,
  type RequestSession,
  type SessionContext,
} from "session-sets/koa";
import { type Equal, same } from "./equal.ts";

interface Data {
  user_id?: number;
  team_ids?: number[];
  theme?: string;
}

const sessions = createSessions({
  data: {} as Data,
  references: { user_id: {}, team_ids: {} },
  idleTimeout: "30 minutes",
});

const app = new Koa<Koa.DefaultState, SessionContext<typeof sessions>>();
app.use(koaSessions(sessions, { cookie: { name: "sid" } }));
app.use(async (ctx) => {
  same<Equal<typeof ctx.session, RequestSession<Data, "user_id" | "team_ids">>>();
  const all = await ctx.session.get();
  same<Equal<typeof all, Partial<Data>>>();
  const part = await ctx.session.get(["theme"]);
  same<Equal<typeof part, Partial<Pick<Data, "theme">>>>();
  const loaded = await ctx.session.load();
  same<Equal<typeof loaded, Session<Partial<Data>> | null>>();
  const devices = await ctx.session.peers("user_id");
  same<Equal<typeof devices, SessionSet<Data> | null>>();
  await ctx.session.peers("team_ids", 7);
  const signedIn = await ctx.session.signIn({ user_id: 1 }, { absoluteTimeout: "90 days" });
  same<Equal<typeof signedIn, GivenSession<Data>>>();
  await ctx.session.set({ user_id: 1 });
  await ctx.session.changeCredentials("user_id");
  await ctx.session.unset(["theme"]);
  await ctx.session.rotate({}, { grace: 0 });
  same<Equal<string, ReturnType<typeof ctx.session.createCSRFToken>>>();
  // @ts-expect-error: deadlines are given to signIn
  await ctx.session.set({ user_id: 1 }, { absoluteTimeout: "90 days" });
  // @ts-expect-error: no field of the data
  await ctx.session.set({ nothing: 1 });
  // @ts-expect-error: a wrong type
  await ctx.session.set({ user_id: "1" });
  // @ts-expect-error: no field of the data
  await ctx.session.get(["nothing"]);
  // @ts-expect-error: no field of the data
  await ctx.session.unset(["nothing"]);
  // @ts-expect-error: no declared reference
  await ctx.session.peers("theme");
  // @ts-expect-error: an element of another type
  await ctx.session.peers("team_ids", "7");
  // @ts-expect-error: the session of a request tells no token
  ctx.session.token;
});

/** A session that is there may lack what `create` asks for: `ctx.session.set` makes it of any field. */
interface Strict {
  user_id: number;
  theme?: string;
}

const strict = createSessions({
  data: {} as Strict,
  references: { user_id: {} },
  idleTimeout: "30 minutes",
});

const strictApp = new Koa<Koa.DefaultState, SessionContext<typeof strict>>();
strictApp.use(
  koaSessions(strict, {
    cookie: {
      persistent: (session) => {
        same<Equal<typeof session, Session<Partial<Strict>>>>();
        // @ts-expect-error: it may be absent
        session.data.user_id.toFixed();
        return session.data.user_id === 1;
      },
    },
  }),
);
strictApp.use(async (ctx) => {
  const loaded = await ctx.session.load();
  same<Equal<typeof loaded, Session<Strict> | null>>();
  const data = await ctx.session.get();
  // @ts-expect-error: it may be absent
  data.user_id.toFixed();
  await ctx.session.set({ theme: "dark" });
});
// @ts-expect-error: a promise is neither yes nor no
koaSessions(strict, { cookie: { persistent: async () => true } });

// @ts-expect-error: no sessions
koaSessions({});
// @ts-expect-error: no option
koaSessions(sessions, { secret: "x" });
// @ts-expect-error: what says who the user is says the reference, not the adapter
koaSessions(sessions, { rotate: false });
// @ts-expect-error: no option of a cookie
koaSessions(sessions, { cookie: { httponly: true } });
