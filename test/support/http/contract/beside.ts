/* Requests that have a token whose session was signed in, or signed out, a moment ago. */
import { describe, expect, test } from "vitest";
import type { Handler } from "../app.ts";
import { type Carried, carriers } from "../carried.ts";
import type { Start } from "./contract.ts";

const signIn: Handler = ({ session }) => session.signIn({ user_id: 1 }, { keep: ["cart"] });
const setUser: Handler = ({ session }) => session.set({ user_id: 1 });

export function besides(start: Start): void {
  for (const carried of carriers(start)) beside(carried);
  twice(start);
  afterSignOut(start);
}

function beside(carried: Carried): void {
  describe(`a request that ran beside a sign-in, by ${carried.name}`, () => {
    test("finds nothing, and cannot write: ERR_SESSION_GONE, 409", async () => {
      const app = await carried.start();
      const client = await carried.visitor(app, { cart: ["tea"] });
      const late = carried.client(app, client.token);
      await client.send(signIn);
      const read = await late.send(({ session }) => session.get());
      expect([read.value, carried.told(read)]).toEqual([{}, "nothing"]);
      for (const values of [
        { cart: [] },
        { user_id: null },
        { user_id: undefined },
        { team_ids: [7] },
      ]) {
        const write = await late.send(({ session }) => session.set(values as object));
        expect(write.error).toMatchObject({ code: "ERR_SESSION_GONE", status: 409 });
        expect([write.status, carried.told(write)]).toEqual([409, "nothing"]);
      }
      expect(await client.data()).toEqual({ cart: ["tea"], user_id: 1 });
    });

    test("and signs in, too, gets a session of its own: a form that was sent twice", async () => {
      const app = await carried.start();
      const client = await carried.visitor(app, { cart: ["tea"] });
      const again = carried.client(app, client.token);
      await client.send(signIn);
      expect(carried.told(await again.send(signIn))).toBe("a token");
      expect(await again.data()).toEqual({ user_id: 1 });
      expect(await client.data()).toEqual({ cart: ["tea"], user_id: 1 });
      expect(await app.sessions.by("user_id", 1).size()).toBe(2);
    });

    test("signs in also where the session had another user before, which set does not", async () => {
      const app = await carried.start();
      const client = await carried.visitor(app, { user_id: 1 });
      const late = carried.client(app, client.token);
      await client.send(({ session }) => session.signIn({ user_id: 2 }));
      const set = await late.send(setUser);
      expect([set.status, carried.told(set)]).toEqual([409, "nothing"]);
      expect(set.error).toMatchObject({ code: "ERR_SESSION_GONE" });
      const signedIn = await late.send(signIn);
      expect([signedIn.status, carried.told(signedIn)]).toEqual([200, "a token"]);
      expect(await client.data()).toEqual({ user_id: 2 });
      expect(await late.data()).toEqual({ user_id: 1 });
    });

    test("is told nothing after a delete either", async () => {
      const app = await carried.start();
      const client = await carried.visitor(app, { cart: ["tea"] });
      const late = carried.client(app, client.token);
      await client.send(signIn);
      const answer = await late.send(async ({ session }) => {
        const deleted = await session.delete();
        const code = await session.set({ cart: [] }).catch((error) => error.code);
        return [deleted, code];
      });
      expect(answer.value).toEqual([false, "ERR_SESSION_GONE"]);
      expect(carried.told(answer)).toBe("nothing");
    });
  });
}

function twice(start: Start): void {
  describe("a request that ran beside a sign-in", () => {
    test("and sets the user gets a session of its own where the old one was nobody's", async () => {
      const app = await start();
      const browser = await app.visitor({ cart: ["tea"] });
      const again = app.browser(browser.token);
      await browser.send(setUser);
      const answer = await again.send(async ({ session }) => {
        await session.get();
        await session.set({ user_id: 1 });
      });
      expect(answer.setCookies).toHaveLength(1);
      expect(await again.data()).toEqual({ user_id: 1 });
      expect(await browser.data()).toEqual({ user_id: 1 });
      expect(await app.sessions.by("user_id", 1).size()).toBe(2);
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

/** How a request may see its session alive. */
const SEEING: Record<string, Handler> = {
  get: ({ session }) => session.get(),
  load: ({ session }) => session.load(),
  peers: ({ session }) => session.peers("user_id"),
  set: ({ session }) => session.set({ theme: "dark" }),
  touch: ({ session }) => session.touch(),
};

function afterSignOut(start: Start): void {
  describe("right after a sign-out, with the cookie of the session that was ended,", () => {
    for (const values of [{}, { user_id: 1 }, { user_id: 2 }]) {
      for (const [how, handler] of Object.entries({ signIn, "set of the user": setUser })) {
        test(`${how} makes a session, where it was of ${JSON.stringify(values)}`, async () => {
          const app = await start();
          const browser = await app.visitor({ ...values, cart: ["tea"] });
          const late = app.browser(browser.token);
          await browser.send(({ session }) => session.delete());
          const answer = await late.send(async (context) => {
            const before = await context.session.get();
            await handler(context);
            return before;
          });
          expect([answer.value, answer.setCookies.length]).toEqual([{}, 1]);
          expect(await late.data()).toEqual({ user_id: 1 });
          expect(await app.sessions.by("user_id", 1).size()).toBe(1);
        });
      }
    }

    test("set of what is not the user is ERR_SESSION_GONE, and makes nothing", async () => {
      const app = await start();
      const browser = await app.visitor({ user_id: 1 });
      const late = app.browser(browser.token);
      await browser.send(({ session }) => session.delete());
      for (const values of [{ theme: "dark" }, { team_ids: [7] }, { user_id: null }]) {
        const { error, setCookies } = await late.send(({ session }) =>
          session.set(values as object),
        );
        expect(error).toMatchObject({ code: "ERR_SESSION_GONE" });
        expect(setCookies).toEqual([]);
      }
    });

    for (const [verb, see] of Object.entries(SEEING)) {
      test(`set of the user is ERR_SESSION_GONE in a request that saw it alive by ${verb}`, async () => {
        const app = await start();
        const browser = await app.visitor({ user_id: 1 });
        const slow = app.browser(browser.token);
        const answer = await slow.send(async (context) => {
          await see(context);
          await browser.send(({ session }) => session.delete());
          await setUser(context);
        });
        expect(answer.error).toMatchObject({ code: "ERR_SESSION_GONE" });
        expect([answer.status, answer.setCookies]).toEqual([409, []]);
        expect(await app.sessions.by("user_id", 1).size()).toBe(0);
      });
    }

    test("signIn makes a session also in a request that saw it alive", async () => {
      const app = await start();
      const browser = await app.visitor({ user_id: 1, cart: ["tea"] });
      const slow = app.browser(browser.token);
      await slow.send(async (context) => {
        await context.session.get();
        await browser.send(({ session }) => session.delete());
        await signIn(context);
      });
      expect(await slow.data()).toEqual({ user_id: 1 });
    });
  });
}
