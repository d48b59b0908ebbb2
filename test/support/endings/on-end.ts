/* How endings are told, on the memory store, whose clock is the test's. */

import type { Ending } from "session-sets";
import { expect } from "vitest";
import type { EndingCases } from "./cases.ts";
import { ADMIN, catchUncaught, NONE, settle, watch } from "./steps.ts";

export function onEnd({ describe, test, open, eventually }: EndingCases): void {
  describe("onEnd tells", () => {
    test("how, when, by whom and why a session ended, once", async () => {
      const { sessions, clock } = open();
      const { token, session } = await sessions.create({ user_id: 1 });
      const { id } = session;
      const { told } = await watch(sessions, id);
      clock.now += 1000;
      await sessions.delete(token, ADMIN);
      await sessions.delete(token);
      await eventually("it", 1, async () => told.length);
      await settle();
      expect(told).toEqual([{ id, lineage: id, at: new Date(clock.now), how: "delete", ...ADMIN }]);
    });

    test("every way in which a call can end a session, with its cause", async () => {
      const { sessions, clock } = open();
      const endByTrim = async () => {
        clock.now++;
        await sessions.create({ user_id: 1 });
        await sessions.by("user_id", 1).trim({ keep: 1, ...ADMIN });
      };
      const cases: [string, (token: string, id: string) => Promise<unknown>][] = [
        ["delete", (token) => sessions.delete(token, ADMIN)],
        ["delete", (_, id) => sessions.byId(id).delete(ADMIN)],
        ["delete", (_, id) => sessions.by("user_id", 1).delete(id, ADMIN)],
        ["clear", () => sessions.by("user_id", 1).clear(ADMIN)],
        ["trim", () => endByTrim()],
        ["sign-in", (token) => sessions.signIn(token, { user_id: 1 }, ADMIN)],
        ["sign-in", (token) => sessions.rotate(token, { user_id: 2 }, ADMIN)],
        ["delete", (token) => sessions.rotate(token, { user_id: null as never }, ADMIN)],
      ];
      for (const [how, end] of cases) {
        const { token, session } = await sessions.create({ user_id: 1 });
        const { told } = await watch(sessions, session.id);
        await end(token, session.id);
        await eventually(`${how} by ${end}`, [{ how, ...ADMIN }], async () =>
          told.map((one) => ({ how: one.how, initiator: one.initiator, reason: one.reason })),
        );
      }
    });

    test("half a cause where only that was given", async () => {
      for (const half of [{ initiator: "admin" }, { reason: "stolen laptop" }] as const) {
        const { sessions } = open();
        const { token, session } = await sessions.create({ user_id: 1 });
        const { told } = await watch(sessions, session.id);
        await sessions.delete(token, half);
        await eventually("it", [{ ...NONE, ...half }], async () =>
          told.map(({ initiator, reason }) => ({ initiator, reason })),
        );
      }
    });

    test("that an old token has ended the session by rotating without a grace time", async () => {
      const { sessions } = open();
      const { token, session } = await sessions.create({ user_id: 1 });
      await sessions.rotate(token);
      const { told } = await watch(sessions, session.lineage);
      await sessions.rotate(token, {}, { grace: 0, ...ADMIN });
      await eventually("it", ["delete"], async () => told.map(({ how }) => how));
      expect(told).toMatchObject([{ lineage: session.lineage, ...ADMIN }]);
    });

    test("by an id, a lineage or an old id, and over all rotations", async () => {
      const { sessions } = open();
      const { token, session } = await sessions.create({ user_id: 1 });
      const second = await sessions.rotate(token);
      const names = [session.id, second?.session?.id ?? ""];
      const watches = await Promise.all(names.map((name) => watch(sessions, name)));
      const third = await sessions.rotate(second?.token, {}, { grace: 0 });
      const fourth = await sessions.rotate(third?.token, { user_id: 1 });
      await settle();
      expect(watches.flatMap(({ told }) => told)).toEqual([]);
      await sessions.delete(fourth?.token);
      for (const { told } of watches) {
        await eventually("it", 1, async () => told.length);
        expect(told).toMatchObject([
          { lineage: session.id, id: fourth?.session?.id, how: "delete" },
        ]);
      }
    });

    test("that a session was gone before, as unknown, and not before onEnd has resolved", async () => {
      const { sessions, calls } = open();
      const { token, session } = await sessions.create({ user_id: 1 });
      await sessions.delete(token);
      let isResolved = false;
      const told: [Ending, boolean][] = [];
      const off = await sessions.onEnd(
        session.id,
        (ending) => void told.push([ending, isResolved]),
      );
      isResolved = true;
      await eventually("it", 1, async () => told.length);
      const { id } = session;
      expect(told).toEqual([
        [{ id, lineage: id, at: expect.any(Date), how: "unknown", ...NONE }, true],
      ]);
      expect(calls.stop).toBe(1);
      await off();
      expect(calls.stop).toBe(1);
    });

    test("each callback of one session, but none that was stopped", async () => {
      const { sessions, calls } = open();
      const { token, session } = await sessions.create({ user_id: 1 });
      const watches = [await watch(sessions, session.id), await watch(sessions, session.id)];
      const stopped = await watch(sessions, session.id);
      await stopped.off();
      await stopped.off();
      expect(calls.stop).toBeUndefined();
      await sessions.delete(token);
      for (const { told } of watches) await eventually("it", 1, async () => told.length);
      await settle();
      expect(stopped.told).toEqual([]);
      expect(calls.stop).toBe(1);
    });

    test("a later callback, also where an earlier one is stopped twice", async () => {
      const { sessions } = open();
      const { token, session } = await sessions.create({ user_id: 1 });
      const stopped = await watch(sessions, session.id);
      await stopped.off();
      const { told } = await watch(sessions, session.id);
      await stopped.off();
      await sessions.delete(token);
      await eventually("it", 1, async () => told.length);
      expect(stopped.told).toEqual([]);
    });

    test("no callback that is stopped after the session ended, and before it is called", async () => {
      const { sessions } = open();
      const { token, session } = await sessions.create({ user_id: 1 });
      const { told, off } = await watch(sessions, session.id);
      const ended = sessions.delete(token);
      const stopped = off();
      await Promise.all([ended, stopped]);
      await settle();
      expect(told).toEqual([]);
    });

    test("no callback that another one stops", async () => {
      const { sessions } = open();
      const { token, session } = await sessions.create({ user_id: 1 });
      const told: string[] = [];
      const offs: (() => Promise<void>)[] = [];
      for (const name of ["first", "second"]) {
        const off = await sessions.onEnd(session.id, () => {
          told.push(name);
          for (const stop of offs) void stop();
        });
        offs.push(off);
      }
      await sessions.delete(token);
      await settle();
      expect(told).toEqual(["first"]);
    });

    test("nothing of other sessions of the same user", async () => {
      const { sessions } = open();
      const { session } = await sessions.create({ user_id: 1 });
      const { told } = await watch(sessions, session.id);
      await sessions.create({ user_id: 1 });
      await sessions.by("user_id", 1).clear({ except: session.id });
      await settle();
      expect(told).toEqual([]);
    });
  });

  describe("a callback of onEnd", () => {
    test("that throws is an uncaught exception, and stops no other", async () => {
      const { sessions } = open();
      const { token, session } = await sessions.create({ user_id: 1 });
      const errors = catchUncaught();
      const first = await watch(sessions, session.id);
      await sessions.onEnd(session.id, () => {
        throw new Error("mine");
      });
      const last = await watch(sessions, session.id);
      const other = await sessions.create({ user_id: 1 });
      const then = await watch(sessions, other.session.id);
      await sessions.delete(token);
      await sessions.delete(other.token);
      for (const { told } of [first, last, then]) {
        await eventually("it", 1, async () => told.length);
      }
      await eventually("the error", ["mine"], async () =>
        errors.map((one) => (one as Error).message),
      );
    });

    test("runs outside of the call that ended the session", async () => {
      const { sessions } = open();
      const { token, session } = await sessions.create({ user_id: 1 });
      let isDone = false;
      const told: boolean[] = [];
      await sessions.onEnd(session.id, () => void told.push(isDone));
      await sessions.delete(token).then(() => {
        isDone = true;
      });
      await eventually("it", [true], async () => told);
    });
  });

  test("close ends all watches, and tells none of them", async () => {
    const { sessions, calls, listeners } = open();
    const { session } = await sessions.create({ user_id: 1 }, { idleTimeout: 20 });
    const { told, off } = await watch(sessions, session.id);
    await sessions.close();
    expect(calls.stop).toBe(1);
    expect(listeners.size).toBe(0);
    await settle();
    await settle();
    expect(calls.find).toBe(1); // no timer is left
    expect(told).toEqual([]);
    await off();
  });
}
