import type { SessionSet } from "session-sets";
import { describe, expect, test } from "vitest";
import type { Data, Handler } from "../app.ts";
import { type Carried, carriers } from "../carried.ts";
import { UNKNOWN } from "./anonymous.ts";
import type { Start } from "./contract.ts";

const signIn: Handler = ({ session }) => session.signIn({ user_id: 1 });

/** The lifetimes (ms) that a session was given. */
const lifetimes: Handler = async ({ session }) => {
  const loaded = await session.load();
  if (loaded === null) return null;
  const { createdAt, lastSeenAt, expiresAt, absoluteDeadline } = loaded;
  return [
    expiresAt.getTime() - lastSeenAt.getTime(),
    absoluteDeadline && absoluteDeadline.getTime() - createdAt.getTime(),
  ];
};

export function signIns(start: Start): void {
  for (const carried of carriers(start)) {
    ending(carried);
    making(carried);
    refusing(carried);
    within(carried);
  }
  planted(start);
}

function ending(carried: Carried): void {
  describe(`a sign-in by ${carried.name}`, () => {
    test("ends the old session, and makes a new one of its values alone, in one round trip", async () => {
      const app = await carried.start();
      const client = await carried.visitor(app, { cart: ["tea"], theme: "dark" });
      const { token } = client;
      const before = await client.send(({ session }) => session.load());
      const operations = await app.recordOperations(async () => {
        const answer = await client.send(signIn);
        expect([answer.status, carried.told(answer)]).toEqual([200, "a token"]);
        expect(answer.headers["cache-control"]).toBe("no-store");
        expect(answer.value).toMatchObject({ session: { data: { user_id: 1 } } });
      });
      expect(operations).toEqual(["signIn"]);
      const after = await client.send(({ session }) => session.load());
      const [old, made] = [Object(before.value), Object(after.value)];
      expect(made).toMatchObject({ id: made.lineage, data: { user_id: 1 } });
      expect(made.lineage).not.toBe(old.lineage);
      expect(await client.data()).toEqual({ user_id: 1 });
      expect(await app.sessions.get(token)).toBeNull();
      expect(await carried.client(app, token).data()).toEqual({});
    });

    for (const [whose, values, kept] of [
      ["nobody's", {}, { cart: ["tea"] }],
      ["the same user's", { user_id: 1 }, { cart: ["tea"] }],
      ["another user's", { user_id: 2 }, {}],
    ] as const) {
      test(`of a session that was ${whose} keeps ${JSON.stringify(kept)} where it is to keep the cart`, async () => {
        const app = await carried.start();
        const client = await carried.visitor(app, { ...values, cart: ["tea"], theme: "dark" });
        const { token } = client;
        await client.send(({ session }) =>
          session.signIn({ user_id: 1, team_ids: [7] }, { keep: ["cart"] }),
        );
        const data = { ...kept, user_id: 1, team_ids: [7] };
        expect(await client.data()).toEqual(data);
        expect(client.token).not.toBe(token);
        expect(await carried.client(app, token).data()).toEqual({});
        expect(await app.sessions.by("user_id", 1).size()).toBe(1);
        expect(await app.sessions.by("user_id", 2).size()).toBe(0);
      });
    }

    test("keeps a reference with its entries, and its own values before those it would keep", async () => {
      const app = await carried.start();
      const client = await carried.visitor(app, { team_ids: [7, 8], theme: "dark" });
      await client.send(({ session }) =>
        session.signIn({ user_id: 1, theme: "light" }, { keep: ["team_ids", "theme", "cart"] }),
      );
      expect(await client.data()).toEqual({ user_id: 1, team_ids: [7, 8], theme: "light" });
      expect(await app.sessions.by("team_ids", 7).size()).toBe(1);
      expect(await app.sessions.by("team_ids", 8).size()).toBe(1);
    });

    test("again as the same user kills a stolen copy, and gives fresh deadlines", async () => {
      const app = await carried.start({ sessions: { absoluteTimeout: "1 hour" } });
      const client = await carried.visitor(app, { user_id: 1, cart: ["tea"] });
      const stolen = carried.client(app, client.token);
      const deadline = async () => {
        const load: Handler = async ({ session }) =>
          (await session.load())?.absoluteDeadline?.getTime();
        return Number((await client.send(load)).value);
      };
      const before = await deadline();
      await app.under.elapse(1_000);
      await client.send(signIn);
      expect(await stolen.data()).toEqual({});
      expect(await client.data()).toEqual({ user_id: 1 });
      expect(await deadline()).toBeGreaterThanOrEqual(before + 1_000);
    });
  });
}

