/* What another request does to a session between two commands of this one. */
import { IncomingMessage, ServerResponse } from "node:http";
import { Socket } from "node:net";
import { createSessions, type SessionStore } from "session-sets";
import { fetchSessions } from "session-sets/fetch";
import { koaSessions } from "session-sets/koa";
import { memoryStore } from "session-sets/memory";
import { expect, test } from "vitest";

interface Data {
  user_id?: number;
}

const DAY = 86_400_000;
const references = { user_id: {} };

/** Sessions whose clock is moved, and a store in which something is done before a method is called. */
function open() {
  let now = 1_700_000_000_000;
  const store = memoryStore({ now: () => now });
  const before: { [Method in keyof SessionStore]?: (...args: never[]) => unknown } = {};
  const interrupted = new Proxy(store, {
    get(_target, name) {
      const value = Reflect.get(store, name);
      if (typeof value !== "function") return value;
      return async (...args: never[]) => {
        await before[name as keyof SessionStore]?.(...args);
        return value.apply(store, args);
      };
    },
  });
  const times = { idleTimeout: "390 days", absoluteTimeout: null } as const;
  return {
    before,
    elapse: (ms: number) => {
      now += ms;
    },
    others: createSessions<Data>({ store, references, ...times }),
    sessions: createSessions<Data>({ store: interrupted, references, ...times }),
  };
}

const cookieOf = (token: string) => ({ headers: { cookie: `__Host-session=${token}` } });
const visit = (token: string) => new Request("https://shop.example/", cookieOf(token));

test("a session that ends between its read and its touch is not there", async () => {
  const { sessions, others, before, elapse } = open();
  const { token } = await others.create({ user_id: 1 });
  elapse(DAY);
  before.change = () => others.delete(token);
  expect(await sessions.get(token)).toBeNull();
});

test("a cookie is not set again for a session that has ended since it was used", async () => {
  const { sessions, others, before, elapse } = open();
  const { token } = await others.create({ user_id: 1 });
  elapse(201 * DAY);
  const session = fetchSessions(sessions)(visit(token));
  let finds = 0;
  before.find = async () => {
    if (++finds === 2) await others.delete(token);
  };
  expect(await session.get()).toEqual({ user_id: 1 });
  expect(finds).toBe(2);
  expect(session.commit(new Response()).headers.getSetCookie()).toEqual([]);
});

test("a session that has ended meanwhile is not ended once more by its name", async () => {
  const { sessions, others } = open();
  const { token, session: made } = await others.create({ user_id: 1 });
  const session = fetchSessions(sessions)(visit(token));
  const peers = await session.peers("user_id");
  await others.delete(token);
  expect(await peers?.delete(made.id)).toBe(false);
});

test("a change of password ends nothing where the session has ended since its user was read", async () => {
  const { before, others, sessions } = open();
  const { token, session: created } = await others.create({ user_id: 1 });
  const session = fetchSessions(sessions)(visit(token));
  before.change = async () => {
    delete before.change;
    await others.delete(token);
  };
  await others.create({ user_id: 1 });
  await expect(session.changeCredentials("user_id")).rejects.toMatchObject({
    code: "ERR_SESSION_GONE",
  });
  expect(await others.by("user_id", 1).size()).toBe(1);
  expect(await others.by("user_id", 1).has(created.id)).toBe(false);
});

test("a session is ended although the old token that its request came with has expired since", async () => {
  const { elapse, others, sessions } = open();
  const { token } = await others.create({ user_id: 1 });
  const fetchSession = fetchSessions(sessions);
  await fetchSession(visit(token)).rotate();
  const late = fetchSession(visit(token));
  expect(await late.get()).toEqual({ user_id: 1 });
  elapse(DAY);
  expect(await late.delete()).toBe(true);
  expect(await others.by("user_id", 1).size()).toBe(0);
});

test("a set ends its sessions also where that of the request has left it", async () => {
  const { others, sessions } = open();
  const { token } = await others.create({ user_id: 1 });
  await others.create({ user_id: 1 });
  const fetchSession = fetchSessions(sessions);
  const peers = await fetchSession(visit(token)).peers("user_id");
  const beside = fetchSession(visit(token));
  await beside.signIn({ user_id: 2 });
  expect(await peers?.clear()).toBe(1);
  expect(await others.by("user_id", 1).size()).toBe(0);
  expect(await others.by("user_id", 2).size()).toBe(1);
});

test("a set outlives the session of its request, and ends others", async () => {
  const { others, sessions } = open();
  const all = [];
  for (let i = 0; i < 5; i++) all.push(await others.create({ user_id: 1 }));
  const [own, first] = all as [(typeof all)[0], (typeof all)[0]];
  const session = fetchSessions(sessions)(visit(own.token));
  const peers = await session.peers("user_id");
  await session.delete();
  expect(await peers?.delete(first.session.id)).toBe(true);
  expect(await peers?.trim({ keep: 2 })).toBe(1);
  expect(await peers?.clear()).toBe(2);
  expect(await others.by("user_id", 1).size()).toBe(0);
});

test("a session that was read is not read once more to be watched", async () => {
  const { before, others, sessions } = open();
  const { token } = await others.create({ user_id: 1 });
  const readsOfWatching = async (first: (session: { get(): Promise<object> }) => unknown) => {
    const session = fetchSessions(sessions)(visit(token));
    await first(session);
    let reads = 0;
    before.find = () => reads++;
    const off = await session.onEnd(() => {});
    await off();
    return reads;
  };
  const unread = await readsOfWatching(() => {});
  expect(await readsOfWatching((session) => session.get())).toBe(unread - 1);
});

test("without a session there is nothing to remove, not even the user", async () => {
  const { sessions } = open();
  const session = fetchSessions(sessions)(new Request("https://shop.test/"));
  expect(await session.unset(["user_id"])).toBe(false);
  expect(await session.get()).toEqual({});
});

test("what fails while a cookie is set again, other than the cookie, is not hidden", async () => {
  const { elapse, others, sessions } = open();
  const { token } = await others.create({ user_id: 1 });
  elapse(201 * DAY);
  const asked = () => {
    throw new Error("the application's function");
  };
  const byFunction = fetchSessions(sessions, { cookie: { persistent: asked } })(visit(token));
  await expect(byFunction.get()).rejects.toThrow("the application's function");

  const keys = {
    verify: () => true,
    sign: () => {
      throw new Error("the application's keys");
    },
  };
  const req = new IncomingMessage(new Socket());
  req.headers.cookie = `__Host-session=${token}.signature`;
  const res = new ServerResponse(req);
  const ctx = { req, res, method: "GET", host: "shop.test", secure: true, app: { keys } };
  elapse(DAY);
  const signed = koaSessions(sessions, { signed: true }).of(ctx);
  await expect(signed.get()).rejects.toThrow("the application's keys");
});
