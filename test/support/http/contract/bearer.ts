import { describe, expect, test } from "vitest";
import {
  type Answer,
  type AppOptions,
  COOKIE,
  type Data,
  type Handler,
  type TestApp,
} from "../app.ts";
import { UNKNOWN } from "./anonymous.ts";
import type { Start } from "./contract.ts";

const bearer = (token: unknown) => ({ authorization: `Bearer ${token}` });
const get: Handler = ({ session }) => session.get();
const TOKEN = expect.stringMatching(/^[A-Za-z0-9_-]{34}$/);

/** The token that an answer tells, beside its session. */
function readToken({ value }: Answer): unknown {
  return (value as { readonly token: unknown }).token;
}

/** A program that sends its token in a header; what it is answered may hold the next one. */
async function program(app: TestApp, values: Data = {}) {
  const { token } = await app.sessions.create(values);
  return {
    token,
    send: (handler: Handler, headers: Record<string, string> = bearer(token), method = "GET") =>
      app.browser().send(handler, { headers, method }),
  };
}

const MALFORMED: Record<string, (token: string) => string> = {
  "another scheme": (token) => `Basic ${token}`,
  "no scheme": (token) => token,
  "the scheme alone": () => "Bearer",
  "an empty token": () => "Bearer ",
  "a token too short": (token) => `Bearer ${token.slice(1)}`,
  "a token too long": (token) => `Bearer ${token}A`,
  "two tokens": (token) => `Bearer ${token} ${token}`,
  "a list": (token) => `Bearer ${token}, Bearer ${token}`,
  quotes: (token) => `Bearer "${token}"`,
  "a parameter": (token) => `Bearer token=${token}`,
  "another program's token": () => "Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc-_",
  "10 kB": () => `Bearer ${"A".repeat(10_000)}`,
};

/** What needs a new token for the session of a user. */
const CHANGES: Record<string, Handler> = {
  "set of another user": ({ session }) => session.set({ user_id: 2 }),
  "set of the user to null": ({ session }) => session.set({ user_id: null } as object),
  "unset of the user": ({ session }) => session.unset(["user_id"]),
};

