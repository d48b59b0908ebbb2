/* The cases in which a sign-in gives its token to the application, and no cookie is sent. */
import { describe, expect, test } from "vitest";
import type { Answer, AppOptions, Handler } from "../app.ts";
import { UNKNOWN } from "./anonymous.ts";
import type { Start } from "./contract.ts";

const bearer = (token: unknown) => ({ authorization: `Bearer ${token}` });
const signIn: Handler = ({ session }) => session.signIn({ user_id: 1 }, { keep: ["cart"] });
const signInByBearer: Handler = ({ session }) =>
  session.signIn({ user_id: 1 }, { keep: ["cart"], carrier: "bearer" });
const get: Handler = ({ session }) => session.get();

/** Fails unless an answer gives a token and sends no cookie. What it gives. */
function givenBy({ status, value, headers, setCookies }: Answer): string {
  expect([status, setCookies, headers["cache-control"]]).toEqual([200, [], "no-store"]);
  const token = expect.stringMatching(/^[A-Za-z0-9_-]{34}$/);
  expect(value).toMatchObject({ token, session: { data: { user_id: 1 } } });
  return Object(value).token;
}

type Carriers = NonNullable<AppOptions["carriers"]>;
const BOTH: readonly Carriers[] = [
  ["bearer", "cookie"],
  ["cookie", "bearer"],
];

export function givenTokens(start: Start): void {
  describe("a sign-in sends no cookie and gives the token", () => {
    test("to a request that came by a bearer header, live or unknown, whatever its cookies are", async () => {
      for (const carriers of BOTH) {
        const app = await start({ carriers });
        const browser = app.browser();
        const { token } = await app.sessions.create({ cart: ["tea"] });
        const given = givenBy(await browser.send(signIn, { headers: bearer(token) }));
        const data = { user_id: 1, cart: ["tea"] };
        expect((await browser.send(get, { headers: bearer(given) })).value).toEqual(data);
        expect((await browser.send(get, { headers: bearer(token) })).value).toEqual({});
        const other = givenBy(await browser.send(signIn, { headers: bearer(UNKNOWN) }));
        expect((await browser.send(get, { headers: bearer(other) })).value).toEqual({ user_id: 1 });
      }
      const app = await start({ carriers: ["bearer", "cookie"] });
      const browser = await app.visitor({ user_id: 2 });
      const { token } = await app.sessions.create({});
      givenBy(await browser.send(signIn, { headers: bearer(token) }));
      expect(await browser.data(), "the cookie's session").toEqual({ user_id: 2 });
    });

    test("where carriers has no cookie, also for the first request of a program", async () => {
      const lists: readonly Carriers[] = [
        ["bearer"],
        [{ header: "X-Token" }],
        ["bearer", { header: "X-Token" }],
      ];
      for (const carriers of lists) {
        const app = await start({ carriers });
        const given = givenBy(await app.browser().send(signIn));
        expect((await app.sessions.get(given))?.data).toEqual({ user_id: 1 });
      }
    });

    test("where it is asked to, by a cookie's request, whose session it ends, and by one without", async () => {
      for (const carriers of [["cookie"], ...BOTH] as Carriers[]) {
        const app = await start({ carriers });
        const browser = await app.visitor({ cart: ["tea"] });
        const { token } = browser;
        const given = givenBy(await browser.send(signInByBearer));
        expect(browser.token).toBe(token);
        expect(await browser.data()).toEqual({});
        expect((await app.sessions.get(given))?.data).toEqual({ user_id: 1, cart: ["tea"] });
        const first = givenBy(await app.browser().send(signInByBearer));
        expect((await app.sessions.get(first))?.data).toEqual({ user_id: 1 });
      }
    });

    test("where no cookie could be sent, too", async () => {
      const app = await start({ cookie: { secure: true } });
      givenBy(await app.browser().send(signInByBearer));
      const late = await app.browser().send(async (context) => {
        await context.sendHeaders();
        return signInByBearer(context);
      });
      expect([JSON.parse(late.text).value.session.data, late.setCookies]).toEqual([
        { user_id: 1 },
        [],
      ]);
    });

    test("and from then on its request has a bearer's session", async () => {
      const app = await start();
      const browser = await app.visitor({ cart: ["tea"] });
      const { value, setCookies } = await browser.send(async ({ session }) => {
        const tokens = [
          (await session.signIn({ user_id: 1 }, { carrier: "bearer" })).token,
          (await session.rotate({ theme: "dark" }))?.token,
          (await session.changeCredentials("user_id")).token,
          (await session.signIn({ user_id: 1 })).token,
        ];
        return [tokens, await session.get()];
      });
      const [tokens, data] = value as [string[], object];
      expect([data, setCookies, new Set(tokens).size]).toEqual([{ user_id: 1 }, [], 4]);
      for (const token of tokens.slice(0, 3)) expect(await app.sessions.get(token)).toBeNull();
      expect((await app.sessions.get(tokens[3]))?.data).toEqual({ user_id: 1 });
    });
  });

  describe("a sign-in sends a cookie and tells nobody the token", () => {
    test("where the cookie brought it, or nothing did and carriers has one", async () => {
      for (const carriers of [undefined, ...BOTH]) {
        const app = await start(carriers ? { carriers } : {});
        for (const browser of [app.browser(), app.browser(UNKNOWN), await app.visitor()]) {
          const { value, setCookies, headers } = await browser.send(signIn);
          expect([value, setCookies.length]).toMatchObject([{ token: null }, 1]);
          expect(headers["cache-control"]).toBe("no-store");
          expect(await browser.data()).toEqual({ user_id: 1 });
        }
      }
    });

    test("where the bearer header brought nothing that is formed as a token", async () => {
      const app = await start({ carriers: ["bearer", "cookie"] });
      for (const token of ["x", `${UNKNOWN}A`, ""]) {
        const { value, setCookies } = await app.browser().send(signIn, { headers: bearer(token) });
        expect([value, setCookies.length]).toMatchObject([{ token: null }, 1]);
      }
    });
  });

  describe("rotate, and a change of password,", () => {
    test("give the token where the session came by a bearer header, and else none", async () => {
      const app = await start({ carriers: ["bearer", "cookie"] });
      for (const verb of [
        ({ session }) => session.rotate(),
        ({ session }) => session.rotate({ user_id: 1 }),
        ({ session }) => session.rotate({ user_id: 2 }),
        ({ session }) => session.changeCredentials("user_id"),
      ] as Handler[]) {
        const browser = await app.visitor({ user_id: 1 });
        const byCookie = await browser.send(verb);
        expect([byCookie.value, byCookie.setCookies.length]).toMatchObject([{ token: null }, 1]);
        const { token } = await app.sessions.create({ user_id: 1 });
        const answer = await app.browser().send(verb, { headers: bearer(token) });
        expect([answer.setCookies, answer.headers["cache-control"]]).toEqual([[], "no-store"]);
        expect((await app.sessions.get(Object(answer.value).token))?.data).toHaveProperty(
          "user_id",
        );
      }
    });
  });
}
