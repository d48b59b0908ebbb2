/* What happens to a session while a watch of it begins. */

import { expect } from "vitest";
import type { EndingCases } from "./cases.ts";
import { ADMIN, settle, watch } from "./steps.ts";

export function beginning({ describe, test, open, eventually }: EndingCases): void {
  describe("while a watch begins", () => {
    /** Does something between two steps of the call: before or after the store looks the session up. */
    function openBetween(step: "before" | "after") {
      const between = { run: async (): Promise<unknown> => undefined };
      const opened = open(() => ({
        async find(id, options) {
          const { run } = between;
          between.run = async () => undefined;
          if (step === "before") await run();
          const found = await opened.memory.find(id, options);
          if (step === "after") await run();
          return found;
        },
      }));
      return { ...opened, between };
    }

    for (const [step, by, how] of [
      ["before", "id", "delete"],
      ["after", "id", "delete"],
      ["before", "lineage", "delete"],
      ["after", "lineage", "delete"],
      ["before", "old id", "unknown"], // it leads nowhere once its session has ended
      ["after", "old id", "delete"],
    ] as const) {
      test(`an ending ${step} the look, by the session's ${by}, is told as ${how}`, async () => {
        const { sessions, between } = openBetween(step);
        const { token, session } = await sessions.create({ user_id: 1 });
        const { lineage } = session;
        const ids = [lineage];
        let last: string | undefined = token;
        for (let rotations = { id: 0, lineage: 1, "old id": 2 }[by]; rotations > 0; rotations--) {
          const rotated = await sessions.rotate(last);
          last = rotated?.token ?? "";
          ids.push(rotated?.session?.id ?? "");
        }
        between.run = async () => {
          await sessions.byId(lineage).delete(ADMIN);
          await settle();
        };
        const { told } = await watch(sessions, ids[by === "old id" ? 1 : 0] ?? "");
        await eventually("it", 1, async () => told.length);
        const id = ids.at(-1);
        expect(told).toMatchObject([how === "delete" ? { id, lineage, how, ...ADMIN } : { how }]);
      });
    }

    for (const step of ["before", "after"] as const) {
      test(`a rotation for good ${step} the look is followed`, async () => {
        const { sessions, between } = openBetween(step);
        const { token } = await sessions.create({ user_id: 1 });
        const second = await sessions.rotate(token, {}, { grace: 0 });
        let third: typeof second = null;
        between.run = async () => {
          third = await sessions.rotate(second?.token, { user_id: 1 });
          await settle();
        };
        const { told } = await watch(sessions, second?.session?.id ?? "");
        await settle();
        expect(told).toEqual([]);
        await sessions.delete((third as typeof second)?.token);
        await eventually("it", ["delete"], async () => told.map(({ how }) => how));
      });
    }

    for (const step of ["before", "after"] as const) {
      test(`a deadline that is brought forward ${step} the look counts`, async () => {
        const { sessions, between, clock } = openBetween(step);
        const { token, session } = await sessions.create({ user_id: 1 }, { idleTimeout: "1 hour" });
        between.run = async () => {
          await sessions.touch(token, { idleTimeout: 30 });
          await settle();
        };
        const { told } = await watch(sessions, session.id);
        clock.now += 31;
        await eventually("it", ["expire"], async () => told.map(({ how }) => how));
      });
    }

    test("a gap has the session looked up again", async () => {
      const { sessions, between, listeners, memory } = openBetween("after");
      const { session } = await sessions.create({ user_id: 1 });
      between.run = async () => {
        for (const one of listeners) one.onEvent = () => {};
        await memory.end(session.id);
        await settle();
        for (const one of listeners) {
          Reflect.deleteProperty(one, "onEvent");
          one.onGap();
        }
      };
      const { told } = await watch(sessions, session.id);
      await eventually("it", ["unknown"], async () => told.map(({ how }) => how));
    });

    test("a store that does not answer rejects the call, and nothing is watched", async () => {
      const { sessions, between, calls } = openBetween("before");
      const { token, session } = await sessions.create({ user_id: 1 });
      between.run = () => Promise.reject(new Error("down"));
      await expect(watch(sessions, session.id)).rejects.toThrowError("down");
      expect(calls).toMatchObject({ subscribe: 1, stop: 1 });
      const { told } = await watch(sessions, session.id);
      await sessions.delete(token);
      await eventually("it", 1, async () => told.length);
    });

    test("a subscription that fails rejects all who wait for it, and is tried again", async () => {
      let isDown = true;
      const opened = open((store) => ({
        async subscribe(id, listener) {
          if (isDown) throw new Error("no rights");
          return store.subscribe(id, listener);
        },
      }));
      const { sessions, calls } = opened;
      const { token, session } = await sessions.create({ user_id: 1 });
      const both = [watch(sessions, session.id), watch(sessions, session.id)];
      for (const one of both) await expect(one).rejects.toThrowError("no rights");
      expect(calls.subscribe).toBe(1);
      isDown = false;
      const { told } = await watch(sessions, session.id);
      await sessions.delete(token);
      await eventually("it", 1, async () => told.length);
    });

    test("close ends it, silently", async () => {
      const { sessions, between, calls } = openBetween("after");
      const { session } = await sessions.create({ user_id: 1 });
      between.run = () => sessions.close();
      const { told, off } = await watch(sessions, session.id);
      await settle();
      expect(told).toEqual([]);
      expect(calls.stop).toBe(1);
      await off();
    });
  });
}
