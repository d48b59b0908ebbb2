import { describe, expect, test } from "vitest";
import type { Handler, TestApp } from "../app.ts";
import type { Start } from "./contract.ts";

/** A browser whose session was rotated, and one that still has the old token. */
async function rotated(app: TestApp, values = {}) {
  const browser = await app.visitor(values);
  const old = app.browser(browser.token);
  await browser.send(({ session }) => session.rotate());
  return { browser, old };
}

export function renewal(start: Start): void {
  describe("a rotation", () => {
    test("gives a new token and id, with changes in the same step", async () => {
      const app = await start();
      const browser = await app.visitor({ user_id: 1 });
      const [token, id] = [browser.token, await browser.id()];
      const answer = await browser.send(({ session }) => session.rotate({ theme: "dark" }));
      const data = { user_id: 1, theme: "dark" };
      const session = { id: await browser.id(), lineage: id, data };
      expect(answer.value).toMatchObject({ token: null, session });
      expect(answer.setCookies).toHaveLength(1);
      expect(browser.token).not.toBe(token);
      expect(await browser.id()).not.toBe(id);
      expect(await browser.data()).toEqual(data);
      expect(await app.sessions.by("user_id", 1).ids()).toEqual([await browser.id()]);
    });

    test("with no grace ends the old token at once", async () => {
      const app = await start();
      const browser = await app.visitor({ user_id: 1 });
      const old = app.browser(browser.token);
      await browser.send(({ session }) => session.rotate({}, { grace: 0 }));
      expect(await old.data()).toEqual({});
      expect(await browser.data()).toEqual({ user_id: 1 });
    });

    test("leaves the old token good for its grace time and no longer", async () => {
      const app = await start();
      const browser = await app.visitor({ user_id: 1 });
      const old = app.browser(browser.token);
      await browser.send(({ session }) => session.rotate({}, { grace: "4 seconds" }));
      expect(await old.data()).toEqual({ user_id: 1 });
      await app.under.elapse(4_005);
      expect(await old.data()).toEqual({});
      expect(await browser.data()).toEqual({ user_id: 1 });
    });

    test("within a request is what its later calls see", async () => {
      const app = await start();
      const browser = await app.visitor({ theme: "dark" });
      const { value } = await browser.send(async ({ session }) => {
        const before = session.id;
        await session.rotate();
        await session.set({ theme: "light" });
        return [before === session.id, (await session.load())?.id === session.id];
      });
      expect(value).toEqual([false, true]);
      expect(await browser.data()).toEqual({ theme: "light" });
    });

    test("requirement 9: beside 20 requests with the old token: all land in one session, none sends a cookie", async () => {
      const app = await start();
      const browser = await app.visitor({ user_id: 1 });
      const old = Array.from({ length: 20 }, () => app.browser(browser.token));
      const requests = old.map((each, i) =>
        each.send(async ({ session }) => {
          const before = await session.get();
          await session.set(i % 2 === 0 ? { theme: "dark" } : { cart: ["tea"] });
          return before;
        }),
      );
      const rotation = browser.send(({ session }) => session.rotate());
      const answers = await Promise.all(requests);
      expect((await rotation).setCookies).toHaveLength(1);
      for (const { status, value, setCookies } of answers) {
        expect([status, setCookies]).toEqual([200, []]);
        expect(value).toMatchObject({ user_id: 1 });
      }
      const both = { user_id: 1, theme: "dark", cart: ["tea"] };
      expect(await browser.data()).toEqual(both);
      expect(await app.sessions.by("user_id", 1).ids()).toEqual([await browser.id()]);
      for (const each of old) expect(await each.data()).toEqual(both);
    });

    test("that is done twice at the same time is done once", async () => {
      const app = await start();
      const browser = await app.visitor({ user_id: 1 });
      const rotate: Handler = ({ session }) => session.rotate();
      const pair = [app.browser(browser.token), app.browser(browser.token)];
      const answers = await Promise.all(pair.map((each) => each.send(rotate)));
      expect(answers.filter(({ value }) => value === null)).toHaveLength(1);
      expect(answers.map(({ setCookies }) => setCookies.length).sort()).toEqual([0, 1]);
      for (const each of pair) expect(await each.data()).toEqual({ user_id: 1 });
    });
  });

  describe("through an old token", () => {
    test("one reads and writes the session, and no cookie is sent", async () => {
      const app = await start();
      const { browser, old } = await rotated(app, { user_id: 1 });
      const answer = await old.send(async ({ session }) => {
        await session.set({ theme: "dark", cart: ["tea"] });
        const unset = await session.unset(["theme"]);
        return [await session.get(), unset, await session.touch()];
      });
      expect(answer.value).toEqual([{ user_id: 1, cart: ["tea"] }, true, true]);
      expect(answer.setCookies).toEqual([]);
      expect(await browser.data()).toEqual({ user_id: 1, cart: ["tea"] });
    });

    for (const [when, first] of [
      ["at once", () => undefined],
      ["after a look", ({ session }) => session.get()],
      ["after a change", ({ session }) => session.set({ theme: "dark" })],
      ["after a touch", ({ session }) => session.touch()],
    ] as [string, Handler][]) {
      test(`rotate is null, changes nothing and sends nothing: ${when}`, async () => {
        const app = await start();
        const { browser, old } = await rotated(app, { user_id: 1 });
        const { token } = browser;
        const answer = await old.send(async (context) => {
          await first(context);
          return [await context.session.rotate(), await context.session.rotate({ cart: ["x"] })];
        });
        expect([answer.value, answer.setCookies]).toEqual([[null, null], []]);
        expect(await browser.data()).not.toHaveProperty("cart");
        expect(browser.token).toBe(token);
        expect(await browser.data()).toMatchObject({ user_id: 1 });
      });

      for (const [how, change] of [
        ["set", ({ session }) => session.set({ user_id: 2 })],
        ["rotate", ({ session }) => session.rotate({ user_id: 2 })],
      ] as [string, Handler][]) {
        test(`${how} of another user rotates and ends both old tokens: ${when}`, async () => {
          const app = await start();
          const { browser, old } = await rotated(app, { user_id: 1 });
          const first2nd = [old.token, browser.token];
          const answer = await old.send(async (context) => {
            await first(context);
            await change(context);
          });
          expect(answer.setCookies).toHaveLength(1);
          expect(first2nd).not.toContain(old.token);
          expect(await old.data()).toMatchObject({ user_id: 2 });
          for (const token of first2nd) expect(await app.browser(token).data()).toEqual({});
        });
      }

      test(`delete ends the session itself: ${when}`, async () => {
        const app = await start();
        const { browser, old } = await rotated(app, { user_id: 1 });
        const answer = await old.send(async (context) => {
          await first(context);
          return context.session.delete();
        });
        expect(answer.value).toBe(true);
        expect(await browser.data()).toEqual({});
        expect(await old.data()).toEqual({});
        expect(await app.sessions.by("user_id", 1).size()).toBe(0);
      });
    }

    test("a request that has signed in by it is like any other from then on", async () => {
      const app = await start();
      const { old } = await rotated(app, { user_id: 1 });
      const answer = await old.send(async ({ session }) => {
        await session.get();
        await session.set({ user_id: 2 });
        const done = await session.rotate({ theme: "dark" });
        return [done?.session?.data, await session.get()];
      });
      const data = { user_id: 2, theme: "dark" };
      expect(answer.value).toEqual([data, data]);
      expect(await old.data()).toEqual({ user_id: 2, theme: "dark" });
      const again = await rotated(app, { user_id: 1 });
      await again.old.send(async ({ session }) => {
        await session.get();
        await session.set({ user_id: 2 });
        await session.delete();
      });
      expect(again.old.token).toBeUndefined();
    });

    test("a request keeps the session that it has found when the grace time ends", async () => {
      const app = await start();
      const browser = await app.visitor({ user_id: 1 });
      const old = app.browser(browser.token);
      await browser.send(({ session }) => session.rotate({}, { grace: "4 seconds" }));
      const answer = await old.send(async ({ session }) => {
        await session.get();
        await app.under.elapse(4_005);
        await session.set({ theme: "dark" });
        return session.get();
      });
      expect(answer.value).toEqual({ user_id: 1, theme: "dark" });
      expect(answer.setCookies).toEqual([]);
      expect(await old.data()).toEqual({});
    });

    test("a request that was rotated away in its middle sends no cookie from then on", async () => {
      const app = await start();
      const browser = await app.visitor({ user_id: 1 });
      const slow = app.browser(browser.token);
      const answer = await slow.send(async ({ session }) => {
        await session.get();
        await browser.send((other) => other.session.rotate());
        return [await session.rotate(), await session.get(), await session.rotate()];
      });
      expect(answer.value).toEqual([null, { user_id: 1 }, null]);
      expect(answer.setCookies).toEqual([]);
      expect(await browser.data()).toEqual({ user_id: 1 });
    });

    test("of three rotations one still arrives", async () => {
      const app = await start();
      const browser = await app.visitor({ user_id: 1 });
      const old = app.browser(browser.token);
      for (let i = 0; i < 3; i++) await browser.send(({ session }) => session.rotate());
      await old.send(({ session }) => session.set({ theme: "dark" }));
      expect(await browser.data()).toEqual({ user_id: 1, theme: "dark" });
      await browser.send(({ session }) => session.rotate());
      expect(await old.data()).toEqual({});
    });
  });
}
