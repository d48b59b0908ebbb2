/*
 * A sign-in and requests that the browser sends at the same time. The store carries out their calls
 * in one order or another, and the browser gets the answers in one order or another: in each of
 * them the browser is signed in afterwards, and whoever planted its first token is not.
 */
import { describe, expect, test } from "vitest";
import type { Answer, Browser, Handler, TestApp } from "./http-app.ts";
import type { Clock, Orders, Start } from "./http-contract.ts";
import { type Choices, everyChoice } from "./turnstile.ts";

const signIn: Handler = ({ session }) => session.set({ user_id: 1 });
const after =
  (first: Handler, then: Handler): Handler =>
  async (context) => {
    await first(context);
    return then(context);
  };
const look: Handler = ({ session }) => session.get();
const write: Handler = ({ session }) => session.set({ theme: "dark" });

const SIGN_INS: Record<string, Handler> = {
  "a sign-in": signIn,
  "a sign-in after a look": after(look, signIn),
  "a sign-in that ends the old session first": after(({ session }) => session.delete(), signIn),
};

const BESIDE: Record<string, readonly Handler[]> = {
  "one that reads": [look],
  "one that reads some fields, and its peers": [
    after(
      ({ session }) => session.get(["theme"]),
      ({ session }) => session.peers("user_id"),
    ),
  ],
  "one that writes": [write],
  "one that reads and writes": [after(look, write)],
  "one that writes a reference of no user": [({ session }) => session.set({ team_ids: [7] })],
  "one that removes a field": [({ session }) => session.unset(["theme"])],
  "one that touches": [after(look, ({ session }) => session.touch())],
  "a second sign-in": [signIn],
  "a second sign-in after a look": [after(look, signIn)],
  "a second sign-in and one that writes": [signIn, write],
};

interface Scene {
  readonly browser: Browser;
  /** The tokens that an attacker may know. */
  readonly planted: readonly (string | undefined)[];
}

/** Carries out requests side by side, in one of the orders; the browsers take no cookie yet. */
function together(
  app: TestApp,
  requests: readonly (readonly [Browser, Handler])[],
  choices: Choices,
): Promise<Answer[]> {
  return app.turnstile.drive(
    requests.map(([browser, handler], i) => {
      const marked: Handler = (context) => app.turnstile.as(i, () => handler(context));
      return () => browser.send(marked, { take: false });
    }),
    choices,
  );
}

async function expectSignedIn(app: TestApp, { browser, planted }: Scene): Promise<void> {
  expect(await browser.data()).toMatchObject({ user_id: 1 });
  for (const token of planted) {
    const attacker = app.browser(token);
    expect(await attacker.data()).not.toHaveProperty("user_id");
    const { setCookies } = await attacker.send(({ session }) => session.rotate({ theme: "x" }));
    expect(setCookies).toEqual([]);
    expect(await browser.data()).not.toHaveProperty("theme", "x");
  }
}

/** What the browser has before it signs in. */
const SCENES: Record<string, (app: TestApp) => Promise<Scene>> = {
  "a planted session": async (app) => {
    const { token } = await app.visitor({ cart: ["tea"] });
    return { browser: app.browser(token), planted: [token] };
  },
  "the old token of a planted session that was renewed": async (app) => {
    const attacker = await app.visitor({ cart: ["tea"] });
    const { token } = attacker;
    await attacker.send(({ session }) => session.rotate());
    return { browser: app.browser(token), planted: [token, attacker.token] };
  },
};

/** A get then has a second call to the store, which pushes the idle deadline. */
const LATER: Record<string, (app: TestApp) => Promise<Scene>> = {
  "a planted session that was not used for two minutes": async (app) => {
    const { token } = await app.visitor({ cart: ["tea"] });
    await app.under.elapse(120_000);
    return { browser: app.browser(token), planted: [token] };
  },
};

/** What whoever planted a session may do with it meanwhile. */
const ATTACKS: Record<string, Handler> = {
  reading: after(look, look),
  renewing: ({ session }) => session.rotate(),
  "reading and renewing": after(look, ({ session }) => session.rotate()),
  "renewing and reading": after(({ session }) => session.rotate(), look),
  "writing and renewing": after(write, ({ session }) => session.rotate()),
  "writing a team": after(look, ({ session }) => session.set({ team_ids: [7] })),
  "signing in as somebody else": after(look, ({ session }) => session.set({ user_id: 666 })),
  "removing the user": after(look, ({ session }) => session.unset(["user_id"])),
};

export function orders(start: Start, clock: Clock, tried: Exclude<Orders, "none">): void {
  const scenes = Object.entries({ ...SCENES, ...(clock === "moved" && LATER) });
  const besides = Object.entries(BESIDE).filter(
    ([, others]) => tried === "all" || others.length === 1,
  );

  describe("in every order of the store's work and of the answers", () => {
    for (const [scene, set] of scenes) {
      for (const [what, first] of Object.entries(SIGN_INS)) {
        for (const [beside, others] of besides) {
          test(`${what} holds beside ${beside}, with ${scene}`, async () => {
            const app = await start();
            const runs = await everyChoice(async (choices) => {
              const { browser, planted } = await set(app);
              const requests = [first, ...others].map((handler) => [browser, handler] as const);
              const answers = await together(app, requests, choices);
              expect(answers[0]?.status, "the sign-in").toBe(200);
              for (const { status } of answers) expect([200, 409]).toContain(status);
              for (const answer of choices.order(answers)) browser.take(answer);
              await expectSignedIn(app, { browser, planted });
            });
            expect(runs).toBeGreaterThan(1);
          });
        }
      }
    }
  });

  describe("in every order of the store's work", () => {
    for (const [scene, set] of scenes) {
      // The cookie of a renewal that came before the sign-in may be under way still. Nothing can
      // call it back: the browser that gets it after that of the sign-in is signed out.
      test(`a sign-in that is answered last holds beside a renewal, with ${scene}`, async () => {
        const app = await start();
        await everyChoice(async (choices) => {
          const { browser, planted } = await set(app);
          const renewal = after(look, ({ session }) => session.rotate());
          const answers = await together(
            app,
            [signIn, renewal, write].map((handler) => [browser, handler] as const),
            choices,
          );
          for (const answer of answers.reverse()) browser.take(answer);
          await expectSignedIn(app, { browser, planted });
        });
      });

      for (const [attack, handler] of Object.entries(ATTACKS)) {
        test(`a sign-in is not reached by an attacker ${attack}, with ${scene}`, async () => {
          const app = await start();
          const runs = await everyChoice(async (choices) => {
            const { browser, planted } = await set(app);
            const attacker = app.browser(browser.token);
            const requests = [[browser, signIn] as const, [attacker, handler] as const];
            const [answer, theirs] = await together(app, requests, choices);
            if (answer?.status === 200) {
              browser.take(answer);
              await expectSignedIn(app, { browser, planted });
            }
            if (theirs) attacker.take(theirs);
            expect(theirs?.value ?? {}).not.toHaveProperty("user_id", 1);
            expect(await attacker.data()).not.toHaveProperty("user_id", 1);
          });
          expect(runs).toBeGreaterThan(1);
        });
      }
    }
  });
}