function making(carried: Carried): void {
  describe(`a sign-in by ${carried.name}`, () => {
    for (const [what, token] of [
      ["no token", () => undefined],
      ["an unknown token", () => UNKNOWN],
    ] as const) {
      test(`makes a session for a client that has ${what}`, async () => {
        const app = await carried.start();
        const client = carried.client(app, token());
        expect(carried.told(await client.send(signIn))).toBe("a token");
        expect(client.token).not.toBe(UNKNOWN);
        expect(await client.data()).toEqual({ user_id: 1 });
      });
    }

    for (const [what, end] of [
      ["a sign-out", ({ session }) => session.delete()],
      ["a sign-in", signIn],
      ["a sign-in of another user", ({ session }) => session.signIn({ user_id: 2 })],
    ] as [string, Handler][]) {
      for (const values of [{}, { user_id: 1 }]) {
        test(`makes a session also right after ${what}, by the old token of ${JSON.stringify(values)}`, async () => {
          const app = await carried.start();
          const client = await carried.visitor(app, { ...values, cart: ["tea"] });
          const late = carried.client(app, client.token);
          await client.send(end);
          const answer = await late.send(async ({ session }) => {
            await session.get();
            return session.signIn({ user_id: 1 }, { keep: ["cart"] });
          });
          expect([answer.status, carried.told(answer)]).toEqual([200, "a token"]);
          expect(await late.data()).toEqual({ user_id: 1 });
        });
      }
    }

    test("makes a session by a token of more than three rotations ago, and ends what it led to", async () => {
      const app = await carried.start();
      const client = await carried.visitor(app, { user_id: 1, cart: ["tea"] });
      const old = carried.client(app, client.token);
      for (let i = 0; i < 4; i++) {
        await client.send(({ session }) => session.rotate({}, { grace: "1 hour" }));
      }
      await old.send(({ session }) => session.signIn({ user_id: 1 }, { keep: ["cart"] }));
      expect(await old.data()).toEqual({ user_id: 1 });
      expect(await client.data()).toEqual({});
      expect(await app.sessions.by("user_id", 1).size()).toBe(1);
    });

    test("keeps to its own deadlines, null turning one off, and else to the usual ones", async () => {
      const app = await carried.start();
      const [HOUR, DAY] = [3_600_000, 86_400_000];
      for (const [deadlines, expected] of [
        [{}, [HOUR / 2, 28 * DAY]],
        [{ idleTimeout: "1 hour" }, [HOUR, 28 * DAY]],
        [{ absoluteTimeout: "2 hours" }, [HOUR / 2, 2 * HOUR]],
        [{ idleTimeout: null, absoluteTimeout: "2 hours" }, [2 * HOUR, 2 * HOUR]],
        [{ idleTimeout: "90 days", absoluteTimeout: null }, [90 * DAY, null]],
      ] as const) {
        const client = await carried.visitor(app);
        await client.send(({ session }) => session.signIn({ user_id: 1 }, deadlines));
        expect((await client.send(lifetimes)).value).toEqual(expected);
      }
    });
  });
}

function refusing(carried: Carried): void {
  describe(`a sign-in by ${carried.name}`, () => {
    for (const [what, values, options] of [
      ["values without the user", { theme: "dark" }, {}],
      ["no values", {}, {}],
      ["null for the user", { user_id: null }, {}],
      ["undefined for the user", { user_id: undefined }, {}],
      ["an empty list for the user", { user_id: [] }, {}],
      ["a team for the user", { team_ids: [7] }, {}],
      ["keep that names the user", { user_id: 1 }, { keep: ["user_id"] }],
      ["keep that is a word", { user_id: 1 }, { keep: "cart" }],
      ["both deadlines off", { user_id: 1 }, { idleTimeout: null, absoluteTimeout: null }],
      ["an option that is none", { user_id: 1 }, { ttl: 5 }],
      ["a carrier that is none", { user_id: 1 }, { carrier: "cookie" }],
    ] as const) {
      test(`refuses ${what}, without a round trip`, async () => {
        const app = await carried.start();
        const client = await carried.visitor(app, { user_id: 1, theme: "dark" });
        const operations = await app.recordOperations(async () => {
          const { error } = await client.send(({ session }) =>
            session.signIn(values as Data, options as object),
          );
          expect(error).toMatchObject({ code: "ERR_SESSION_CONFIG" });
        });
        expect(operations).toEqual([]);
        expect(await client.data()).toEqual({ user_id: 1, theme: "dark" });
      });
    }

    test("is refused where no reference says who the user is", async () => {
      const app = await carried.start({
        sessions: { references: { user_id: { identity: false } } },
      });
      const client = await carried.visitor(app, { cart: ["tea"] });
      const { error } = await client.send(signIn);
      expect(error).toMatchObject({ code: "ERR_SESSION_CONFIG" });
      expect(await client.data()).toEqual({ cart: ["tea"] });
    });

    test("that is too large with what it keeps changes nothing", async () => {
      const app = await carried.start({ sessions: { maxBytes: 60 } });
      const client = await carried.visitor(app, { cart: ["x".repeat(30)] });
      const answer = await client.send(({ session }) =>
        session.signIn({ user_id: 1, theme: "x".repeat(20) }, { keep: ["cart"] }),
      );
      expect([answer.status, carried.told(answer)]).toEqual([413, "nothing"]);
      expect(await client.data()).toEqual({ cart: ["x".repeat(30)] });
    });
  });
}

