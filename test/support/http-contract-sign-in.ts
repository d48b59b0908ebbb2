import { describe, expect, test } from "vitest";
import type { Handler } from "./http-app.ts";
import type { Start } from "./http-contract.ts";

const signIn: Handler = ({ session }) => session.set({ user_id: 1 });

export function signIns(start: Start): void {
  describe("a sign-in", () => {
    test("gives the session a new token and id, keeps its data, and is one round trip", async () => {
      const app = await start();
      const browser = await app.visitor({ cart: ["tea"] });
      const [token, id] = [browser.token, await browser.id()];
      const operations = await app.operationsOf(async () => {
        expect((await browser.send(signIn)).setCookies).toHaveLength(1);
      });
      expect(operations).toEqual(["change"]);
      expect(browser.token).not.toBe(token);
      expect(await browser.id()).not.toBe(id);
      expect(await browser.data()).toEqual({ cart: ["tea"], user_id: 1 });
    });

    test("is out of reach of a planted token, whatever is done with it", async () => {
      const app = await start();
      const attacker = await app.visitor({ cart: ["tea"] });
      const victim = app.browser(attacker.token);
      await victim.send(signIn);
      const operations: Handler[] = [
        ({ session }) => session.get(),
        ({ session }) => session.load(),
        ({ session }) => session.touch(),
        ({ session }) => session.unset(["cart"]),
        ({ session }) => session.rotate(),
        ({ session }) => session.rotate({ user_id: 2 }),
        ({ session }) => session.peers("user_id", 1),
        ({ session }) => session.set({ cart: [] }),
        ({ session }) => session.set({ team_ids: [7] }),
        ({ session }) => session.delete(),
      ];
      for (const operation of operations) {
        const answer = await attacker.send(operation);
        expect(answer.setCookies).toEqual([]);
        expect([{}, null, false, undefined]).toContainEqual(answer.value);
      }
      await attacker.send(({ session }) => session.set({ user_id: 2 })); // a session of its own
      expect(await attacker.data()).toEqual({ user_id: 2 });
      expect(await victim.data()).toEqual({ cart: ["tea"], user_id: 1 });
      expect(await app.sessions.by("user_id", 1).size()).toBe(1);
    });

    test("that changes nothing, or another user's team, keeps the token", async () => {
      const app = await start();
      const browser = await app.visitor({ user_id: 1 });
      const { token } = browser;
      for (const values of [{ user_id: 1 }, { team_ids: [7] }, { theme: "dark" }, {}]) {
        const answer = await browser.send(({ session }) => session.set(values));
        expect(answer.setCookies).toEqual([]);
      }
      expect(browser.token).toBe(token);
    });

    test("to another user and a sign-out by unset give a new token, too", async () => {
      const app = await start();
      const browser = await app.visitor({ user_id: 1 });
      const first = browser.token;
      await browser.send(({ session }) => session.set({ user_id: 2 }));
      const second = browser.token;
      await browser.send(({ session }) => session.unset(["user_id"]));
      expect(new Set([first, second, browser.token]).size).toBe(3);
      expect(await app.browser(first).data()).toEqual({});
      expect(await app.browser(second).data()).toEqual({});
      expect(await browser.data()).toEqual({});
      expect((await browser.send(({ session }) => session.load())).value).not.toBeNull();
    });

    test("keeps the token where rotating is switched off", async () => {
      const app = await start({ identity: false });
      const browser = await app.visitor({ cart: ["tea"] });
      const { token } = browser;
      expect((await browser.send(signIn)).setCookies).toEqual([]);
      expect((await browser.send(({ session }) => session.unset(["user_id"]))).setCookies).toEqual(
        [],
      );
      expect(browser.token).toBe(token);
      await browser.send(({ session }) => session.rotate({ user_id: 1 }));
      expect(browser.token).not.toBe(token);
      expect(await app.browser(token).data()).toEqual({});
    });

    test("keeps the token where no reference says who the user is", async () => {
      const app = await start({ sessions: { references: { user_id: { identity: false } } } });
      const browser = await app.visitor({ cart: ["tea"] });
      expect((await browser.send(signIn)).setCookies).toEqual([]);
    });

    test("that is too large changes nothing", async () => {
      const app = await start({ sessions: { maxBytes: 60 } });
      const browser = await app.visitor({ theme: "dark" });
      const answer = await browser.send(({ session }) =>
        session.set({ user_id: 1, cart: ["x".repeat(60)] }),
      );
      expect([answer.status, answer.setCookies]).toEqual([413, []]);
      expect(await browser.data()).toEqual({ theme: "dark" });
    });
  });

  describe("a request that ran beside a sign-in", () => {
    test("finds nothing, sends no cookie, and cannot write: ERR_SESSION_GONE, 409", async () => {
      const app = await start();
      const browser = await app.visitor({ cart: ["tea"] });
      const late = app.browser(browser.token);
      await browser.send(signIn);
      const read = await late.send(({ session }) => session.get());
      expect([read.value, read.setCookies]).toEqual([{}, []]);
      const write = await late.send(({ session }) => session.set({ cart: [] }));
      expect(write.error).toMatchObject({ code: "ERR_SESSION_GONE", status: 409 });
      expect([write.status, write.setCookies]).toEqual([409, []]);
      expect(await browser.data()).toEqual({ cart: ["tea"], user_id: 1 });
    });

    test("and signs in, too, gets a session of its own: a form that was sent twice", async () => {
      const app = await start();
      const browser = await app.visitor({ cart: ["tea"] });
      const again = app.browser(browser.token);
      await browser.send(signIn);
      expect((await again.send(signIn)).setCookies).toHaveLength(1);
      expect(await again.data()).toEqual({ user_id: 1 });
      expect(await browser.data()).toEqual({ cart: ["tea"], user_id: 1 });
      expect(await app.sessions.by("user_id", 1).size()).toBe(2);
    });

    test("and sets the identity to nothing, or something else, is no sign-in", async () => {
      const app = await start();
      const browser = await app.visitor({ cart: ["tea"] });
      const late = app.browser(browser.token);
      await browser.send(signIn);
      for (const values of [{ user_id: null }, { user_id: undefined }, { team_ids: [7] }]) {
        const { status, setCookies } = await late.send(({ session }) =>
          session.set(values as object),
        );
        expect([status, setCookies]).toEqual([409, []]);
      }
    });

    test("does not sign in where the session had another user before", async () => {
      const app = await start();
      const browser = await app.visitor({ user_id: 1 });
      const late = app.browser(browser.token);
      await browser.send(({ session }) => session.set({ user_id: 2 }));
      const answer = await late.send(signIn);
      expect([answer.status, answer.setCookies]).toEqual([409, []]);
      expect(await browser.data()).toEqual({ user_id: 2 });
    });

    test("sends no cookie after a delete either", async () => {
      const app = await start();
      const browser = await app.visitor({ cart: ["tea"] });
      const late = app.browser(browser.token);
      await browser.send(signIn);
      const answer = await late.send(async ({ session }) => {
        const deleted = await session.delete();
        const code = await session.set({ cart: [] }).catch((error) => error.code);
        return [deleted, code];
      });
      expect([answer.value, answer.setCookies]).toEqual([[false, "ERR_SESSION_GONE"], []]);
    });

    test("is a stranger once the grace time is over", async () => {
      const app = await start({ sessions: { rotationGrace: 1 } });
      const browser = await app.visitor({ cart: ["tea"] });
      const late = app.browser(browser.token);
      await browser.send(signIn);
      await app.under.elapse(5);
      await late.send(({ session }) => session.set({ theme: "dark" }));
      expect(await late.data()).toEqual({ theme: "dark" });
      expect(await browser.data()).toEqual({ cart: ["tea"], user_id: 1 });
    });
  });
}
