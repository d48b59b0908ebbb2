import { describe, expect, test } from "vitest";
import { type Answer, type AppOptions, type Browser, COOKIE, type Handler } from "../app.ts";
import type { Start } from "./contract.ts";

const create: Handler = ({ session }) => session.createCSRFToken();

/** Pages of a site that a browser opens at the same time: none is answered before all were asked for. */
async function openAtOnce(browser: Browser, pages: number): Promise<unknown[]> {
  const answers: Answer[] = [];
  for (let left = pages; left > 0; left--) {
    answers.push(await browser.send(create, { take: false }));
  }
  for (const answer of answers) browser.take(answer);
  return answers.map(({ value }) => value);
}

async function accepts(browser: Browser, token: unknown): Promise<unknown> {
  return (await browser.send(({ session }) => session.verifyCSRFToken(token))).value;
}

/** How many pre-session cookies a browser has. */
function kept(browser: Browser): number {
  return browser.jar.header?.split(`${COOKIE}-csrf-`).slice(1).length ?? 0;
}

const KINDS: Record<string, AppOptions> = {
  "a form": {},
  "a form under signed cookies": { keys: ["secret"] },
};

export function firstVisits(start: Start): void {
  for (const [kind, options] of Object.entries(KINDS)) {
    describe(`${kind} of a first visit`, () => {
      test("is accepted, whichever of several answers is its own, without a round trip", async () => {
        const app = await start(options);
        const browser = app.browser();
        const forms = await openAtOnce(browser, 3);
        for (const form of forms) expect(await accepts(browser, form)).toBe(true);
        expect(await accepts(browser, (await browser.send(create)).value)).toBe(true);
        expect([kept(browser), app.operations]).toEqual([3, []]);
        for (const form of forms) expect(await accepts(app.browser(), form)).toBe(false);
      });

      test.each([4, 5, 7, 10])("is one of four at most, of %i: the oldest go", async (pages) => {
        const app = await start(options);
        const browser = app.browser();
        const forms = await openAtOnce(browser, pages);
        const accepted = () => Promise.all(forms.map((form) => accepts(browser, form)));
        const youngest = forms.map((_, i) => i >= pages - 4);
        expect(await accepted()).toEqual(youngest);
        const { setCookies, value } = await browser.send(create);
        expect(setCookies.every(({ attributes }) => attributes["max-age"] === "0")).toBe(true);
        expect(await accepts(browser, value)).toBe(true);
        await browser.send(create); // eight are looked at in one request
        expect([kept(browser), await accepted()]).toEqual([4, youngest]);
      });

      test("goes when a session comes, with all of its cookies", async () => {
        const app = await start(options);
        const arrivals: Record<string, Handler> = {
          set: ({ session }) => session.set({ theme: "dark" }),
          signIn: ({ session }) => session.signIn({ user_id: 1 }),
        };
        for (const [verb, arrive] of Object.entries(arrivals)) {
          const browser = app.browser();
          const forms = await openAtOnce(browser, 4);
          const { setCookies } = await browser.send(arrive);
          expect(
            setCookies.filter(({ value }) => value === ""),
            verb,
          ).toHaveLength(4);
          expect(browser.jar.header).toBe(`${COOKIE}=${browser.token}`);
          for (const form of forms) expect(await accepts(browser, form)).toBe(false);
        }
      });

      test("sends no cookie of its own, where the same answer brings a session", async () => {
        const app = await start(options);
        const browser = app.browser();
        const { value, setCookies } = await browser.send(async ({ session }) => {
          const form = session.createCSRFToken();
          await session.signIn({ user_id: 1 });
          return [session.verifyCSRFToken(form), session.createCSRFToken()];
        });
        expect(setCookies.map(({ name }) => name)).toEqual([COOKIE]);
        const [verified, form] = value as [boolean, string];
        expect([verified, await accepts(browser, form)]).toEqual([false, true]);
      });
    });
  }

  test("createCSRFToken and verifyCSRFToken answer at once", async () => {
    const app = await start();
    const { value } = await app.browser().send(({ session }) => {
      const form = session.createCSRFToken();
      return [typeof form, session.verifyCSRFToken(form)];
    });
    expect(value).toEqual(["string", true]);
  });

  test("a form's cookie counts under its own name only", async () => {
    const app = await start();
    const browser = app.browser();
    const { value, setCookies } = await browser.send(create, { take: false });
    const [{ name, value: secret } = { name: "", value: "" }] = setCookies;
    expect(name).toBe(`${COOKIE}-csrf-${secret.slice(0, 8)}`);
    const verify: Handler = ({ session }) => session.verifyCSRFToken(value);
    for (const [as, accepted] of [
      [name, true],
      [`${COOKIE}-csrf-`, false],
      [`${COOKIE}-csrf`, false],
      [`${COOKIE}-csrf-AAAAAAAA`, false],
      [`x-${name}`, false],
      [name.toUpperCase(), false],
    ] as const) {
      const headers = { cookie: `${as}=${secret}` };
      expect((await browser.send(verify, { headers })).value, as).toBe(accepted);
    }
  });

  test("a form's cookie is not taken back where the head is sent, and a program signs in", async () => {
    const app = await start();
    const { text } = await app.browser().send(async ({ session, sendHeaders }) => {
      session.createCSRFToken();
      await sendHeaders();
      const { token } = await session.signIn({ user_id: 1 }, { carrier: "bearer" });
      return (await app.sessions.get(String(token)))?.data;
    });
    expect(JSON.parse(text)).toEqual({ value: { user_id: 1 } });
  });

  test("a form under a bearer header has a pre-session cookie of its own", async () => {
    const app = await start({ carriers: ["bearer"] });
    const browser = app.browser();
    const { value } = await browser.send(create);
    expect([kept(browser), await accepts(browser, value)]).toEqual([1, true]);
  });
}
