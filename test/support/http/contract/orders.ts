/*
 * A sign-in and requests that the client sends at the same time. The store carries out their calls
 * in one order or another, and the client gets the answers in one order or another: in each of
 * them it is signed in afterwards, and the one who planted its first token is not. What any two or three
 * of its requests do to each other is in test/proofs/interleavings.
 */
import { describe, expect, test } from "vitest";
import { type Choices, everyChoice } from "../../proofs/turnstile.ts";
import type { Answer, Handler, TestApp } from "../app.ts";
import { type Carried, type Client, carriers } from "../carried.ts";
import type { Clock, Start } from "./contract.ts";

const signIn: Handler = ({ session }) => session.signIn({ user_id: 1 }, { keep: ["cart"] });
const after =
  (first: Handler, then: Handler): Handler =>
  async (context) => {
    await first(context);
    return then(context);
  };
const look: Handler = ({ session }) => session.get();
const write: Handler = ({ session }) => session.set({ theme: "dark" });
const writeBack: Handler = async ({ session }) =>
  session.set({ ...(await session.get()), theme: "dark" });
const signOut: Handler = async ({ session }) => ({ ended: await session.delete() });
const changeCredentials: Handler = ({ session }) => session.changeCredentials("user_id");

const SIGN_INS: Record<string, Handler> = {
  "a sign-in": signIn,
  "a sign-in after a look": after(look, signIn),
  "a sign-in that ends the old session first": after(signOut, signIn),
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
  "one that writes back what it has read": [writeBack],
  "one that writes a reference of no user": [({ session }) => session.set({ team_ids: [7] })],
  "one that removes a field": [({ session }) => session.unset(["theme"])],
  "one that touches": [after(look, ({ session }) => session.touch())],
  "a second sign-in": [signIn],
  "a second sign-in after a look": [after(look, signIn)],
  "a second sign-in and one that writes": [signIn, write],
};

interface Scene {
  readonly client: Client;
  /** The tokens that an attacker may know. */
  readonly planted: readonly (string | undefined)[];
}

type Scenes = Record<string, (app: TestApp, carried: Carried) => Promise<Scene>>;

/** Carries out requests side by side, in one of the orders; the clients take no token yet. */
function together(
  app: TestApp,
  requests: readonly (readonly [Client, Handler])[],
  choices: Choices,
): Promise<Answer[]> {
  return app.turnstile.drive(
    requests.map(([client, handler], i) => {
      const marked: Handler = (context) => app.turnstile.as(i, () => handler(context));
      return () => client.send(marked, { take: false });
    }),
    choices,
  );
}

/** The answers that tell the client something of its token: the order of the others is all one. */
function telling(carried: Carried, answers: readonly Answer[]): Answer[] {
  return answers.filter((answer) => carried.told(answer) !== "nothing");
}

async function expectSignedIn(
  app: TestApp,
  carried: Carried,
  { client, planted }: Scene,
): Promise<void> {
  expect(await client.data()).toMatchObject({ user_id: 1 });
  for (const token of planted) {
    const attacker = carried.client(app, token);
    expect(await attacker.data()).not.toHaveProperty("user_id");
    const renewed = await attacker.send(({ session }) => session.rotate({ theme: "x" }));
    expect(carried.told(renewed)).toBe("nothing");
    expect(await client.data()).not.toHaveProperty("theme", "x");
  }
}

/** What the client has before it signs in. */
const SCENES: Scenes = {
  "a planted session": async (app, carried) => {
    const { token } = await carried.visitor(app, { cart: ["tea"] });
    return { client: carried.client(app, token), planted: [token] };
  },
  "the old token of a planted session that was renewed": async (app, carried) => {
    const attacker = await carried.visitor(app, { cart: ["tea"] });
    const { token } = attacker;
    await attacker.send(({ session }) => session.rotate());
    return { client: carried.client(app, token), planted: [token, attacker.token] };
  },
};

/** A session of the user that a thief has a copy of. */
const STOLEN: Scenes = {
  "a stolen session of the same user": async (app, carried) => {
    const { token } = await carried.visitor(app, { user_id: 1, cart: ["tea"] });
    return { client: carried.client(app, token), planted: [token] };
  },
};

/** A get then has a second call to the store, which pushes the idle deadline. */
const LATER: Scenes = {
  "a planted session that was not used for two minutes": async (app, carried) => {
    const { token } = await carried.visitor(app, { cart: ["tea"] });
    await app.under.elapse(120_000);
    return { client: carried.client(app, token), planted: [token] };
  },
};

/** Calls that one who planted a session may make with it meanwhile. */
const ATTACKS: Record<string, Handler> = {
  reading: after(look, look),
  renewing: ({ session }) => session.rotate(),
  "reading and renewing": after(look, ({ session }) => session.rotate()),
  "renewing and reading": after(({ session }) => session.rotate(), look),
  "writing and renewing": after(write, ({ session }) => session.rotate()),
  "writing a team": after(look, ({ session }) => session.set({ team_ids: [7] })),
  "setting another user": after(look, ({ session }) => session.set({ user_id: 666 })),
  "signing in as another user": after(look, ({ session }) => session.signIn({ user_id: 666 })),
  "rotating to another user": after(look, ({ session }) => session.rotate({ user_id: 666 })),
  "removing the user": after(look, ({ session }) => session.unset(["user_id"])),
  "ending it by an old token": after(
    ({ session }) => session.rotate(),
    ({ session }) => session.rotate({}, { grace: 0 }),
  ),
};

/** How many of the orders are tried, which takes the longest. */
export type Orders = "all" | "pairs";

