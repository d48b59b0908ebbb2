/* What caches are told of a response, beside and after what the application tells them. */
import { expect } from "vitest";
import type { Answer, Handler, TestApp, TestContext } from "../app.ts";
import type { Framework } from "./cases.ts";

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
    await handler(context);
    if (when === "after") say(context);
  };
}

const WHEN = ["before", "after"] as const;
const PUBLIC = { "Cache-Control": "public, max-age=60" };
const get: Handler = ({ session }) => session.get();

export function caching({ describe, test, start }: Framework): void {
  const signedIn = (app: TestApp) => app.visitor({ user_id: 1, theme: "dark" });

  describe("a response that sets a token", () => {
    for (const [verb, handler] of Object.entries<Handler>({
      set: ({ session }) => session.set({ user_id: 2 }),
      delete: ({ session }) => session.delete(),
    })) {
      test(`is stored by no cache, whatever the application says: ${verb}`, async () => {
        const app = await start();
        const silent = await (await signedIn(app)).send(handler);
        expect([silent.setCookies.length, told(silent)[0]]).toEqual([1, "no-store"]);
        for (const when of WHEN) {
          const answer = await (await signedIn(app)).send(saying(handler, when, PUBLIC));
          expect([answer.setCookies.length, told(answer)[0]]).toEqual([1, "no-store"]);
        }
      });
    }

    test("is cached as the application says under cacheable: true, and by none where it is silent", async () => {
      const app = await start({ cookie: { cacheable: true } });
      const set: Handler = ({ session }) => session.set({ theme: "a" });
      for (const when of WHEN) {
        const said = await app.browser().send(saying(set, when, PUBLIC));
        expect([said.setCookies.length, told(said)[0]]).toEqual([1, "public, max-age=60"]);
      }
      expect(told(await app.browser().send(set))[0]).toBe("no-store");
    });
  });

  describe("a response made from a session", () => {
    test("is private, and depends on the cookie, unless the application says more", async () => {
      const app = await start();
      const browser = await signedIn(app);
      expect(told(await browser.send(get))).toEqual(["private", "Cookie"]);
      for (const when of WHEN) {
        const said = await browser.send(saying(get, when, PUBLIC));
        expect(told(said)).toEqual(["public, max-age=60", undefined]);
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
          const answer = await browser.send(saying(get, when, { Vary: said }));
          expect(told(answer)).toEqual(["private", sent]);
        }
      }
    });

    test("is told to caches with the head, and no more after it", async () => {
      const app = await start();
      const browser = await signedIn(app);
      const early = await browser.send(async ({ session, sendHeaders }) => {
        await session.get();
        await sendHeaders();
      });
      expect(told(early)).toEqual(["private", "Cookie"]);
      const late = await browser.send(async ({ session, sendHeaders }) => {
        await sendHeaders();
        return (await session.get()).user_id;
      });
      expect([JSON.parse(late.text).value, ...told(late)]).toEqual([1, undefined, undefined]);
    });
  });

  describe("a response to nobody", () => {
    test("depends on the cookie, and may be cached", async () => {
      const app = await start();
      expect(told(await app.browser().send(get))).toEqual([undefined, "Cookie"]);
      for (const when of WHEN) {
        const said = await app.browser().send(saying(get, when, PUBLIC));
        expect(told(said)).toEqual(["public, max-age=60", undefined]);
      }
    });
  });
}
