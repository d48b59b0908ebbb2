/* What a user does about all devices at once: changes the password, or signs out of them. */
import { SessionError } from "session-sets";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import type { Handler } from "../app.ts";
import { type Carried, carriers } from "../carried.ts";
import type { Start } from "./contract.ts";

const changeCredentials: Handler = ({ session }) => session.changeCredentials("user_id");
const VERBS = ["changeCredentials", "signOutOthers", "signOutEverywhere"] as const;

/** A user's three devices, and a stranger. */
async function devices(carried: Carried) {
  const app = await carried.start();
  const [own, laptop, tablet, stranger] = [
    await carried.visitor(app, { user_id: 1, cart: ["tea"] }),
    await carried.visitor(app, { user_id: 1 }),
    await carried.visitor(app, { user_id: 1 }),
    await carried.visitor(app, { user_id: 2 }),
  ];
  return { app, own, others: [laptop, tablet], stranger };
}

export function credentials(start: Start): void {
  for (const carried of carriers(start)) {
    changing(carried);
    signingOut(carried);
    refusing(carried);
  }
}

function changing(carried: Carried): void {
  describe(`a change of password, by ${carried.name},`, () => {
    test("ends the other sessions, and gives this one a new token; the old one is dead", async () => {
      const { app, own, others, stranger } = await devices(carried);
      const before = await app.sessions.get(own.token);
      const { token } = own;
      const answer = await own.send(changeCredentials);
      expect([answer.value, carried.told(answer)]).toMatchObject([{ ended: 2 }, "a token"]);
      expect(answer.headers["cache-control"]).toBe("no-store");
      expect(own.token).not.toBe(token);
      expect(await own.data()).toEqual({ user_id: 1, cart: ["tea"] });
      const { id, ...same } = before ?? {};
      const { lineage, createdAt, absoluteDeadline } = { ...before };
      const after = await app.sessions.get(own.token);
      expect(after).toMatchObject({ lineage, createdAt, absoluteDeadline });
      expect([id === after?.id, Object.keys(same).length > 0]).toEqual([false, true]);
      for (const other of others) expect(await other.data()).toEqual({});
      expect(await stranger.data()).toEqual({ user_id: 2 });
      const copy = carried.client(app, token);
      expect(await copy.data()).toEqual({});
      for (const verb of [
        ({ session }) => session.set({ theme: "x" }),
        ({ session }) => session.set({ user_id: 1 }),
        changeCredentials,
      ] as Handler[]) {
        const { status, error } = await copy.send(verb);
        expect([status, error]).toMatchObject([409, { code: "ERR_SESSION_GONE" }]);
      }
      expect((await copy.send(({ session }) => session.rotate())).value).toBeNull();
      expect((await copy.send(({ session }) => session.delete())).value).toBe(false);
      expect(await own.data()).toEqual({ user_id: 1, cart: ["tea"] });
    });

    test("whose second step fails loses no token: it can be called again, or another be asked for", async () => {
      for (const again of ["calls again", "rotates"]) {
        const { app, own, others } = await devices(carried);
        const { store } = app.under;
        const spy = vi.spyOn(store, "endAll");
        onTestFinished(() => spy.mockRestore());
        spy.mockRejectedValueOnce(
          new SessionError("ERR_STORE_UNAVAILABLE", "down", { operation: "sign in" }),
        );
        const answer = await own.send(async ({ session }) => {
          const code = await session.changeCredentials("user_id").catch((error) => error.code);
          const given = await (again === "rotates"
            ? session.rotate()
            : session.changeCredentials("user_id"));
          return { code, ...given };
        });
        expect(answer.value).toMatchObject({ code: "ERR_STORE_UNAVAILABLE" });
        expect(await own.data()).toEqual({ user_id: 1, cart: ["tea"] });
        const alive = again === "rotates" ? { user_id: 1 } : {};
        for (const other of others) expect(await other.data()).toEqual(alive);
      }
    });

    for (const times of [1, 2, 3]) {
      test(`by a token of ${times} renewals ago kills all old tokens`, async () => {
        const { app, own, others } = await devices(carried);
        const tokens = [own.token];
        const late = carried.client(app, own.token);
        for (let i = 0; i < times; i++) {
          await own.send(({ session }) => session.rotate({}, { grace: "1 hour" }));
          tokens.push(own.token);
        }
        const answer = await late.send(changeCredentials);
        expect([answer.value, carried.told(answer)]).toMatchObject([{ ended: 2 }, "a token"]);
        expect(tokens).not.toContain(late.token);
        expect(await late.data()).toEqual({ user_id: 1, cart: ["tea"] });
        for (const token of tokens) {
          const copy = carried.client(app, token);
          expect(await copy.data()).toEqual({});
          const { status, error } = await copy.send(({ session }) => session.set({ theme: "x" }));
          expect([status, error]).toMatchObject([409, { code: "ERR_SESSION_GONE" }]);
        }
        for (const other of others) expect(await other.data()).toEqual({});
        expect(await app.sessions.by("user_id", 1).size()).toBe(1);
      });
    }

    test("by an old token that expires meanwhile is done all the same", async () => {
      const { app, own } = await devices(carried);
      const late = carried.client(app, own.token);
      await own.send(({ session }) => session.rotate({}, { grace: "4 seconds" }));
      const answer = await late.send(async (context) => {
        await context.session.get();
        await app.under.elapse(4_005);
        const work = changeCredentials(context);
        return work;
      });
      // Its own reference is looked up by the token's session, which the request has seen.
      expect([answer.status, carried.told(answer)]).toEqual([200, "a token"]);
      expect(await own.data()).toEqual({});
      expect(await late.data()).toEqual({ user_id: 1, cart: ["tea"] });
    });

    test("is what the later calls of its request see, and may be done again", async () => {
      const { app, own } = await devices(carried);
      const answer = await own.send(async ({ session }) => {
        await session.changeCredentials("user_id");
        await session.set({ theme: "dark" });
        const { token, ended } = await session.changeCredentials("user_id");
        return { token, ended, data: await session.get() };
      });
      const data = { user_id: 1, cart: ["tea"], theme: "dark" };
      expect(answer.value).toMatchObject({ ended: 0, data });
      expect(await own.data()).toEqual(data);
      expect(await app.sessions.by("user_id", 1).size()).toBe(1);
    });
  });
}

