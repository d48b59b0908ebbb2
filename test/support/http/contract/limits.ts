import { describe, expect, test } from "vitest";
import { COOKIE, type Handler, type TestApp } from "../app.ts";
import type { Start } from "./contract.ts";

/** The ways to sign user 1 in. */
const VERBS: Record<string, Handler> = {
  signIn: ({ session }) => session.signIn({ user_id: 1 }).then(() => null),
  set: ({ session }) => session.set({ user_id: 1 }),
  rotate: ({ session }) => session.rotate({ user_id: 1 }).then(() => null),
};

/** What a browser with these cookies is answered. */
function send(app: TestApp, tokens: readonly (string | undefined)[], handler: Handler) {
  const cookie = tokens.map((token) => `${COOKIE}=${token}`).join("; ");
  return app.browser().send(handler, { headers: { cookie } });
}

/** The cookie of a session that was renewed since. */
async function renewed(app: TestApp, user_id: number): Promise<string | undefined> {
  const browser = await app.visitor({ user_id });
  const { token } = browser;
  await browser.send(({ session }) => session.rotate());
  return token;
}

/** A request's sign-in into a full set: the sessions that it ends make room, and no others do. */
export function limits(start: Start): void {
  describe.each(["reject", "end-oldest"] as const)("where a full set says %s,", (whenFull) => {
    const open = () =>
      start({
        sessions: {
          references: {
            user_id: { limit: 2, whenFull },
            team_ids: { identity: false },
          },
        },
      });

    /** The cookies of a browser, by what else it brings; user 1 has a session on a phone besides. */
    const shapes: Record<string, (app: TestApp) => Promise<(string | undefined)[]>> = {
      "a second cookie of the user": async (app) => [
        (await app.visitor({ theme: "dark" })).token,
        (await app.visitor({ user_id: 1 })).token,
      ],
      "a second cookie of the user beside another user's": async (app) => [
        (await app.visitor({ user_id: 2 })).token,
        (await app.visitor({ user_id: 1 })).token,
      ],
      "a second cookie of the user from before a renewal": async (app) => [
        (await app.visitor({ theme: "dark" })).token,
        await renewed(app, 1),
      ],
    };
    for (const [verb, handler] of Object.entries(VERBS)) {
      test.each(Object.entries(shapes))(
        `a ${verb} that ends %s lets the user in, and leaves the phone alone`,
        async (_, prepare) => {
          const app = await open();
          const phone = await app.visitor({ user_id: 1 });
          const tokens = await prepare(app);
          expect((await send(app, tokens, handler)).status).toBe(200);
          expect(await phone.data()).toEqual({ user_id: 1 });
          expect(await app.sessions.by("user_id", 1).size()).toBe(2);
          expect((await send(app, tokens, ({ session }) => session.get())).value).toEqual({});
        },
      );

      test(`a ${verb} that ends a session of another user finds no room by that`, async () => {
        const app = await open();
        const phone = await app.visitor({ user_id: 1 });
        await app.under.elapse(2);
        const tablet = await app.visitor({ user_id: 1 });
        const own = await app.visitor({ theme: "dark" });
        const other = await app.visitor({ user_id: 2 });
        const { error } = await send(app, [own.token, other.token], handler);
        expect(await tablet.data()).toEqual({ user_id: 1 });
        expect(await app.sessions.by("user_id", 1).size()).toBe(2);
        if (whenFull === "reject") {
          expect(error).toMatchObject({ code: "ERR_SESSION_LIMIT", status: 409 });
          expect(await phone.data()).toEqual({ user_id: 1 });
          expect(await own.data()).toEqual({ theme: "dark" });
          expect(await other.data()).toEqual({ user_id: 2 });
        } else {
          expect([await phone.data(), await other.data()]).toEqual([{}, {}]);
        }
      });
    }

    test("a sign-in over a session of the user takes its place", async () => {
      const app = await open();
      const [phone, browser] = [
        await app.visitor({ user_id: 1 }),
        await app.visitor({ user_id: 1 }),
      ];
      const { status } = await browser.send(VERBS.signIn as Handler);
      expect(status).toBe(200);
      expect([await phone.data(), await browser.data()]).toEqual([{ user_id: 1 }, { user_id: 1 }]);
      expect(await app.sessions.by("user_id", 1).size()).toBe(2);
    });

    test("a sign-in through an old cookie takes the place of the session that it leads to", async () => {
      const app = await open();
      const phone = await app.visitor({ user_id: 1 });
      const old = await renewed(app, 1);
      const { status } = await send(app, [old], VERBS.signIn as Handler);
      expect(status).toBe(200);
      expect(await phone.data()).toEqual({ user_id: 1 });
      expect(await app.sessions.by("user_id", 1).size()).toBe(2);
    });
  });
}