export function orders(start: Start, clock: Clock, tried: Orders): void {
  const pairs = Object.entries(BESIDE).filter(([, others]) => others.length === 1);
  const [byCookie, byBearer] = carriers(start);
  if (byCookie) {
    const scenes = Object.entries({ ...SCENES, ...(clock === "moved" && LATER) });
    signInsBeside(byCookie, scenes, tried === "all" ? Object.entries(BESIDE) : pairs);
    signInsBeside(byCookie, Object.entries(STOLEN), pairs);
    attacks(byCookie, scenes);
    endings(byCookie);
  }
  if (byBearer && tried === "all") {
    signInsBeside(byBearer, Object.entries({ ...SCENES, ...STOLEN }), pairs);
    attacks(byBearer, Object.entries(SCENES));
    endings(byBearer);
  }
}

type Listed<T> = readonly (readonly [string, T])[];

function signInsBeside(
  carried: Carried,
  scenes: Listed<Scenes[string]>,
  besides: Listed<readonly Handler[]>,
): void {
  describe(`in every order of the store's work and of the answers, by ${carried.name},`, () => {
    for (const [scene, set] of scenes) {
      for (const [what, first] of Object.entries(SIGN_INS)) {
        for (const [beside, others] of besides) {
          test(`${what} holds beside ${beside}, with ${scene}`, async () => {
            const app = await carried.start();
            const runs = await everyChoice(async (choices) => {
              const { client, planted } = await set(app, carried);
              const requests = [first, ...others].map((handler) => [client, handler] as const);
              const answers = await together(app, requests, choices);
              expect(answers[0]?.status, "the sign-in").toBe(200);
              for (const { status } of answers) expect([200, 409]).toContain(status);
              for (const answer of choices.order(telling(carried, answers))) client.take(answer);
              await expectSignedIn(app, carried, { client, planted });
            });
            expect(runs).toBeGreaterThan(1);
          });
        }
      }
    }
  });
}

function attacks(carried: Carried, scenes: Listed<Scenes[string]>): void {
  describe(`in every order of the store's work, by ${carried.name},`, () => {
    for (const [scene, set] of scenes) {
      // The cookie of a renewal that came before the sign-in may be under way still. Nothing can
      // call it back: the browser that gets it after that of the sign-in is signed out.
      test(`a sign-in that is answered last holds beside a renewal, with ${scene}`, async () => {
        const app = await carried.start();
        await everyChoice(async (choices) => {
          const { client, planted } = await set(app, carried);
          const renewal = after(look, ({ session }) => session.rotate());
          const answers = await together(
            app,
            [signIn, renewal, write].map((handler) => [client, handler] as const),
            choices,
          );
          for (const answer of answers.reverse()) client.take(answer);
          await expectSignedIn(app, carried, { client, planted });
        });
      });

      for (const [attack, handler] of Object.entries(ATTACKS)) {
        test(`a sign-in is not reached by an attacker ${attack}, with ${scene}`, async () => {
          const app = await carried.start();
          const runs = await everyChoice(async (choices) => {
            await app.sessions.by("user_id", 1).clear();
            const { client, planted } = await set(app, carried);
            const attacker = carried.client(app, client.token);
            const requests = [[client, signIn] as const, [attacker, handler] as const];
            const [answer, theirs] = await together(app, requests, choices);
            expect(answer?.status).toBe(200);
            if (answer) client.take(answer);
            await expectSignedIn(app, carried, { client, planted });
            if (theirs) attacker.take(theirs);
            expect(theirs?.value ?? {}).not.toHaveProperty("user_id", 1);
            expect(await attacker.data()).not.toHaveProperty("user_id", 1);
            expect(await client.data()).not.toHaveProperty("team_ids");
            expect(await app.sessions.by("user_id", 1).size()).toBe(1);
          });
          expect(runs).toBeGreaterThan(1);
        });
      }
    }
  });
}

/** What ends or renews a user's session, beside what is written to it. */
function endings(carried: Carried): void {
  const WRITES = { "one that writes": write, "one that writes back what it has read": writeBack };

  describe(`in every order of the store's work and of the answers, by ${carried.name},`, () => {
    for (const [beside, other] of Object.entries(WRITES)) {
      test(`a sign-out holds beside ${beside}: nobody is signed in, and nothing is made`, async () => {
        const app = await carried.start();
        await everyChoice(async (choices) => {
          const { client } = await setUser(app, carried);
          const requests = [signOut, other].map((handler) => [client, handler] as const);
          const answers = await together(app, requests, choices);
          expect(answers[0]?.value).toEqual({ ended: true });
          for (const { status } of answers) expect([200, 409]).toContain(status);
          for (const answer of choices.order(telling(carried, answers))) client.take(answer);
          expect(await client.data()).toEqual({});
          expect(await app.sessions.by("user_id", 1).size()).toBe(0);
        });
      });

      test(`a change of password holds beside ${beside}: its session alone is left`, async () => {
        const app = await carried.start();
        await everyChoice(async (choices) => {
          await app.sessions.by("user_id", 1).clear();
          const { client, planted } = await setUser(app, carried);
          await carried.visitor(app, { user_id: 1 });
          const requests = [changeCredentials, other].map((handler) => [client, handler] as const);
          const answers = await together(app, requests, choices);
          expect(answers[0]?.value).toMatchObject({ ended: 1 });
          for (const answer of choices.order(telling(carried, answers))) client.take(answer);
          await expectSignedIn(app, carried, { client, planted });
          expect(await app.sessions.by("user_id", 1).size()).toBe(1);
        });
      });
    }
  });
}

async function setUser(app: TestApp, carried: Carried): Promise<Scene> {
  const { token } = await carried.visitor(app, { user_id: 1, cart: ["tea"] });
  return { client: carried.client(app, token), planted: [token] };
}
