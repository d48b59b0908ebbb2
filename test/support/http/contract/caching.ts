import { describe, expect, test } from "vitest";
import type { Answer, AppOptions, Handler, TestApp, TestContext } from "../app.ts";
import { UNKNOWN } from "./anonymous.ts";
import type { Start } from "./contract.ts";

/** What caches are told by an answer. */
const told = ({ headers }: Answer) => [headers["cache-control"], headers.vary];

/** A handler that says something of caches before, or after, it does something. */
function saying(
  handler: Handler,
  when: "before" | "after",
  headers: Record<string, string>,
): Handler {
  const say = ({ setHeader }: TestContext) => {
    for (const [name, value] of Object.entries(headers)) setHeader(name, value);
  };
  return async (context) => {
    if (when === "before") say(context);
    const value = await handler(context);
    if (when === "after") say(context);
    return typeof value === "boolean" ? value : undefined;
  };
}

const WHEN = ["before", "after"] as const;
const PUBLIC = { "Cache-Control": "public, max-age=60" };

const SETTING: Record<string, Handler> = {
  set: ({ session }) => session.set({ user_id: 2 }),
  signIn: ({ session }) => session.signIn({ user_id: 2 }),
  rotate: ({ session }) => session.rotate(),
  changeCredentials: ({ session }) => session.changeCredentials("user_id"),
  delete: ({ session }) => session.delete(),
  "delete that keeps": ({ session }) => session.delete({ keep: ["theme"] }),
};

const READING: Record<string, Handler> = {
  get: ({ session }) => session.get(),
  "get that is no use": ({ session }) => session.get({ touch: false }),
  load: ({ session }) => session.load(),
  peers: ({ session }) => session.peers("user_id"),
  createCSRFToken: async ({ session }) => void session.createCSRFToken(),
};

/** How a program sends its token, and what caches are told that an answer depends on. */
const BY_HEADER: readonly (readonly [AppOptions["carriers"], (token: string) => object, string])[] =
  [
    [["bearer"], (token) => ({ authorization: `Bearer ${token}` }), "authorization"],
    [["bearer", "cookie"], (token) => ({ authorization: `bearer ${token}` }), "authorization"],
    [[{ header: "X-Session-Token" }], (token) => ({ "x-session-token": token }), "x-session-token"],
  ];