function signingOut(carried: Carried): void {
  describe(`a sign-out, by ${carried.name},`, () => {
    test("of the others ends them and keeps this session and its token", async () => {
      const { app, own, others, stranger } = await devices(carried);
      const { token } = own;
      const answer = await own.send(({ session }) => session.signOutOthers("user_id"));
      expect([answer.value, carried.told(answer)]).toEqual([2, "nothing"]);
      expect(own.token).toBe(token);
      expect(await own.data()).toEqual({ user_id: 1, cart: ["tea"] });
      for (const other of others) expect(await other.data()).toEqual({});
      expect(await stranger.data()).toEqual({ user_id: 2 });
      expect(await app.sessions.by("user_id", 1).size()).toBe(1);
    });

    test("of the others by an old token ends this session, too", async () => {
      const { app, own } = await devices(carried);
      const late = carried.client(app, own.token);
      await own.send(({ session }) => session.rotate());
      const answer = await late.send(({ session }) => session.signOutOthers("user_id"));
      expect(answer.value).toBe(3);
      expect(carried.told(answer)).toBe(carried.ended);
      expect(await own.data()).toEqual({});
      expect(await app.sessions.by("user_id", 1).size()).toBe(0);
    });

    for (const [how, times] of [
      ["", 0],
      [", by an old token, too", 1],
    ] as const) {
      test(`everywhere ends the others and then this session${how}`, async () => {
        const { app, own, others, stranger } = await devices(carried);
        const client = carried.client(app, own.token);
        for (let i = 0; i < times; i++) await own.send(({ session }) => session.rotate());
        const tokens = [client.token, own.token];
        const operations = await app.recordOperations(async () => {
          const answer = await client.send(({ session }) => session.signOutEverywhere("user_id"));
          expect([answer.value, carried.told(answer)]).toEqual([3, carried.ended]);
        });
        expect(operations).toEqual(["find", "endAll", "end"]);
        for (const each of [own, client, ...others]) expect(await each.data()).toEqual({});
        expect(await stranger.data()).toEqual({ user_id: 2 });
        for (const token of tokens) {
          const late = carried.client(app, token);
          const { status } = await late.send(({ session }) => session.set({ theme: "x" }));
          expect(status, "a tombstone").toBe(409);
        }
      });
    }

    test("everywhere whose others cannot be ended leaves the user signed in", async () => {
      const { app, own } = await devices(carried);
      const { endAll } = app.under.store;
      app.under.store.endAll = () => Promise.reject(new Error("lost"));
      const answer = await own.send(({ session }) => session.signOutEverywhere("user_id"));
      app.under.store.endAll = endAll;
      expect([answer.status, carried.told(answer)]).toEqual([500, "nothing"]);
      expect(await own.data()).toEqual({ user_id: 1, cart: ["tea"] });
    });
  });
}