export function bearers(start: Start): void {
  const api = (options: AppOptions = {}, beside?: TestApp) =>
    start({ carriers: ["bearer"], ...options }, beside);

  describe("a bearer token", () => {
    test("leads to its session, which is read, changed and ended, and no cookie is sent", async () => {
      const app = await api();
      const { token, send } = await program(app, { user_id: 1, theme: "dark" });
      const steps: [Handler, unknown][] = [
        [get, { user_id: 1, theme: "dark" }],
        [({ session }) => session.set({ theme: "light", team_ids: [7] }), undefined],
        [({ session }) => session.unset(["team_ids"]), true],
        [({ session }) => session.touch(), true],
        [async ({ session }) => (await session.peers("user_id"))?.size(), 1],
        [get, { user_id: 1, theme: "light" }],
        [({ session }) => session.verifyCSRFToken(session.createCSRFToken()), true],
        [({ session }) => session.delete(), true],
        [get, {}],
      ];
      for (const [handler, value] of steps) {
        const answer = await send(handler);
        expect([answer.status, answer.value, answer.setCookies]).toEqual([200, value, []]);
        expect([undefined, "private"]).toContain(answer.headers["cache-control"]);
      }
      expect(await app.sessions.get(token)).toBeNull();
    });

    test("comes after the scheme, in whatever case that is written", async () => {
      const app = await api();
      const { token, send } = await program(app, { theme: "dark" });
      for (const scheme of ["Bearer", "bearer", "BEARER", "Bearer  "]) {
        const { value } = await send(get, { authorization: `${scheme} ${token}` });
        expect(value).toEqual({ theme: "dark" });
      }
    });

    for (const [kind, value] of Object.entries(MALFORMED)) {
      test(`that is malformed is no session and costs no round trip: ${kind}`, async () => {
        const app = await api();
        const { token, send } = await program(app, { theme: "dark" });
        const operations = await app.recordOperations(async () => {
          const answer = await send(get, { authorization: value(token) });
          expect([answer.status, answer.value]).toEqual([200, {}]);
        });
        expect(operations).toEqual([]);
      });
    }

    test("that is unknown is no session, and none is made for it", async () => {
      const app = await api();
      const { send } = await program(app);
      expect((await send(get, bearer(UNKNOWN))).value).toEqual({});
      const answer = await send(({ session }) => session.set({ theme: "x" }), bearer(UNKNOWN));
      expect([answer.status, answer.setCookies]).toEqual([409, []]);
      expect(answer.error).toMatchObject({ code: "ERR_SESSION_GONE" });
    });

    test("counts only where it is a carrier", async () => {
      const app = await start();
      const { send } = await program(app, { theme: "dark" });
      expect((await send(get)).value).toEqual({});
      const beside = await api({}, app);
      const { token } = await app.visitor({ theme: "dark" });
      expect(await beside.browser(token).data()).toEqual({});
    });

    test("may come in a header of its own", async () => {
      const app = await start({ carriers: [{ header: "X-Session-Token" }] });
      const { token, send } = await program(app, { theme: "dark" });
      expect((await send(get, { "x-session-token": token })).value).toEqual({ theme: "dark" });
      expect((await send(get, { "x-session-token": `Bearer ${token}` })).value).toEqual({});
      expect((await send(get, bearer(token))).value).toEqual({});
    });
  });

  describe("of several carriers", () => {
    test("the first that brings a well-formed token counts, also an unknown one", async () => {
      const both = await start({ carriers: ["bearer", { header: "x-token" }, "cookie"] });
      const { token } = await program(both, { theme: "a" });
      const second = await program(both, { theme: "b" });
      const browser = await both.visitor({ theme: "c" });
      const read = async (headers: Record<string, string>) =>
        (await browser.send(get, { headers })).value;
      expect(await read({})).toEqual({ theme: "c" });
      expect(await read(bearer(token))).toEqual({ theme: "a" });
      expect(await read({ "x-token": second.token })).toEqual({ theme: "b" });
      expect(await read({ "x-token": second.token, ...bearer(token) })).toEqual({ theme: "a" });
      expect(await read(bearer(UNKNOWN))).toEqual({});
      expect(await read({ ...bearer("x"), "x-token": "x" })).toEqual({ theme: "c" });
      const turned = await start({ carriers: ["cookie", "bearer"] }, both);
      const other = turned.browser(browser.token);
      expect((await other.send(get, { headers: bearer(token) })).value).toEqual({ theme: "c" });
      other.jar.set(COOKIE, "x");
      expect((await other.send(get, { headers: bearer(token) })).value).toEqual({ theme: "a" });
    });

    test("the cookie brings the token of a session that set makes", async () => {
      for (const carriers of [
        ["bearer", "cookie"],
        ["cookie", "bearer"],
      ] as const) {
        const app = await start({ carriers });
        const browser = await app.visitor({ theme: "dark" });
        expect(await browser.data()).toEqual({ theme: "dark" });
        const set = await browser.send(({ session }) => session.set({ user_id: 1 }));
        expect([set.status, set.setCookies.length]).toEqual([200, 1]);
        const signedIn = await app.browser().send(({ session }) => session.signIn({ user_id: 1 }));
        expect([signedIn.value, signedIn.setCookies.length]).toMatchObject([{ token: null }, 1]);
      }
    });

    test("no cookie is set for a program, whatever cookies it has", async () => {
      const app = await start({ carriers: ["bearer", "cookie"] });
      const { token } = await program(app, { user_id: 1 });
      const browser = await app.visitor({ user_id: 2 });
      for (const handler of [
        ({ session }) => session.rotate(),
        ({ session }) => session.delete(),
        ({ session }) => session.set({ theme: "dark" }).catch(() => {}),
      ] as Handler[]) {
        const answer = await browser.send(handler, { headers: bearer(token) });
        expect([answer.status, answer.setCookies]).toEqual([200, []]);
      }
      expect(await browser.data()).toEqual({ user_id: 2 });
    });
  });

  describe("a session by a bearer token", () => {
    for (const [verb, handler] of Object.entries(CHANGES)) {
      test(`gets no new token behind the client's back: ${verb} is refused, and nothing is done`, async () => {
        const app = await api();
        const { token, send } = await program(app, { user_id: 1 });
        app.secrets.add(token);
        const { status, error } = await send(handler);
        expect(status).toBe(500);
        expect(error).toMatchObject({ code: "ERR_SESSION_CONFIG" });
        expect(String(error)).toContain("signIn(values), or rotate(values)");
        expect((await send(get)).value).toEqual({ user_id: 1 });
      });
    }

    test("gets no first user behind the client's back either", async () => {
      const app = await api();
      const { send } = await program(app, { theme: "dark" });
      const { error } = await send(({ session }) => session.set({ user_id: 1 }));
      expect(error).toMatchObject({ code: "ERR_SESSION_CONFIG" });
      expect((await send(get)).value).toEqual({ theme: "dark" });
    });

    test("may be written back whole, its user with it, or without one", async () => {
      const app = await api();
      for (const values of [{ user_id: 1 }, {}]) {
        const { send } = await program(app, { ...values, cart: ["tea"] });
        const answer = await send(async ({ session }) => {
          await session.set({ ...(await session.get()), theme: "dark" });
          return session.get();
        });
        expect(answer.value).toEqual({ ...values, cart: ["tea"], theme: "dark" });
      }
    });

    test("keeps its token where no reference says who the user is", async () => {
      const app = await api({ sessions: { references: { user_id: { identity: false } } } });
      const { send } = await program(app, { user_id: 1 });
      await send(({ session }) => session.set({ user_id: 2 }));
      expect((await send(get)).value).toEqual({ user_id: 2 });
      expect((await send(({ session }) => session.unset(["user_id"]))).value).toBe(true);
    });

    test("gets a new token by rotate, which tells it, uncached; the old one is good for its grace", async () => {
      const app = await api();
      const { token, send } = await program(app, { user_id: 1 });
      const answer = await send(({ session }) => session.rotate({ theme: "dark" }));
      const data = { user_id: 1, theme: "dark" };
      expect(answer.value).toMatchObject({ token: TOKEN, session: { data } });
      expect([answer.headers["cache-control"], answer.setCookies]).toEqual(["no-store", []]);
      expect((await send(get, bearer(readToken(answer)))).value).toEqual(data);
      expect((await send(get, bearer(token))).value).toEqual(data);
      expect((await send(({ session }) => session.rotate(), bearer(token))).value).toBeNull();
    });

    test("signs in by rotate, and the old token is dead: nobody who knows it gets in", async () => {
      const app = await api();
      const { token, send } = await program(app, { theme: "dark" });
      const answer = await send(({ session }) => session.rotate({ user_id: 1 }));
      expect((await send(get, bearer(readToken(answer)))).value).toEqual({ user_id: 1 });
      for (const handler of [
        get,
        ({ session }) => session.touch(),
        ({ session }) => session.rotate(),
        ({ session }) => session.rotate({ user_id: 2 }),
        ({ session }) => session.delete(),
      ] as Handler[]) {
        expect([{}, null, false]).toContainEqual((await send(handler, bearer(token))).value);
      }
      const late = await send(({ session }) => session.set({ theme: "light" }), bearer(token));
      expect(late.error).toMatchObject({ code: "ERR_SESSION_GONE" });
      expect(await app.sessions.by("user_id", 1).size()).toBe(1);
    });

    test("is rotated for a request that has the new token from then on", async () => {
      const app = await api();
      const { send } = await program(app, { theme: "dark" });
      const { value } = await send(async ({ session }) => {
        const csrf = session.createCSRFToken();
        const rotated = await session.rotate({ theme: "light" });
        await session.set({ cart: ["tea"] });
        return [rotated?.token, await session.get(), session.verifyCSRFToken(csrf)];
      });
      const [token, ...rest] = value as unknown[];
      expect(rest).toEqual([{ theme: "light", cart: ["tea"] }, false]);
      expect((await send(get, bearer(token))).value).toMatchObject({ cart: ["tea"] });
    });

    test("is rotated also where the headers are sent, for it takes no cookie", async () => {
      const app = await api();
      const { send } = await program(app, { user_id: 1 });
      const { text } = await send(async ({ session, sendHeaders }) => {
        await sendHeaders();
        return [typeof (await session.rotate())?.token, await session.delete()];
      });
      expect(JSON.parse(text)).toEqual({ value: ["string", true] });
    });

    test("is not made by set, whose token would be lost: signIn and create make it", async () => {
      const app = await api();
      const { send } = await program(app);
      const refused = await send(({ session }) => session.set({ theme: "dark" }), {});
      expect(refused.error).toMatchObject({ code: "ERR_SESSION_CONFIG" });
      expect(String(refused.error)).toContain("signIn(values)");
      expect(String(refused.error)).toContain("sessions.create(values)");
      const operations = await app.recordOperations(async () => {
        const { value } = await send(async () => (await app.sessions.create({ user_id: 1 })).token);
        expect((await send(get, bearer(value))).value).toEqual({ user_id: 1 });
      });
      expect(operations).toEqual(["create", "find"]);
    });

    test("that was ended meanwhile is ERR_SESSION_GONE", async () => {
      const app = await api();
      const { send } = await program(app, { user_id: 1 });
      const answer = await send(async ({ session }) => {
        await session.get();
        await app.sessions.by("user_id", 1).clear();
        await session.set({ cart: ["tea"] });
      });
      expect([answer.status, answer.error]).toEqual([
        409,
        expect.objectContaining({ code: "ERR_SESSION_GONE" }),
      ]);
    });
  });

  test("rotate tells a cookie's token to nobody but the browser", async () => {
    const app = await start({ carriers: ["bearer", "cookie"] });
    const browser = await app.visitor({ user_id: 1 });
    const { value, setCookies } = await browser.send(({ session }) => session.rotate());
    expect([value, setCookies.length]).toMatchObject([{ token: null }, 1]);
  });
}

