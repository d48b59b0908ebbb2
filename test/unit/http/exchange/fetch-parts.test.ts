/* The session of a request of which a framework shows parts: its headers, and perhaps its cookies. */
import { createSessions } from "session-sets";
import { fetchSessions } from "session-sets/fetch";
import { memoryStore } from "session-sets/memory";
import { expect, test } from "vitest";

interface Data {
  user_id?: number;
  theme?: string;
}

const sessions = createSessions<Data>({ references: { user_id: {} }, store: memoryStore() });
const fetchSession = fetchSessions(sessions);

/** At run time the session of the headers is that of the Request, too. */
interface Committing {
  commit(response: Response): Response;
}

/** The calls on a framework's cookies, by the names of the cookies. */
function cookieStore() {
  const set = new Map<string, readonly [value: string, maxAge: unknown]>();
  return {
    cookies: {
      set: (name: string, value: string, { maxAge }: { maxAge?: number }) =>
        void set.set(name, [value, maxAge]),
    },
    set,
  };
}

test("a helper that reads with the headers alone does not keep what comes after from its cookies", async () => {
  const { token } = await sessions.create({ theme: "dark" });
  const headers = new Headers({ cookie: `session=${token}` });
  const { cookies, set } = cookieStore();
  const helper = fetchSession({ headers });
  expect(await helper.get()).toEqual({ theme: "dark" });
  await expect(helper.rotate()).rejects.toMatchObject({ code: "ERR_COOKIE", cookie: "session" });
  const action = fetchSession({ headers, cookies });
  await action.signIn({ user_id: 1 }, { keep: ["theme"] });
  expect(await helper.get()).toEqual({ user_id: 1, theme: "dark" });
  expect((await sessions.get(set.get("session")?.[0]))?.data.user_id).toBe(1);
});

test("the headers alone are no way to send a cookie, and nothing is written", async () => {
  const { token } = await sessions.create({ user_id: 1 });
  const session = fetchSession({ headers: new Headers({ cookie: `session=${token}` }) });
  for (const work of [
    () => session.signIn({ user_id: 2 }),
    () => session.set({ user_id: 2 }),
    () => session.rotate(),
    () => session.delete({ keep: ["theme"] }),
  ]) {
    await expect(work()).rejects.toThrow("{ headers, cookies }");
  }
  expect((await sessions.get(token))?.data).toEqual({ user_id: 1 });
  expect(await session.delete()).toBe(true);
  expect(await sessions.get(token)).toBeNull();
});

test("a form's cookie is taken back where the same action brings a session", async () => {
  const { cookies, set } = cookieStore();
  const session = fetchSession({ headers: new Headers(), cookies });
  session.createCSRFToken();
  const [name = ""] = set.keys();
  expect(name).toMatch(/^session-csrf-/);
  await session.signIn({ user_id: 1 });
  expect(set.get(name)).toEqual(["", 0]);
  expect(set.get("session")?.[0]).toMatch(/^[\w-]{34}$/);
});

test("fields are kept although the alias that a request came by has expired since", async () => {
  let now = Date.now();
  const store = memoryStore({ now: () => now });
  const moved = createSessions<Data>({ references: { user_id: {} }, store });
  const { token } = await moved.create({ user_id: 1, theme: "dark" });
  await moved.rotate(token);
  const { cookies, set } = cookieStore();
  const headers = new Headers({ cookie: `session=${token}` });
  const session = fetchSessions(moved)({ headers, cookies });
  expect(await session.get()).toEqual({ user_id: 1, theme: "dark" });
  now += 3_600_000;
  expect(await session.delete({ keep: ["theme"] })).toBe(true);
  expect((await moved.get(set.get("session")?.[0]))?.data).toEqual({ theme: "dark" });
  expect(await moved.by("user_id", 1).size()).toBe(0);
});

test("a store of cookies by their names keeps the domain's, and not its twin's end", async () => {
  const { cookies, set } = cookieStore();
  const ofDomain = fetchSessions(sessions, { cookie: { domain: "shop.example" } });
  const session = ofDomain({ headers: new Headers(), cookies });
  await session.signIn({ user_id: 1 });
  expect((await sessions.get(set.get("session")?.[0]))?.data).toEqual({ user_id: 1 });
});

test("cookies that are refused end the session all the same, and keep nobody from reading", async () => {
  let now = Date.now();
  const store = memoryStore({ now: () => now });
  const aged = createSessions<Data>({
    references: { user_id: {} },
    store,
    idleTimeout: 300 * 86_400_000,
    absoluteTimeout: null,
  });
  const { token } = await aged.create({ theme: "dark" });
  now += 250 * 86_400_000;
  let refused = 0;
  const cookies = {
    set() {
      refused++;
      throw new Error("not while a page is rendered");
    },
  };
  const headers = new Headers({ cookie: `session=${token}` });
  const session = fetchSessions(aged)({ headers, cookies });
  expect([await session.get(), refused]).toEqual([{ theme: "dark" }, 1]);
  expect([await session.delete(), refused]).toEqual([true, 2]);
  expect(await aged.get(token)).toBeNull();
  await expect(session.signIn({ user_id: 1 })).rejects.toMatchObject({
    code: "ERR_COOKIE",
    cookie: "session",
  });
});

