import { describe, expect, test } from "vitest";
import { COOKIE, type Handler } from "../app.ts";
import type { Start } from "./contract.ts";

const MINUTE = 60_000;
const get: Handler = ({ session }) => session.get();

export function unusedReads(start: Start, clock: "moved" | "real"): void {
  describe("a read that is no use", () => {
    const reads: Record<string, readonly [Handler, unknown]> = {
      get: [({ session }) => session.get({ touch: false }), { user_id: 1, theme: "dark" }],
      "get of some fields": [
        ({ session }) => session.get(["theme"], { touch: false }),
        { theme: "dark" },
      ],
      "get of fields that are undefined": [
        ({ session }) => session.get(undefined, { touch: false }),
        { user_id: 1, theme: "dark" },
      ],
      load: [
        async ({ session }) => (await session.load({ touch: false }))?.data,
        { user_id: 1, theme: "dark" },
      ],
    };

    if (clock === "moved") {
      for (const [verb, [handler, value]] of Object.entries(reads)) {
        test(`leaves the deadline where it is, however often it is made: ${verb}`, async () => {
          const app = await start();
          const browser = await app.visitor({ user_id: 1, theme: "dark" });
          for (const _ of [1, 2]) {
            await app.under.elapse(14 * MINUTE);
            const operations = await app.recordOperations(async () => {
              expect((await browser.send(handler)).value).toEqual(value);
            });
            expect(operations).toEqual(["find"]);
          }
          await app.under.elapse(3 * MINUTE);
          expect((await browser.send(handler)).value ?? {}).toEqual({});
        });
      }

      test("is use without that, with { touch: true }, and with nothing said", async () => {
        const app = await start();
        const browser = await app.visitor({ user_id: 1 });
        for (const handler of [
          get,
          ({ session }) => session.get({ touch: true }),
          ({ session }) => session.get({}),
          ({ session }) => session.get(undefined, undefined),
          ({ session }) => session.get(["user_id"]),
          ({ session }) => session.get(["user_id"], {}),
          ({ session }) => session.load(),
          ({ session }) => session.load({ touch: true }),
        ] as Handler[]) {
          await app.under.elapse(14 * MINUTE);
          const operations = await app.recordOperations(() => browser.send(handler));
          expect(operations, String(handler)).toEqual(["find", "change"]);
        }
      });

      test("is none of a twin either", async () => {
        const app = await start();
        const [{ token: a }, { token: b }] = [await app.visitor({}), await app.visitor({})];
        await app.sessions.delete(a);
        await app.under.elapse(14 * MINUTE);
        const headers = { cookie: `${COOKIE}=${a}; ${COOKIE}=${b}` };
        const operations = await app.recordOperations(() =>
          app.browser().send(({ session }) => session.get({ touch: false }), { headers }),
        );
        expect(operations).toEqual(["find", "find"]);
      });
    }

    test("takes true or false, and no other option", async () => {
      const app = await start();
      const browser = await app.visitor({ user_id: 1 });
      const wrong = [{ touch: "no" }, { touch: 0 }, { touch: null }, { touched: false }];
      const operations = await app.recordOperations(async () => {
        for (const options of wrong as object[]) {
          for (const handler of [
            ({ session }) => session.get(options),
            ({ session }) => session.get(["user_id"], options),
            ({ session }) => session.load(options),
          ] as Handler[]) {
            const { error } = await browser.send(handler);
            expect(error, JSON.stringify(options)).toMatchObject({ code: "ERR_SESSION_CONFIG" });
          }
        }
      });
      expect(operations).toEqual([]);
    });
  });
}

