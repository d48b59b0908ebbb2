/* requireSession, as far as a framework lets it answer; more of it is in test/http/require-session.test.ts. */
import { SessionError } from "session-sets";
import { expect } from "vitest";
import type { Framework } from "./cases.ts";

export function requirements({ describe, test, start }: Framework): void {
  describe("requireSession", () => {
    test("lets a user in, and gives the session that it has found", async () => {
      const app = await start({ signedIn: {} });
      const { token } = await app.sessions.create({ user_id: 1, theme: "dark" });
      const { status, value } = await app.browser(token).send(({ found }) => found());
      expect(status).toBe(200);
      expect(value).toMatchObject({ data: { user_id: 1, theme: "dark" } });
    });

    test("answers everybody else with 401, uncached, and no handler is run", async () => {
      const app = await start({ signedIn: { redirect: "/sign-in" } });
      const { token } = await app.sessions.create({ theme: "dark" });
      for (const browser of [app.browser(), app.browser(token)]) {
        let runs = 0;
        const { status, headers, text } = await browser.send(() => runs++);
        expect([status, text, runs]).toEqual([401, "Please sign in.", 0]);
        expect(headers["www-authenticate"]).toBe("Bearer");
        expect(headers["cache-control"]).toBe("no-store");
      }
    });

    test("sends pages to sign in", async () => {
      const app = await start({ signedIn: { redirect: "/sign-in" } });
      const { status, headers } = await app
        .browser()
        .send(() => "done", { headers: { accept: "text/html" } });
      expect([status, headers.location]).toEqual([303, "/sign-in"]);
      expect(headers["cache-control"]).toBe("no-store");
    });

    test("is the framework's error where the store fails, and lets nobody in", async () => {
      const app = await start({ signedIn: {} });
      const { token } = await app.sessions.create({ user_id: 1 });
      app.outage = new SessionError("ERR_STORE_UNAVAILABLE", "The store does not answer", {
        operation: "find a session",
      });
      const { status, text } = await app.browser(token).send(() => "done");
      expect([status, text.includes("done")]).toEqual([503, false]);
    });
  });
}
