/* What another request does to a session between two commands of this one. */
import { createSessions, type SessionStore } from "session-sets";
import { fetchSessions } from "session-sets/fetch";
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
