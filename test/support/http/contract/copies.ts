/* A copy of a token in the hands of a thief who renews the session before its owner ends it. */
import { describe, expect, test } from "vitest";
import type { Handler } from "../app.ts";
import { type Carried, carriers } from "../carried.ts";
import type { Start } from "./contract.ts";

/** A session's owner, and a thief with a copy of the token who has renewed it this many times. */
async function renewedByThief(carried: Carried, times: number, grace = "1 hour" as const) {
  const app = await carried.start();
  const owner = await carried.visitor(app, { user_id: 1 });
  const thief = carried.client(app, owner.token);
  const told: string[] = [];
  for (let i = 0; i < times; i++) {
    const answer = await thief.send(({ session }) => session.rotate({}, { grace }));
    told.push(answer.value === null ? "null" : carried.told(answer));
  }
  return { app, owner, thief, told };
}

const end: Handler = async ({ session }) => ({ ended: await session.delete() });

export function copies(start: Start): void {
  for (const carried of carriers(start)) {
    describe(`a copy that renews first, by ${carried.name},`, () => {
      for (const times of [1, 4, 10, 32]) {
        test(`is ended by its owner's delete after ${times} renewals`, async () => {
          const { app, owner, thief, told } = await renewedByThief(carried, times);
          expect(told).toEqual(Array(times).fill("a token"));
          const { token } = owner;
          const answer = await owner.send(end);
          expect(answer.value).toEqual({ ended: true });
          expect(carried.told(answer)).toBe(carried.ended);
          expect(await thief.data()).toEqual({});
          expect(await app.sessions.by("user_id", 1).size()).toBe(0);
          for (const each of [thief.token, token]) {
            const late = carried.client(app, each);
            const { error } = await late.send(({ session }) => session.set({ theme: "x" }));
            expect(error, "a tombstone").toMatchObject({ code: "ERR_SESSION_GONE" });
          }
        });
      }

      test("cannot renew a 33rd time: null, and nothing is done", async () => {
        const { app, owner, thief, told } = await renewedByThief(carried, 33);
        expect(told).toEqual([...Array(32).fill("a token"), "null"]);
        expect(await thief.data()).toEqual({ user_id: 1 });
        const answer = await owner.send(end);
        expect(answer.value).toEqual({ ended: true });
        expect(await thief.data()).toEqual({});
        expect(await app.sessions.by("user_id", 1).size()).toBe(0);
      });

      test("is ended by a sign-in of its owner, after any number of renewals", async () => {
        for (const times of [3, 4, 32]) {
          const { app, owner, thief } = await renewedByThief(carried, times);
          await owner.send(({ session }) => session.signIn({ user_id: 1 }));
          expect(await thief.data()).toEqual({});
          expect(await owner.data()).toEqual({ user_id: 1 });
          expect(await app.sessions.by("user_id", 1).size()).toBe(1);
        }
      });

      test("is ended by a change of password, a sign-out everywhere, and one of the others", async () => {
        for (const [verb, left] of [
          ["changeCredentials", 1],
          ["signOutEverywhere", 0],
          ["signOutOthers", 0],
        ] as const) {
          for (const times of [1, 3]) {
            const { app, owner, thief } = await renewedByThief(carried, times);
            const answer = await owner.send(({ session }) => session[verb]("user_id"));
            expect(answer.status, verb).toBe(200);
            expect(await thief.data(), verb).toEqual({});
            expect(await app.sessions.by("user_id", 1).size(), verb).toBe(left);
          }
        }
      });
    });

    describe(`through an old token, by ${carried.name},`, () => {
      for (const times of [1, 2, 3]) {
        test(`rotate without a grace time ends the session itself: after ${times} renewals`, async () => {
          const { app, owner, thief } = await renewedByThief(carried, times);
          const answer = await owner.send(async ({ session }) => {
            const rotated = await session.rotate({}, { grace: 0 });
            return { rotated, id: session.id };
          });
          expect(answer.value).toEqual({ rotated: { token: null, session: null }, id: null });
          expect(carried.told(answer)).toBe(carried.ended);
          expect(await thief.data()).toEqual({});
          const { error } = await thief.send(({ session }) => session.set({ theme: "x" }));
          expect(error, "a tombstone").toMatchObject({ code: "ERR_SESSION_GONE" });
          expect(await app.sessions.by("user_id", 1).size()).toBe(0);
        });

        test(`peers' clear that spares its own id ends the session, too: after ${times} renewals`, async () => {
          for (const name of ["id", "lineage", "old id"] as const) {
            const { app, owner, thief } = await renewedByThief(carried, times);
            await carried.visitor(app, { user_id: 1 });
            const answer = await owner.send(async ({ session }) => {
              const old = session.id;
              const { id, lineage } = (await session.load()) ?? {};
              const except = { id, lineage, "old id": old }[name] ?? "";
              return { ended: await (await session.peers("user_id"))?.clear({ except }) };
            });
            expect(answer.value).toEqual({ ended: 2 });
            expect(carried.told(answer)).toBe(carried.ended);
            const { error } = await thief.send(({ session }) => session.set({ theme: "x" }));
            expect(error, "a tombstone").toMatchObject({ code: "ERR_SESSION_GONE" });
            expect(await app.sessions.by("user_id", 1).size()).toBe(0);
          }
        });
      }

      test("of more than three renewals ago, both do nothing", async () => {
        const { owner, thief } = await renewedByThief(carried, 4);
        const answer = await owner.send(async ({ session }) => [
          await session.rotate({}, { grace: 0 }),
          await session.peers("user_id"),
        ]);
        expect([answer.value, carried.told(answer)]).toEqual([[null, null], "nothing"]);
        expect(await thief.data()).toEqual({ user_id: 1 });
      });
    });
  }
}
