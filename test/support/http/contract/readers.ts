/* What of an error a visitor is told, and what the developer is. */
import { inspect } from "node:util";
import { SessionError } from "session-sets";
import { describe, expect, test } from "vitest";
import type { Handler, TestApp } from "../app.ts";
import type { Start } from "./contract.ts";

interface Exposed {
  readonly code: string;
  readonly status: number;
  /** The sentence for the visitor. */
  readonly message: string;
  /** A part of the sentence for the developer. */
  readonly hint: string;
  /** Fails so, in a request of the user 1. */
  readonly fail: (app: TestApp) => Handler;
}

const EXPOSED: readonly Exposed[] = [
  {
    code: "ERR_SESSION_GONE",
    status: 409,
    message: "Your session has ended. Please sign in again.",
    hint: "was ended or replaced while this request was using it",
    fail:
      (app) =>
      async ({ session }) => {
        await session.get();
        await app.sessions.by("user_id", 1).clear();
        await session.set({ theme: "dark" });
      },
  },
  {
    code: "ERR_SESSION_GONE",
    status: 409,
    message: "Your session has ended. Please sign in again.",
    hint: "changeCredentials needs a session that says who the user is",
    fail:
      (app) =>
      async ({ session }) => {
        await app.sessions.by("user_id", 1).clear();
        await session.changeCredentials("user_id");
      },
  },
  {
    code: "ERR_SESSION_TOO_LARGE",
    status: 413,
    message: "This could not be saved: there is too much in your session.",
    hint: "maxBytes",
    fail:
      () =>
      ({ session }) =>
        session.set({ theme: "x".repeat(100_000) }),
  },
];

/** Fails unless the developer is told by an error, and its JSON tells nobody. */
function expectForDeveloper(error: unknown, hint: string): void {
  expect(error).toBeInstanceOf(SessionError);
  const told = error as SessionError;
  expect(told.hint).toContain(hint);
  expect(told.stack).toContain(told.hint);
  expect(inspect(told)).toContain(told.hint);
  expect(inspect({ cause: [told] }, { depth: 9 })).toContain(told.hint);
  expect(JSON.stringify(told)).not.toContain(hint);
  expect(JSON.stringify({ error: { ...told } })).not.toContain(hint);
  expect(String(told)).not.toContain(hint);
}

export function readers(start: Start): void {
  describe("an error that a visitor may be shown", () => {
    for (const { code, status, message, hint, fail } of EXPOSED) {
      test(`says it in the visitor's words, and never in the developer's: ${hint}`, async () => {
        const app = await start({ production: true });
        const browser = await app.visitor({ user_id: 1 });
        for (const accept of ["text/html", "application/json", "*/*"]) {
          await browser.send(({ session }) => session.signIn({ user_id: 1 }));
          const answer = await browser.send(fail(app), { headers: { accept } });
          expect(answer.status).toBe(status);
          expect(answer.text).toContain(message);
          const sent = answer.text + JSON.stringify(answer.headers);
          const { hint: whole } = answer.error as SessionError;
          for (const part of [whole, hint, "hint", "    at "]) expect(sent).not.toContain(part);
          expect(answer.error).toMatchObject({ code, status, message, expose: true });
          expectForDeveloper(answer.error, hint);
          expect(app.errors.at(-1)).toBe(answer.error);
        }
      });
    }

    test("is the guard's, too", async () => {
      const app = await start({ production: true, guard: {} });
      const headers = { origin: "https://evil.example", "sec-fetch-site": "cross-site" };
      const answer = await app.browser().send(() => undefined, { method: "POST", headers });
      expect(answer.status).toBe(403);
      const message = "This request came from another site and was refused.";
      expect(answer.text).toContain(message);
      const error = app.errors[0] as SessionError;
      expect(error).toMatchObject({ code: "ERR_CSRF", message, expose: true });
      expect(error.hint).not.toBe(message);
      expect(answer.text).not.toContain(error.hint);
      expectForDeveloper(error, error.hint);
    });
  });

  test("an error that is for the developer alone says it in its message", async () => {
    const app = await start({ production: true });
    const browser = await app.visitor({ user_id: 1 });
    const { error } = await browser.send(({ session }) => session.peers("theme"));
    expect(error).toMatchObject({ code: "ERR_SESSION_CONFIG", expose: false });
    expect((error as SessionError).hint).toBe((error as SessionError).message);
  });
}