function within(carried: Carried): void {
  describe(`a sign-in by ${carried.name}`, () => {
    test("is what the later calls of its request see", async () => {
      const app = await carried.start();
      const client = await carried.visitor(app, { cart: ["tea"] });
      const { value } = await client.send(async ({ session }) => {
        const devices = (): Promise<SessionSet<Data> | null> => session.peers("user_id");
        const { token, session: made } = await session.signIn({ user_id: 1 });
        await session.set({ theme: "dark" });
        return {
          token,
          own: session.id === made.id && (await session.load())?.lineage === made.lineage,
          data: await session.get(),
          devices: await (await devices())?.ids().then((ids) => ids.length),
        };
      });
      const data = { user_id: 1, theme: "dark" };
      expect(value).toMatchObject({ own: true, data, devices: 1 });
      expect(await client.data()).toEqual(data);
    });

    test("twice in one request leaves the second", async () => {
      const app = await carried.start();
      const client = await carried.visitor(app, { cart: ["tea"] });
      await client.send(async ({ session }) => {
        await session.signIn({ user_id: 1 }, { keep: ["cart"] });
        return session.signIn({ user_id: 2 }, { keep: ["cart"] });
      });
      expect(await client.data()).toEqual({ user_id: 2 });
      expect(await app.sessions.by("user_id", 1).size()).toBe(0);
    });

    test("through an old token that expires meanwhile ends the session all the same", async () => {
      const app = await carried.start();
      const client = await carried.visitor(app, { user_id: 1 });
      const old = carried.client(app, client.token);
      await client.send(({ session }) => session.rotate({}, { grace: "4 seconds" }));
      await old.send(async ({ session }) => {
        await session.get();
        await app.under.elapse(4_005);
        return session.signIn({ user_id: 1 });
      });
      expect(await client.data()).toEqual({});
      expect(await old.data()).toEqual({ user_id: 1 });
      expect(await app.sessions.by("user_id", 1).size()).toBe(1);
    });
  });
}

function planted(start: Start): void {
  describe("a sign-in by a planted token", () => {
    test("is out of reach of the one who planted it, whatever is done with it", async () => {
      const app = await start();
      const attacker = await app.visitor({ cart: ["tea"] });
      const victim = app.browser(attacker.token);
      await victim.send(({ session }) => session.signIn({ user_id: 1 }, { keep: ["cart"] }));
      const operations: Handler[] = [
        ({ session }) => session.get(),
        ({ session }) => session.load(),
        ({ session }) => session.touch(),
        ({ session }) => session.unset(["cart"]),
        ({ session }) => session.unset(["user_id"]),
        ({ session }) => session.rotate(),
        ({ session }) => session.rotate({ user_id: 2 }),
        ({ session }) => session.rotate({}, { grace: 0 }),
        ({ session }) => session.peers("user_id", 1),
        ({ session }) => session.set({ cart: [] }),
        ({ session }) => session.set({ team_ids: [7] }),
        ({ session }) => session.changeCredentials("user_id"),
        ({ session }) => session.signOutOthers("user_id"),
        ({ session }) => session.signOutEverywhere("user_id"),
        ({ session }) => session.delete(),
      ];
      for (const operation of operations) {
        const answer = await attacker.send(operation);
        expect(answer.setCookies).toEqual([]);
        expect([{}, null, false, undefined]).toContainEqual(answer.value);
      }
      for (const mine of [
        ({ session }) => session.set({ user_id: 2 }),
        ({ session }) => session.signIn({ user_id: 2 }),
      ] as Handler[]) {
        const again = app.browser(attacker.token);
        await again.send(mine); // a session of its own
        expect(await again.data()).toEqual({ user_id: 2 });
      }
      expect(await victim.data()).toEqual({ cart: ["tea"], user_id: 1 });
      expect(await app.sessions.by("user_id", 1).size()).toBe(1);
    });
  });
}
