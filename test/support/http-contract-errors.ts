import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import type { Adapter, Handler, TestApp } from "./http-app.ts";
import type { Start } from "./http-contract.ts";

/** A handler that signs in and then fails. */
function failing(thrown: () => unknown): Handler {
  return async ({ session }) => {
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

export function errors(start: Start, { answersErrorsOnly = false }: Adapter): void {
  describe("a request that signs in and then fails", () => {
    for (const [kind, thrown] of Object.entries(THROWN)) {
      if (answersErrorsOnly && !(thrown() instanceof Error)) continue;
      test(`still sends the new cookie, uncached: ${kind}`, async () => {
        const app = await start();
        const browser = await app.visitor({ cart: ["tea"] });
        const answer = await browser.send(failing(thrown));
        expect(answer.status).toBeGreaterThanOrEqual(400);
        expect(answer.setCookies).toHaveLength(1);
        expect(answer.headers["cache-control"]).toBe("no-store");
        expect(await browser.data()).toEqual({ cart: ["tea"], user_id: 1 });
      });
    }

    test("gives its cookie to nobody else, not even where both throw one error object", async () => {
      const app = await start();
      const [mine, theirs] = [await app.visitor(), app.browser()];
      await mine.send(failing(() => shared));
      const answer = await theirs.send(() => {
        throw shared;
      });
      expect(answer.setCookies).toEqual([]);
      expect(inspect(shared, { depth: 9, showHidden: true })).not.toContain(mine.token);
    });

    test("sends the cleared cookie and the pre-session one, too", async () => {
      const app = await start();
      const browser = await app.visitor({ user_id: 1 });
      const { setCookies } = await browser.send(async ({ session }) => {
        await session.delete();
        session.createCSRFToken();
        throw new Error("lost");
      });
      expect(setCookies.map(({ name }) => name).sort()).toEqual([
        "session",
        expect.stringMatching(/^session-csrf-/),
      ]);
      expect(browser.token).toBeUndefined();
    });
  });

  test("an answer, a list and every error but for the cookie itself hold no token", async () => {
    const app = await start();
    const browser = await app.visitor({ user_id: 1 });
    const { value } = await browser.send(async ({ session }) => {
      await session.set({ theme: "dark" });
      const peers = await session.peers("user_id");
      return { session, loaded: await session.load(), list: await peers?.list(), key: peers?.key };
    });
    const shown = inspect(value, { depth: 9 });
    expect(shown).toContain("user_id");
    app.expectNoSecretIn("a list", shown);
    for (const handler of failures(app)) {
      const { error, status } = await browser.send(handler);
      expect(error).toBeInstanceOf(Error);
      expect(status).toBeGreaterThanOrEqual(400);
      app.expectNoSecretIn("an error", inspect(error, { depth: 9, showHidden: true }));
    }
  });
}

/** What fails in each of the ways that a session can; the last one ends it. */
function failures(app: TestApp): Handler[] {
  return [
    ({ session }) => session.set({ theme: "x".repeat(100_000) }),
    ({ session }) => session.set({ theme: Number.NaN } as object),
    ({ session }) => session.peers("theme"),
    ({ session }) => session.rotate({}, { grace: -1 }),
    async ({ session }) => {
      await session.get();
      await app.sessions.by("user_id", 1).clear();
      await session.set({});
    },
  ];
}