test("a token that was found dead by a write is good for no form", async () => {
  const { token } = await sessions.create({ theme: "dark" });
  const headers = new Headers({ cookie: `session=${token}` });
  const { cookies } = cookieStore();
  const session = fetchSession({ headers, cookies });
  const ofDead = session.createCSRFToken();
  expect(session.verifyCSRFToken(ofDead)).toBe(true);
  await sessions.delete(token);
  expect(await session.touch()).toBe(false);
  expect(session.verifyCSRFToken(ofDead)).toBe(false);
});

test("a token for a program leaves the cookies of forms alone", async () => {
  const first = cookieStore();
  fetchSession({ headers: new Headers(), cookies: first.cookies }).createCSRFToken();
  const [[name, [secret]] = ["", [""]]] = first.set;
  const { cookies, set } = cookieStore();
  const session = fetchSession({ headers: new Headers({ cookie: `${name}=${secret}` }), cookies });
  const form = session.createCSRFToken();
  await session.signIn({ user_id: 1 }, { carrier: "bearer" });
  expect([form === "", [...set.keys()].filter((one) => one === name)]).toEqual([false, []]);
});

test("nothing is asked of the store where what is to be kept says who the user is", async () => {
  const session = fetchSession({ headers: new Headers() });
  for (const keep of [["user_id"], "theme"]) {
    await expect(session.delete({ keep } as never)).rejects.toMatchObject({
      code: "ERR_SESSION_CONFIG",
    });
  }
});

test("a bare cookie that was planted eight times crowds out none with a prefix", async () => {
  const { token } = await sessions.create({ theme: "dark" });
  const planted = Array.from({ length: 8 }, (_, i) => `session=AA${String(i).repeat(32)}`);
  const headers = new Headers({ cookie: [...planted, `__Host-session=${token}`].join("; ") });
  expect(await fetchSession({ headers }).get()).toEqual({ theme: "dark" });
});

test("parts of a Cookie header without a value are passed over", async () => {
  const { token } = await sessions.create({ theme: "dark" });
  const found = [`session=${token}; theme`, `theme; session=${token}`, `;;a;session=${token};`];
  for (const cookie of found) {
    expect(await fetchSession({ headers: new Headers({ cookie }) }).get()).toEqual({
      theme: "dark",
    });
  }
  for (const cookie of ["session", token, `session; ${token}`, ";;"]) {
    expect(await fetchSession({ headers: new Headers({ cookie }) }).get()).toEqual({});
  }
});

test("a token may come in one header, and the next one go out by another", async () => {
  const { token } = await sessions.create({ user_id: 1 });
  const carriers = [{ header: "x-first" }, { header: "x-second" }];
  const session = fetchSessions(sessions, { carriers })(
    new Request("https://shop.example/", { headers: { "x-second": token } }),
  );
  const signedIn = await session.signIn({ user_id: 2 }, { carrier: "bearer" });
  expect((await sessions.get(signedIn.token ?? ""))?.data).toEqual({ user_id: 2 });
  expect(await sessions.get(token)).toBeNull();
  const { headers } = session.commit(new Response());
  expect([headers.getSetCookie(), headers.get("cache-control")]).toEqual([[], "no-store"]);
});

test("the headers alone lead to the Request that comes after them, and to its response", async () => {
  const { token } = await sessions.create({ user_id: 1 });
  const request = new Request("https://shop.example/", {
    headers: { cookie: `__Host-session=${token}` },
  });
  const helper = fetchSession({ headers: request.headers });
  const commit = (response: Response) => (helper as unknown as Committing).commit(response);
  expect(await helper.get()).toEqual({ user_id: 1 });
  const early = new Response();
  expect(commit(early)).toBe(early);
  expect([...early.headers]).toEqual([]);
  fetchSession(request);
  await helper.rotate();
  const answer = commit(new Response());
  expect(answer.headers.getSetCookie()).toEqual([expect.stringMatching(/^__Host-session=/)]);
  expect(answer.headers.get("cache-control")).toBe("no-store");
});

test("the headers alone lead other headers to the response of their Request, too", async () => {
  const { token } = await sessions.create({ user_id: 1 });
  const request = new Request("http://shop.test/", { headers: { cookie: `session=${token}` } });
  const early = fetchSession({ headers: request.headers });
  const bound = fetchSession(request);
  await early.delete({ clearSiteData: ["cache"] });
  const { headers } = bound.commit(new Response());
  expect(headers.get("clear-site-data")).toBe('"cache"');
});
