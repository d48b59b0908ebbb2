/* A request's session beside clears, limits and trim: what is refused, and what becomes of its cookie. */
import { createSessions } from "session-sets";
import { fetchSessions } from "session-sets/fetch";
import { memoryStore } from "session-sets/memory";
import { expect, test } from "vitest";

interface Data {
  user_id?: number;
  theme?: string;
}

function open(limit?: { limit: number; whenFull: "reject" | "end-oldest" }) {
  const store = memoryStore();
  const sessions = createSessions<Data>({ store, references: { user_id: limit ?? {} } });
  const sessionOf = fetchSessions(sessions);
  const visit = (token?: string) =>
    sessionOf(
      new Request("https://shop.example/", {
        headers: token ? { cookie: `__Host-session=${token}` } : {},
      }),
    );
  type Session = ReturnType<typeof visit>;
  const cookies = (session: Session) => session.commit(new Response()).headers.getSetCookie();
  return { sessions, visit, cookies };
}

const GONE = { code: "ERR_SESSION_GONE", status: 409 };
const FULL = { code: "ERR_SESSION_LIMIT", status: 409, field: "user_id", limit: 1 };

test("signIn and rotate take asOf, and a refused one leaves the visitor's session and cookie alone", async () => {
  const { sessions, visit, cookies } = open();
  const { token } = await sessions.create({ theme: "dark" });
  const asOf = Date.now();
  await sessions.by("user_id", 1).clear();
  for (const login of [
    (session: ReturnType<typeof visit>) => session.signIn({ user_id: 1 }, { asOf }),
    (session: ReturnType<typeof visit>) => session.signIn({ user_id: 1 }, { asOf: new Date(asOf) }),
    (session: ReturnType<typeof visit>) => session.rotate({ user_id: 1 }, { asOf }),
  ]) {
    const session = visit(token);
    await expect(login(session)).rejects.toMatchObject(GONE);
    expect(cookies(session)).toEqual([]);
    expect(await session.get()).toEqual({ theme: "dark" });
  }
  const first = visit();
  await expect(first.signIn({ user_id: 1 }, { asOf })).rejects.toMatchObject(GONE);
  expect(cookies(first)).toEqual([]);
  expect(await sessions.by("user_id", 1).size()).toBe(0);

  const session = visit(token);
  await session.signIn({ user_id: 1 }); // right after one's own clear: without asOf
  expect(cookies(session)).toHaveLength(1);
  expect(await sessions.by("user_id", 1).size()).toBe(1);
});

test("asOf that is no moment is refused before anything is done", async () => {
  const { sessions, visit } = open();
  const session = visit();
  const wrong = { asOf: "yesterday" as unknown as number };
  for (const login of [
    () => session.signIn({ user_id: 1 }, wrong),
    () => session.rotate({ user_id: 1 }, wrong),
  ]) {
    await expect((async () => login())()).rejects.toMatchObject({
      code: "ERR_SESSION_CONFIG",
      option: "asOf",
    });
  }
  expect(await sessions.by("user_id", 1).size()).toBe(0);
});

test("a full set rejects signIn, set and rotate, and the visitor's session stays", async () => {
  const { sessions, visit, cookies } = open({ limit: 1, whenFull: "reject" });
  await sessions.create({ user_id: 1 });
  const { token } = await sessions.create({ theme: "dark" });
  for (const login of [
    (session: ReturnType<typeof visit>) => session.signIn({ user_id: 1 }),
    (session: ReturnType<typeof visit>) => session.set({ user_id: 1 }),
    (session: ReturnType<typeof visit>) => session.rotate({ user_id: 1 }),
  ]) {
    const session = visit(token);
    await expect(login(session)).rejects.toMatchObject(FULL);
    expect(cookies(session)).toEqual([]);
    expect(await session.get()).toEqual({ theme: "dark" });
  }
  const { token: own } = await sessions.create({ user_id: 2 });
  const session = visit(own);
  await session.signIn({ user_id: 2 }); // its own session makes room
  expect(await sessions.by("user_id", 2).size()).toBe(1);
});

test("a full set that ends the oldest lets each of them in", async () => {
  const { sessions, visit } = open({ limit: 1, whenFull: "end-oldest" });
  let last = (await sessions.create({ user_id: 1 })).token;
  for (const login of [
    (session: ReturnType<typeof visit>) => session.signIn({ user_id: 1 }),
    (session: ReturnType<typeof visit>) => session.set({ user_id: 1 }),
    (session: ReturnType<typeof visit>) => session.rotate({ user_id: 1 }),
  ]) {
    const session = visit((await sessions.create({ theme: "dark" })).token);
    await login(session);
    expect(await sessions.get(last)).toBeNull();
    expect(await sessions.by("user_id", 1).ids()).toEqual([session.id]);
    last = session.commit(new Response()).headers.getSetCookie()[0]?.split(/[=;]/)[1] ?? "";
  }
});

test("peers().trim clears the cookie if its own session is among the oldest, and only then", async () => {
  const { sessions, visit, cookies } = open();
  const oldest = await sessions.create({ user_id: 1 });
  await sessions.create({ user_id: 1 });
  const newest = await sessions.create({ user_id: 1 });
  const stays = visit(newest.token);
  expect(await (await stays.peers("user_id"))?.trim({ keep: 2 })).toBe(1);
  expect(cookies(stays)).toEqual([]);
  expect(await sessions.get(oldest.token)).toBeNull();

  const own = await sessions.create({ user_id: 2 });
  const other = await sessions.create({ user_id: 2 });
  const goes = visit(own.token);
  expect(await (await goes.peers("user_id"))?.trim({ keep: 1 })).toBe(1);
  expect(cookies(goes)).toEqual([expect.stringMatching(/^__Host-session=;/)]);
  expect(await goes.get()).toEqual({});
  expect((await sessions.get(other.token))?.id).toBe(other.session.id);
});