export function bearerGuard(start: Start): void {
  const FOREIGN = { origin: "https://evil.example", "sec-fetch-site": "cross-site" };
  const guarded = (carriers: NonNullable<AppOptions["carriers"]>) => start({ guard: {}, carriers });

  /** What a page of another site is answered, with the browser's cookie and these headers. */
  async function foreign(app: TestApp, headers: Record<string, string>) {
    const victim = await app.visitor({ user_id: 1 });
    const answer = await victim.send(get, { method: "POST", headers: { ...FOREIGN, ...headers } });
    expect(answer.text).not.toContain('"user_id":1');
    return answer.status;
  }

  describe("the CSRF guard, where bearer tokens are carried,", () => {
    test("lets a request pass whose session is by one", async () => {
      for (const carriers of [["bearer"], ["bearer", "cookie"], ["cookie", "bearer"]] as const) {
        const app = await guarded(carriers);
        const { send } = await program(app, { theme: "dark" });
        const { token } = await program(app, { theme: "dark" });
        const answer = await send(get, { ...FOREIGN, ...bearer(token) }, "POST");
        expect([answer.status, answer.value]).toEqual([200, { theme: "dark" }]);
      }
      const app = await guarded([{ header: "x-token" }]);
      const { token, send } = await program(app, { theme: "dark" });
      expect((await send(get, { ...FOREIGN, "x-token": token }, "POST")).status).toBe(200);
    });

    test("refuses another site's request with the cookie, with or without a bogus header", async () => {
      const app = await guarded(["bearer", "cookie"]);
      const { token } = await app.sessions.create({});
      for (const headers of [
        {},
        { authorization: "Bearer" },
        bearer("x"),
        bearer(`${token}A`),
        { authorization: `Basic ${token}` },
        { authorization: token },
        { "x-token": token },
      ] as Record<string, string>[]) {
        expect(await foreign(app, headers), JSON.stringify(headers)).toBe(403);
      }
    });

    test("refuses another site's request that brings no token at all", async () => {
      const app = await guarded(["bearer"]);
      for (const headers of [{}, { authorization: "Bearer" }, bearer("x")]) {
        const { status } = await app
          .browser()
          .send(get, { method: "POST", headers: { ...FOREIGN, ...headers } });
        expect(status, JSON.stringify(headers)).toBe(403);
      }
    });

    test("refuses a request with both where the cookie counts", async () => {
      const app = await guarded(["cookie", "bearer"]);
      const { token } = await app.sessions.create({});
      expect(await foreign(app, bearer(token))).toBe(403);
    });

    test("does not go by a bearer header where it is no carrier", async () => {
      const app = await guarded(["cookie"]);
      const { token } = await app.sessions.create({});
      expect(await foreign(app, bearer(token))).toBe(403);
    });

    test("gives another site nothing of the cookie's session with a token of its own or of nobody", async () => {
      const app = await guarded(["bearer", "cookie"]);
      const { token } = await app.sessions.create({ theme: "dark" });
      expect(await foreign(app, bearer(token))).toBe(200);
      expect(await foreign(app, bearer(UNKNOWN))).toBe(200);
    });
  });
}
