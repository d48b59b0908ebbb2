import { createSessions, type Duration, type Sessions } from "session-sets";
import { memoryStore } from "session-sets/memory";
import { redisStore } from "session-sets/redis";
import { type Handler, koaRequest } from "./http/koa-request.ts";
import { startRedis } from "./redis/server.ts";
import { clients } from "./stores/stores.ts";

/* Everything that this library can be made to reject. */

export type Data = { user_id?: number; team_ids?: string[]; theme?: unknown };

export const OPTIONS = {
  references: { user_id: {}, team_ids: { identity: false } },
  idleTimeout: "1 hour",
  absoluteTimeout: "1 day",
} as const;

type Note = (error: unknown) => void;

/** Mistakes of the program with a live token at hand; gives the tokens it made for that. */
export async function provokeHere(
  sessions: Sessions<Data>,
  token: string,
  note: Note,
): Promise<string[]> {
  const store = memoryStore({ maxSessions: 1 });
  const full = createSessions<Data>({ store, ...OPTIONS });
  const { token: only } = await full.create({ user_id: 1 });
  const single = createSessions<Data>({
    references: { user_id: { limit: 1, whenFull: "reject" } },
  });
  const { token: alone } = await single.create({ user_id: 1 });
  const calls: (() => unknown)[] = [
    () => sessions.by("nobody" as "user_id", 1),
    () => sessions.by("user_id", {} as number),
    () => sessions.touch(token, { idleTimeout: "soon" as Duration }),
    () => sessions.rotate(token, {}, { grace: -1 }),
    () => sessions.by("user_id", 1).list({ limit: 0 }),
    () => sessions.set(token, { user_id: 2 }),
    () => sessions.unset(token, ["user_id"]),
    () => sessions.by("user_id", 1).set({ user_id: 2 }),
    () => sessions.signIn(token, { theme: token }),
    () => sessions.signIn(token, { user_id: 1 }, { keep: ["user_id"] }),
    () => sessions.signIn(token, { user_id: 1 }, { keep: [`@${token}` as "theme"] }),
    () => sessions.signIn(token, { user_id: 1 }, { [token]: token }),
    () => sessions.signIn(token, { user_id: 1, theme: token.repeat(10_000) }),
    () => sessions.create({}, { idleTimeout: null, absoluteTimeout: null }),
    () => sessions.set(token, { theme: { token, at: new Date() } }),
    () => sessions.set(token, { [`@${token}` as "theme"]: token }),
    () => sessions.set(token, { theme: { [token]: Number.NaN } }),
    () => sessions.unset(token, [`@${token}` as "theme"]),
    () => sessions.by(token as "user_id", 1),
    () => sessions.touch(token, { idleTimeout: token as Duration }),
    () => sessions.by("user_id", 1).clear({ except: token }),
    () => sessions.by("user_id", 1).clear({ [token]: token }),
    () => createSessions({ idleTimeout: 1000, [token]: 1 }),
    () => createSessions({ idleTimeout: 1000, references: { [`@${token}`]: {} } }),
    () => sessions.unset(token, ["" as "theme"]),
    () => sessions.get(token, ["__proto__" as "theme"]),
    () => sessions.rotate(token, { team_ids: [{ token }] as unknown as string[] }),
    () => sessions.set(token, { theme: token.repeat(10_000) }),
    () => sessions.by("user_id", 1).set({ theme: token.repeat(10_000) }),
    () => full.create({ user_id: 2 }),
    () => full.signIn(null, { user_id: 2 }),
    () => single.create({ user_id: 1 }),
    () => single.signIn(token, { user_id: 1, theme: token }),
    () => sessions.signIn(token, { user_id: 1 }, { asOf: 0 }),
    () => sessions.signIn(token, { user_id: 1 }, { asOf: token as unknown as Date }),
  ];
  for (const call of calls) {
    try {
      await call();
    } catch (error) {
      note(error);
      continue;
    }
    throw new Error(`nothing was wrong with ${call}`);
  }
  return [only, alone];
}

/** Mistakes that only a request can make; gives the tokens that it made. */
export async function provokeKoa(sessions: Sessions<Data>, note: Note): Promise<readonly string[]> {
  const { token, session } = await sessions.create({ user_id: 1 });
  const cookie = `session=${token}`;
  const gone: Handler<Data> = async (ctx) => {
    await ctx.session.load();
    await sessions.byId(session.id).delete();
    await ctx.session.set({ theme: "dark" });
  };
  const late: Handler<Data> = async (ctx) => {
    ctx.res.flushHeaders();
    await ctx.session.set({ user_id: 1 }).catch(note);
    ctx.res.end();
  };
  await koaRequest(sessions, gone, note, { headers: { cookie } });
  await koaRequest(sessions, late, note);
  const headers = { cookie, "sec-fetch-site": "cross-site" };
  await koaRequest(sessions, async () => {}, note, { method: "POST", headers });
  return [token];
}

/** A server without replicas, that answers no more, and that is gone; gives the token that was used. */
export async function provokeOutage(note: Note): Promise<string[]> {
  const server = await startRedis();
  const client = clients["ioredis 6"](server.url);
  client.on("error", () => {});
  try {
    const patient = redisStore(client, { timeout: "20 seconds" });
    const { token } = await createSessions<Data>({ store: patient, ...OPTIONS }).create();
    // There are no replicas, so both calls wait as long as they may.
    const waiting = redisStore(client, { timeout: "5 seconds" });
    const ending = createSessions<Data>({ store: waiting, ...OPTIONS });
    await Promise.all([
      ending.delete(token, { replicas: 1 }).catch(note),
      ending.by("user_id", 1).clear({ replicas: 1 }).catch(note),
    ]);
    const store = redisStore(client, { timeout: 100 });
    const sessions = createSessions<Data>({ store, ...OPTIONS });
    server.pause();
    await sessions.get(token).catch(note);
    await sessions.set(token, { theme: "dark" }).catch(note);
    await sessions.rotate(token).catch(note);
    await sessions.signIn(token, { user_id: 1 }).catch(note);
    await server.kill();
    await sessions.delete(token).catch(note);
    return [token];
  } finally {
    client.disconnect();
    await server.stop();
  }
}
