/* What a framework answers where a request fails: the cookies are sent all the same, and no hint is. */
import { inspect } from "node:util";
import type { SessionError } from "session-sets";
import { expect, onTestFinished, vi } from "vitest";
import { COOKIE, type Handler } from "../app.ts";
import type { Framework } from "./cases.ts";

/** A handler that signs in and then fails. */
function failing(thrown: () => unknown): Handler {
  return async ({ session, setCookie }) => {
    setCookie("a", "1");
    await session.signIn({ user_id: 1 }, { keep: ["cart"] });
    throw thrown();
  };
}

const shared = Object.assign(new Error("no such page"), { status: 404 });

const THROWN: Record<string, () => unknown> = {
  "an error": () => new Error("lost"),
  "an error with a status": () => Object.assign(new Error("lost"), { status: 422 }),
  "an error with headers": () => Object.assign(new Error("x"), { headers: { "retry-after": "9" } }),
  "an error that is thrown again and again": () => shared,
  "a string": () => "lost",
};

/** Frameworks print what they answer, in production. */
function silence(): void {
  const printed = vi.spyOn(console, "error").mockImplementation(() => {});
  onTestFinished(() => printed.mockRestore());
}

export function errors(framework: Framework): void {
  afterSigningIn(framework);
  shown(framework);
}

function afterSigningIn({ describe, test, start, adapter }: Framework): void {
  describe("a request that signs in and then fails", () => {
    for (const [kind, thrown] of Object.entries(THROWN)) {
      if (adapter.answersErrorsOnly && !(thrown() instanceof Error)) continue;
      test(`still sends the new cookie, uncached: ${kind}`, async () => {
        silence();
        const app = await start();
        const browser = await app.visitor({ cart: ["tea"] });
        const answer = await browser.send(failing(thrown));
        expect(answer.status).toBeGreaterThanOrEqual(400);
        expect(answer.setCookies.filter(({ name }) => name === COOKIE)).toHaveLength(1);
        expect(answer.headers["cache-control"]).toBe("no-store");
        expect(await browser.data()).toEqual({ cart: ["tea"], user_id: 1 });
      });
    }

    test("gives its cookie to nobody else, not even where both throw one error object", async () => {
      silence();
      const app = await start();
      const [mine, theirs] = [await app.visitor(), app.browser()];
      await mine.send(failing(() => shared));
      const answer = await theirs.send(() => {
        throw shared;
      });
      expect(answer.setCookies).toEqual([]);
      expect(inspect(shared, { depth: 9, showHidden: true })).not.toContain(mine.token);
    });

    test("sends it also where the application answers the error, and drops what was to be sent", async () => {
      const app = await start({ ownErrors: true });
      const browser = await app.visitor({ cart: ["tea"] });
      const answer = await browser.send(failing(() => new Error("lost")));
      expect([answer.status, answer.text]).toEqual([418, "teapot"]);
      expect(answer.setCookies.filter(({ name }) => name === COOKIE)).toHaveLength(1);
      expect(answer.headers["cache-control"]).toBe("no-store");
      expect(await browser.data()).toEqual({ cart: ["tea"], user_id: 1 });
    });

    test("sends the cleared cookie and the pre-session one, too", async () => {
      silence();
      const app = await start();
      const browser = await app.visitor({ user_id: 1 });
      const { setCookies } = await browser.send(async ({ session }) => {
        await session.delete();
        session.createCSRFToken();
        throw new Error("lost");
      });
      expect(setCookies.map(({ name }) => name).sort()).toEqual([
        COOKIE,
        expect.stringMatching(/^session-csrf-/),
      ]);
      expect(browser.token).toBeUndefined();
    });
  });

  describe("a request that reads and then fails", () => {
    test("is told to caches as private", async () => {
      silence();
      const app = await start();
      const browser = await app.visitor({ user_id: 1 });
      const { status, headers } = await browser.send(async ({ session }) => {
        await session.get();
        throw new Error("lost");
      });
      expect([status, headers["cache-control"]]).toEqual([500, "private"]);
    });
  });
}

function shown({ describe, test, start, adapter }: Framework): void {
  const failures: Record<number, [message: string, hint: string, fail: Handler]> = {
    409: [
      "Your session has ended. Please sign in again.",
      "changeCredentials needs a session that says who the user is",
      ({ session }) => session.changeCredentials("user_id"),
    ],
    413: [
      "This could not be saved: there is too much in your session.",
      "maxBytes",
      ({ session }) => session.set({ theme: "x".repeat(100_000) }),
    ],
  };

  describe("an error that a visitor may be shown", () => {
    for (const [status, [message, hint, fail]] of Object.entries(failures)) {
      test(`has its status, its sentence for the visitor and no hint: ${status}`, async () => {
        silence();
        const app = await start({ production: true });
        for (const accept of ["text/html", "application/json", "*/*"]) {
          const browser = await app.visitor({ theme: "dark" });
          const answer = await browser.send(fail, { headers: { accept } });
          expect([answer.status, answer.setCookies]).toEqual([Number(status), []]);
          if (!adapter.hidesMessages) expect(answer.text).toContain(message);
          const sent = answer.text + JSON.stringify(answer.headers);
          const { hint: whole } = answer.error as SessionError;
          for (const part of [whole, hint, "hint", "    at "]) expect(sent).not.toContain(part);
          expect(app.errors.at(-1)).toBe(answer.error);
        }
      });
    }

    test("is the guard's, too", async () => {
      silence();
      const app = await start({ production: true, guard: {} });
      const headers = { origin: "https://evil.example", "sec-fetch-site": "cross-site" };
      const answer = await app.browser().send(() => undefined, { method: "POST", headers });
      expect(answer.status).toBe(403);
      const message = "This request came from another site and was refused.";
      if (!adapter.hidesMessages) expect(answer.text).toContain(message);
      const [error] = app.errors as SessionError[];
      expect(error).toMatchObject({ code: "ERR_CSRF", message, expose: true });
      expect(answer.text).not.toContain(error?.hint);
    });
  });

  describe("an error that is for the developer alone", () => {
    test("is answered with 500 and without its message", async () => {
      silence();
      const app = await start({ production: true });
      const browser = await app.visitor({ user_id: 1 });
      const { error, status, text } = await browser.send(({ session }) => session.peers("theme"));
      expect(error).toMatchObject({ code: "ERR_SESSION_CONFIG", expose: false });
      expect(status).toBe(500);
      if (!adapter.tellsMessages) expect(text).not.toContain((error as SessionError).message);
    });
  });
}