function refusing(carried: Carried): void {
  describe.each(VERBS)(`%s, by ${carried.name},`, (verb) => {
    test("is ERR_SESSION_GONE where nobody is signed in, and ends nothing", async () => {
      const app = await carried.start();
      const other = await carried.visitor(app, { user_id: 1 });
      const nobody = await carried.visitor(app, { cart: ["tea"] });
      const ended = await carried.visitor(app, { user_id: 1 });
      await app.sessions.delete(ended.token);
      for (const client of [carried.client(app), nobody, ended]) {
        const answer = await client.send(({ session }) => session[verb]("user_id"));
        expect(answer.error).toMatchObject({ code: "ERR_SESSION_GONE", status: 409 });
        expect([answer.status, carried.told(answer)]).toEqual([409, "nothing"]);
      }
      expect(await other.data()).toEqual({ user_id: 1 });
      expect(await nobody.data()).toEqual({ cart: ["tea"] });
    });

    test("refuses what says nothing of the user, and what is no option, without a round trip", async () => {
      const app = await carried.start();
      const client = await carried.visitor(app, { user_id: 1, team_ids: [7] });
      const operations = await app.recordOperations(async () => {
        for (const [field, options] of [
          ["team_ids", {}],
          ["theme", {}],
          ["nothing", {}],
          ["user_id", { except: "x" }],
          ["user_id", { grace: 0 }],
          ["user_id", { replicas: -1 }],
        ] as const) {
          const answer = await client.send(({ session }) =>
            session[verb](field as "user_id", options as object),
          );
          expect(answer.error, field).toMatchObject({ code: "ERR_SESSION_CONFIG" });
          expect(carried.told(answer)).toBe("nothing");
        }
      });
      expect(operations).toEqual([]);
      expect(await client.data()).toEqual({ user_id: 1, team_ids: [7] });
    });

    test("takes one of several values, which has to be named", async () => {
      const app = await carried.start();
      const client = await carried.visitor(app, { user_id: [1, 2] } as object);
      const [first, second] = [
        await carried.visitor(app, { user_id: 1 }),
        await carried.visitor(app, { user_id: 2 }),
      ];
      const unnamed = await client.send(({ session }) => session[verb]("user_id"));
      expect(unnamed.error).toMatchObject({ code: "ERR_SESSION_VALUE" });
      const none = await client.send(({ session }) => session[verb]("user_id", { value: 3 }));
      expect(none.error).toMatchObject({ code: "ERR_SESSION_GONE" });
      expect(await client.data()).toEqual({ user_id: [1, 2] });
      expect(
        (await client.send(({ session }) => session[verb]("user_id", { value: 2 }))).status,
      ).toBe(200);
      expect(await first.data()).toEqual({ user_id: 1 });
      expect(await second.data()).toEqual({});
    });
  });
}
