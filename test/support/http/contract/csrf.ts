import { describe, expect, test } from "vitest";
import { type Browser, COOKIE, type Handler } from "../app.ts";
import { UNKNOWN } from "./anonymous.ts";
import type { Start } from "./contract.ts";

const create: Handler = ({ session }) => session.createCSRFToken();

async function tokenFor(browser: Browser): Promise<string> {
  return String((await browser.send(create)).value);
}

async function accepts(browser: Browser, token: unknown): Promise<unknown> {
  return (await browser.send(({ session }) => session.verifyCSRFToken(token))).value;
}

export function csrf(start: Start): void {
  describe("a CSRF token", () => {
    test("of a session is good for that session, takes no round trip and no cookie", async () => {
      const app = await start();
      const browser = await app.visitor({ user_id: 1 });
      const operations = await app.recordOperations(async () => {
        const { value, setCookies } = await browser.send(create);
        expect(setCookies).toEqual([]);
        expect(await accepts(browser, value)).toBe(true);
        expect(await accepts(browser, value), "any number of times").toBe(true);
      });
      expect(operations).toEqual([]);
    });

    test("looks different each time, and all of them are good", async () => {
      const app = await start();
      const browser = await app.visitor();
      const tokens = [await tokenFor(browser), await tokenFor(browser), await tokenFor(browser)];
      expect(new Set(tokens).size).toBe(3);
      expect(new Set(tokens.map((token) => token.split(".")[1])).size).toBe(3);
      for (const token of tokens) expect(await accepts(browser, token)).toBe(true);
    });

    test("of another session is not good", async () => {
      const app = await start();
      const [mine, theirs] = [await app.visitor({ user_id: 1 }), await app.visitor({ user_id: 1 })];
      const token = await tokenFor(theirs);
      expect(await accepts(mine, token)).toBe(false);
      expect(await accepts(app.browser(), token)).toBe(false);
      expect(await accepts(app.browser(UNKNOWN), token)).toBe(false);
    });

    test("is new with each rotation, sign-in and sign-out: the old one fails", async () => {
      const app = await start();
      const browser = await app.visitor();
      const changes: Handler[] = [
        ({ session }) => session.rotate(),
        ({ session }) => session.signIn({ user_id: 1 }),
        ({ session }) => session.changeCredentials("user_id"),
        ({ session }) => session.set({ user_id: 2 }),
        ({ session }) => session.unset(["user_id"]),
      ];
      for (const change of changes) {
        const token = await tokenFor(browser);
        await browser.send(change);
        expect(await accepts(browser, token)).toBe(false);
        expect(await accepts(browser, await tokenFor(browser))).toBe(true);
      }
    });

    test("made in the request of a sign-in is of the new session", async () => {
      const app = await start();
      const browser = await app.visitor();
      const { value } = await browser.send(async ({ session }) => {
        const before = session.createCSRFToken();
        await session.signIn({ user_id: 1 });
        const after = session.createCSRFToken();
        return [before, after, session.verifyCSRFToken(before), session.verifyCSRFToken(after)];
      });
      const [before, after, ...verified] = value as [string, string, boolean, boolean];
      expect(verified).toEqual([false, true]);
      expect(await accepts(browser, before)).toBe(false);
      expect(await accepts(browser, after)).toBe(true);
    });

    test("that is garbage is false, whatever it is", async () => {
      const app = await start();
      const browser = await app.visitor();
      const good = await tokenFor(browser);
      const [salt = "", mac = ""] = good.split(".");
      const garbage: unknown[] = [
        undefined,
        null,
        true,
        0,
        Number.NaN,
        1n,
        "",
        ".",
        "..",
        salt,
        mac,
        `${salt}.`,
        `.${mac}`,
        `${mac}.${salt}`,
        `${good}.`,
        `${good}.x`,
        ` ${good}`,
        `${good}\n`,
        `${salt}.${mac.slice(1)}A`,
        `${salt.slice(1)}A.${mac}`,
        good.toLowerCase(),
        "é".repeat(66),
        "x".repeat(100_000),
        [good],
        { toString: () => good },
        new String(good),
        Buffer.from(good),
        () => good,
        Symbol("x"),
      ];
      const { value } = await browser.send(({ session }) =>
        garbage.map((token) => session.verifyCSRFToken(token)),
      );
      expect(value).toEqual(garbage.map(() => false));
      expect(await accepts(browser, good)).toBe(true);
    });
  });

  describe("a CSRF token without a session", () => {
    test("is kept by a pre-session cookie, sent once, for this browser session", async () => {
      const app = await start();
      const browser = app.browser();
      const first = await browser.send(({ session }) => [
        session.createCSRFToken(),
        session.createCSRFToken(),
      ]);
      expect(first.setCookies).toEqual([
        {
          name: expect.stringMatching(new RegExp(`^${COOKIE}-csrf-[A-Za-z0-9_-]{8}$`)),
          value: expect.stringMatching(/^[A-Za-z0-9_-]{32}$/),
          attributes: { httponly: "", samesite: "Lax", path: "/" },
        },
      ]);
      expect(first.headers["cache-control"]).toBe("no-store");
      const second = await browser.send(create);
      expect(second.setCookies).toEqual([]);
      for (const token of [...(first.value as string[]), second.value]) {
        expect(await accepts(browser, token)).toBe(true);
      }
      expect(app.operations).toEqual([]);
    });

    test("goes by the name, and the prefix, of the session cookie", async () => {
      for (const [cookie, name] of [
        [{ name: "sid" }, "__Host-sid-csrf-"],
        [{ path: "/shop" }, `__Secure-${COOKIE}-csrf-`],
        [{ prefix: false }, `${COOKIE}-csrf-`],
      ] as const) {
        const app = await start({ trustProxy: true, cookie });
        const headers = { "x-forwarded-proto": "https" };
        const { setCookies } = await app.browser().send(create, { headers });
        expect(setCookies.map((sent) => sent.name.slice(0, -8))).toEqual([name]);
      }
    });

    test("is good in the response that makes it", async () => {
      const app = await start();
      const { value } = await app
        .browser()
        .send(({ session }) => session.verifyCSRFToken(session.createCSRFToken()));
      expect(value).toBe(true);
    });

    test("is of one browser alone", async () => {
      const app = await start();
      const [mine, theirs] = [app.browser(), app.browser()];
      await mine.send(create);
      const token = await tokenFor(theirs);
      expect(await accepts(mine, token)).toBe(false);
      expect(await accepts(app.browser(), token)).toBe(false);
      expect(await accepts(theirs, token)).toBe(true);
    });

    test("is not good for the session that the sign-in form has made", async () => {
      const app = await start();
      const browser = app.browser();
      const form = await tokenFor(browser);
      const { value, setCookies } = await browser.send(async ({ session }) => {
        const verified = session.verifyCSRFToken(form);
        await session.signIn({ user_id: 1 });
        return verified;
      });
      const named = Object.fromEntries(setCookies.map((sent) => [sent.name, sent.value]));
      expect(value).toBe(true);
      expect(named[COOKIE]).toMatch(/^[\w-]{34}$/);
      const others = setCookies.filter(({ name }) => name !== COOKIE);
      expect(others.map((sent) => [sent.name.slice(0, -8), sent.value])).toEqual([
        [`${COOKIE}-csrf-`, ""], // it goes when a session comes
      ]);
      expect(await accepts(browser, form)).toBe(false);
      expect(await accepts(browser, await tokenFor(browser))).toBe(true);
    });

    test("is made anew where the cookie is malformed", async () => {
      const app = await start();
      for (const secret of ["", "x", `${"A".repeat(31)}!`, "A".repeat(33), "A".repeat(10_000)]) {
        const browser = app.browser();
        browser.jar.set(`${COOKIE}-csrf-${secret.slice(0, 8)}`, secret);
        expect(await accepts(browser, "x.y")).toBe(false);
        const { value, setCookies } = await browser.send(create);
        expect(setCookies.map(({ name }) => name.slice(0, -8))).toEqual([`${COOKIE}-csrf-`]);
        expect(await accepts(browser, value)).toBe(true);
      }
    });

    test("is good after a sign-out, for the next sign-in form", async () => {
      const app = await start();
      const browser = await app.visitor({ user_id: 1 });
      const old = await tokenFor(browser);
      const { value, setCookies } = await browser.send(async ({ session }) => {
        await session.delete();
        return [session.verifyCSRFToken(old), session.createCSRFToken()];
      });
      expect(setCookies.map(({ name }) => name).sort()).toEqual([
        COOKIE,
        expect.stringMatching(new RegExp(`^${COOKIE}-csrf-`)),
      ]);
      const [verified, form] = value as [boolean, string];
      expect(verified).toBe(false);
      expect(await accepts(browser, form)).toBe(true);
      expect(await accepts(browser, old)).toBe(false);
    });

    test("works where the browser still has the token of a session that has ended", async () => {
      const app = await start();
      const browser = await app.visitor({ user_id: 1 });
      await app.sessions.delete(browser.token);
      for (const first of [() => undefined, ({ session }) => session.delete()] as Handler[]) {
        const { value } = await browser.send(async (context) => {
          await first(context);
          return context.session.createCSRFToken();
        });
        expect(await accepts(browser, value)).toBe(true);
      }
    });

    test("is ERR_COOKIE where its cookie cannot be sent", async () => {
      const app = await start();
      const { text } = await app.browser().send(async ({ session, sendHeaders }) => {
        await sendHeaders();
        try {
          return session.createCSRFToken();
        } catch (error) {
          return (error as { code: string }).code;
        }
      });
      expect(JSON.parse(text)).toEqual({ value: "ERR_COOKIE" });
    });
  });
}