export function caching(start: Start): void {
  const signedIn = async (app: TestApp) => app.visitor({ user_id: 1, theme: "dark" });

  describe("a response that sets a token", () => {
    for (const [verb, handler] of Object.entries(SETTING)) {
      test(`is stored by no cache, whatever the application says: ${verb}`, async () => {
        const app = await start();
        expect(
          (await (await signedIn(app)).send(saying(handler, "after", {}))).headers,
        ).toMatchObject({ "cache-control": "no-store" });
        for (const when of WHEN) {
          const answer = await (await signedIn(app)).send(saying(handler, when, PUBLIC));
          expect([answer.setCookies.length, told(answer)[0]]).toEqual([1, "no-store"]);
        }
      });
    }

    test("is stored by no cache either where it was read before, or is a form's", async () => {
      const app = await start();
      const browser = await signedIn(app);
      const rotated = await browser.send(
        saying(
          async ({ session }) => {
            await session.get();
            await session.rotate();
            await session.load();
          },
          "after",
          PUBLIC,
        ),
      );
      expect(told(rotated)).toEqual(["no-store", undefined]);
      for (const when of WHEN) {
        const form: Handler = async ({ session }) => void session.createCSRFToken();
        expect(told(await app.browser().send(saying(form, when, PUBLIC)))[0]).toBe("no-store");
      }
    });

    test("is cached as the application says under cacheable: true, and by none where it is silent", async () => {
      const app = await start({ cookie: { cacheable: true } });
      for (const when of WHEN) {
        const said = await app
          .browser()
          .send(saying(({ session }) => session.set({ theme: "a" }), when, PUBLIC));
        expect([said.setCookies.length, told(said)[0]]).toEqual([1, "public, max-age=60"]);
      }
      const silent = await app.browser().send(({ session }) => session.set({ theme: "a" }));
      expect(told(silent)[0]).toBe("no-store");
    });

    test("that is in the body is stored by no cache, also under cacheable: true", async () => {
      for (const cookie of [{}, { cacheable: true }]) {
        const app = await start({ carriers: ["bearer", "cookie"], cookie });
        const { token } = await app.sessions.create({ user_id: 1 });
        const headers = { authorization: `Bearer ${token}` };
        for (const handler of [
          ({ session }) => session.rotate(),
          ({ session }) => session.signIn({ user_id: 1 }),
        ] as Handler[]) {
          for (const when of WHEN) {
            const { token } = await app.sessions.create({ user_id: 1 });
            const answer = await app.browser().send(saying(handler, when, PUBLIC), {
              headers: { authorization: `Bearer ${token}` },
            });
            expect([answer.status, answer.setCookies, told(answer)[0]]).toEqual([
              200,
              [],
              "no-store",
            ]);
          }
        }
        const both: Handler = async ({ session }) => {
          session.createCSRFToken();
          await session.signIn({ user_id: 1 }, { carrier: "bearer" });
        };
        expect(told(await app.browser().send(saying(both, "before", PUBLIC)))[0]).toBe("no-store");
        expect(told(await app.browser().send(() => true, { headers }))).toEqual([
          undefined,
          undefined,
        ]);
      }
    });
  });

  describe("a response made from a session", () => {
    for (const [verb, handler] of Object.entries(READING)) {
      test(`is private, and depends on the cookie, unless the application says more: ${verb}`, async () => {
        const app = await start();
        const browser = await signedIn(app);
        expect(told(await browser.send(saying(handler, "after", {})))).toEqual([
          "private",
          "Cookie",
        ]);
        for (const when of WHEN) {
          const said = await browser.send(saying(handler, when, PUBLIC));
          expect(told(said)).toEqual(["public, max-age=60", undefined]);
        }
      });
    }

    test("is private also where the session has ended since", async () => {
      const app = await start();
      const browser = await signedIn(app);
      await app.sessions.delete(browser.token);
      expect(told(await browser.send(({ session }) => session.get()))).toEqual([
        "private",
        "Cookie",
      ]);
      const twice = { headers: { cookie: `session=${UNKNOWN}; session=${browser.token}` } };
      expect(told(await app.browser().send(({ session }) => session.get(), twice))).toEqual([
        "private",
        "Cookie",
      ]);
    });

    test("depends on the header that brought the token", async () => {
      for (const [carriers = [], headersOf, vary] of BY_HEADER) {
        const app = await start({ carriers });
        const { token } = await app.sessions.create({ user_id: 1 });
        const headers = headersOf(token) as Record<string, string>;
        const answer = await app.browser().send(({ session }) => session.get(), { headers });
        expect(answer.value).toEqual({ user_id: 1 });
        expect(told(answer)).toEqual(["private", vary]);
      }
    });

    test("keeps what it depends on besides, and names nothing twice", async () => {
      const app = await start();
      const browser = await signedIn(app);
      for (const [said, sent] of [
        ["Accept-Encoding", "Accept-Encoding, Cookie"],
        ["accept, COOKIE", "accept, COOKIE"],
        ["*", "*"],
      ] as const) {
        for (const when of WHEN) {
          const get: Handler = ({ session }) => session.get();
          const answer = await browser.send(saying(get, when, { Vary: said }));
          expect(told(answer)).toEqual(["private", sent]);
        }
      }
    });

    test("is nothing to caches where the session was not looked at, or only written", async () => {
      const app = await start();
      const browser = await signedIn(app);
      for (const handler of [
        () => undefined,
        ({ session }) => session.id,
        ({ session }) => session.verifyCSRFToken("x.y"),
        ({ session }) => session.set({ theme: "light" }),
      ] as Handler[]) {
        expect(told(await browser.send(handler))).toEqual([undefined, undefined]);
      }
    });

    test("is told to caches with the head, and no more after it", async () => {
      const app = await start();
      const browser = await signedIn(app);
      const late = await browser.send(async ({ session, sendHeaders }) => {
        await sendHeaders();
        return (await session.get()).user_id;
      });
      expect([JSON.parse(late.text).value, ...told(late)]).toEqual([1, undefined, undefined]);
    });
  });

  describe("a response to nobody", () => {
    for (const [verb, handler] of Object.entries(READING)) {
      if (verb === "createCSRFToken") continue;
      test(`depends on the cookie, and may be cached: ${verb}`, async () => {
        const app = await start();
        expect(told(await app.browser().send(handler))).toEqual([undefined, "Cookie"]);
        for (const when of WHEN) {
          const said = await app.browser().send(saying(handler, when, PUBLIC));
          expect(told(said)).toEqual(["public, max-age=60", undefined]);
        }
      });
    }

    test("depends on all headers that may bring a token", async () => {
      const carriers = ["bearer", { header: "X-Session-Token" }, "cookie"] as const;
      const app = await start({ carriers });
      expect(told(await app.browser().send(({ session }) => session.get()))).toEqual([
        undefined,
        "authorization, x-session-token, Cookie",
      ]);
    });

    test("is private where it has a form of a browser that was here before", async () => {
      const app = await start();
      const browser = app.browser();
      const form: Handler = ({ session }) => session.createCSRFToken();
      expect(told(await browser.send(form))[0]).toBe("no-store");
      expect(told(await browser.send(form))).toEqual(["private", "Cookie"]);
    });
  });
}
