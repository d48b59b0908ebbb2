import { describe, expect, test } from "vitest";
import { type Answer, COOKIE, type Data, type Handler } from "../app.ts";
import type { Start } from "./contract.ts";

const failure = new Error("no such user");
/** A function of an application with a mistake: it fails for every user who is signed in. */
function persistent({ data }: { data: Data }): boolean {
  if (data.user_id !== undefined) throw failure;
  return true;
}

/** What gives the browser a new token, under which it is signed in. */
const SENDING: Record<string, Handler> = {
  "a set that makes the session": ({ session }) => session.set({ user_id: 1 }),
  "a sign-in": async ({ session }) => {
    await session.set({ theme: "dark" }).catch(() => {});
    await session.signIn({ user_id: 1 });
  },
  "a change of password": async ({ session }) => {
    await session.signIn({ user_id: 1 }).catch(() => {});
    await session.changeCredentials("user_id");
  },
  "a rotation": async ({ session }) => {
    await session.set({ theme: "dark" });
    await session.rotate({ user_id: 1 });
  },
};

/** Fails unless an answer sends one cookie, which ends with the browser. */
function expectPassing({ headers, setCookies }: Answer): void {
  const attributes = { httponly: "", samesite: "Lax", path: "/" };
  expect(setCookies).toEqual([{ name: COOKIE, value: expect.stringMatching(/./), attributes }]);
  expect(headers["cache-control"]).toBe("no-store");
}

export function persistentCookies(start: Start): void {
  describe("an application's function `persistent` that throws", () => {
    for (const [kind, handler] of Object.entries(SENDING)) {
      test(`fails ${kind}, whose token is sent for this browser session all the same`, async () => {
        const app = await start({ cookie: { persistent } });
        const browser = app.browser();
        const answer = await browser.send(handler);
        expect(answer.error).toBe(failure);
        expect(answer.status).toBe(500);
        expectPassing(answer);
        expect(await browser.data()).toMatchObject({ user_id: 1 });
        expect(await app.sessions.by("user_id", 1).ids()).toEqual([await browser.id()]);
      });

      test(`leaves the request to go on after ${kind}, where its error is caught`, async () => {
        const app = await start({ cookie: { persistent } });
        const browser = app.browser();
        const answer = await browser.send(async (context) => {
          await Promise.resolve(handler(context)).catch(() => {});
          await context.session.set({ cart: ["tea"] });
          return context.session.get();
        });
        expect(answer.value).toMatchObject({ user_id: 1, cart: ["tea"] });
        expectPassing(answer);
        expect(await browser.data()).toEqual(answer.value);
      });
    }
  });

  describe("what is not true, of an application's function `persistent`,", () => {
    for (const [kind, said] of Object.entries({
      "a promise": Promise.resolve(true),
      "a promise of false": Promise.resolve(false),
      "a text": "yes",
      "a number": 1,
      nothing: undefined,
    })) {
      test(`does not make the cookie last: ${kind}`, async () => {
        const app = await start({ cookie: { persistent: () => said as unknown as boolean } });
        const browser = app.browser();
        expectPassing(await browser.send(({ session }) => session.set({ user_id: 1 })));
        expectPassing(await browser.send(({ session }) => session.rotate()));
        expect(await browser.data()).toEqual({ user_id: 1 });
      });
    }
  });
}