export function leaving(start: Start): void {
  describe("delete that keeps fields", () => {
    test("signs out, and keeps them in a new session of nobody", async () => {
      const app = await start();
      const browser = await app.visitor({ user_id: 1, theme: "dark", cart: ["tea"] });
      const { token: old } = browser;
      const id = await browser.id();
      const { value, setCookies } = await browser.send(async ({ session }) => [
        await session.delete({ keep: ["theme", "theme"] }),
        await session.get(),
      ]);
      expect(value).toEqual([true, { theme: "dark" }]);
      expect(setCookies.map(({ name, value }) => [name, value === ""])).toEqual([[COOKIE, false]]);
      expect(await browser.data()).toEqual({ theme: "dark" });
      expect([browser.token === old, (await browser.id()) === id]).toEqual([false, false]);
      expect(await app.browser(old).data()).toEqual({});
      expect(await app.sessions.by("user_id", 1).size()).toBe(0);
      const late = await app.browser(old).send(({ session }) => session.set({ cart: ["tea"] }));
      expect(late.error).toMatchObject({ code: "ERR_SESSION_GONE" });
      await browser.send(({ session }) => session.signIn({ user_id: 2 }, { keep: ["theme"] }));
      expect(await browser.data()).toEqual({ user_id: 2, theme: "dark" });
    });

    test("keeps what there is, and nothing where nothing is named", async () => {
      const app = await start();
      for (const [keep, kept] of [
        [["cart", "theme"], { theme: "dark" }],
        [[], {}],
      ] as const) {
        const browser = await app.visitor({ user_id: 1, theme: "dark" });
        expect((await browser.send(({ session }) => session.delete({ keep }))).value).toBe(true);
        expect([await browser.data(), browser.token === undefined]).toEqual([kept, false]);
      }
    });

    test("is false without a session, and makes none", async () => {
      const app = await start();
      const ended = await app.visitor({ theme: "dark" });
      await app.sessions.delete(ended.token);
      for (const browser of [app.browser(), ended]) {
        const operations = await app.recordOperations(async () => {
          const { value, setCookies } = await browser.send(({ session }) =>
            session.delete({ keep: ["theme"] }),
          );
          expect([value, setCookies]).toEqual([false, []]);
        });
        expect(operations.filter((one) => one !== "find")).toEqual([]);
      }
    });

    test("ends the session for a request that came with an old token, too", async () => {
      const app = await start();
      const browser = await app.visitor({ user_id: 1, theme: "dark" });
      const old = app.browser(browser.token);
      await browser.send(({ session }) => session.rotate());
      expect((await old.send(({ session }) => session.delete({ keep: ["theme"] }))).value).toBe(
        true,
      );
      expect([await browser.data(), await old.data()]).toEqual([{}, { theme: "dark" }]);
    });

    test("keeps nothing that says who the user is, and goes with no replicas", async () => {
      const app = await start();
      const browser = await app.visitor({ user_id: 1 });
      for (const options of [
        { keep: ["user_id"] },
        { keep: "theme" },
        { keep: ["theme"], replicas: 1 },
        { keep: ["theme"], clearSiteData: ["cache", "cookies"] },
        { keeps: ["theme"] },
      ]) {
        const { error } = await browser.send(({ session }) => session.delete(options as object));
        expect(error, JSON.stringify(options)).toMatchObject({ code: "ERR_SESSION_CONFIG" });
      }
      expect(await browser.data()).toEqual({ user_id: 1 });
    });

    test("is nothing for a bearer, whom nothing would bring the new token", async () => {
      const app = await start({ carriers: ["bearer"] });
      const { token } = await app.sessions.create({ user_id: 1, theme: "dark" });
      const headers = { authorization: `Bearer ${token}` };
      const { error } = await app
        .browser()
        .send(({ session }) => session.delete({ keep: ["theme"] }), { headers });
      expect(error).toMatchObject({ code: "ERR_SESSION_CONFIG" });
      expect((await app.sessions.get(token))?.data).toMatchObject({ user_id: 1 });
    });
  });

  describe("delete with Clear-Site-Data", () => {
    const clear: Handler = ({ session }) => session.delete({ clearSiteData: ["cache", "storage"] });

    test("names what the browser is to throw away, where a session was ended", async () => {
      const app = await start();
      const browser = await app.visitor({ user_id: 1 });
      const { value, headers } = await browser.send(clear);
      expect([value, headers["clear-site-data"]]).toEqual([true, '"cache", "storage"']);
      expect((await browser.send(clear)).headers["clear-site-data"]).toBeUndefined();
      const other = await app.visitor({ user_id: 1 });
      const plain = await other.send(({ session }) => session.delete({ clearSiteData: [] }));
      expect([plain.value, plain.headers["clear-site-data"]]).toEqual([true, undefined]);
    });

    test("goes with fields that are kept", async () => {
      const app = await start();
      const browser = await app.visitor({ user_id: 1, theme: "dark" });
      const { headers } = await browser.send(({ session }) =>
        session.delete({ keep: ["theme"], clearSiteData: ["cache"] }),
      );
      expect(headers["clear-site-data"]).toBe('"cache"');
      expect(await browser.data()).toEqual({ theme: "dark" });
    });

    test("is refused before anything is ended, where it is no list of these", async () => {
      const app = await start();
      const browser = await app.visitor({ user_id: 1 });
      for (const clearSiteData of ["cache", ["*"], ["Cache"], [""], true, null, {}]) {
        const options = { clearSiteData } as object;
        const { error } = await browser.send(({ session }) => session.delete(options));
        expect(error, JSON.stringify(options)).toMatchObject({ code: "ERR_SESSION_CONFIG" });
      }
      expect(await browser.data()).toEqual({ user_id: 1 });
    });

    test("ends the session all the same where the headers are sent", async () => {
      const app = await start();
      const browser = await app.visitor({ user_id: 1 });
      const { text, headers } = await browser.send(async (context) => {
        await context.sendHeaders();
        return clear(context);
      });
      expect([JSON.parse(text), headers["clear-site-data"]]).toEqual([{ value: true }, undefined]);
      expect(await browser.data()).toEqual({});
    });
  });
}
