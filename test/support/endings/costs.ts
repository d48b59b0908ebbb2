/* What it costs to listen, counted in calls of the store. */

import { expect } from "vitest";
import type { EndingCases } from "./cases.ts";
import { ADMIN, settle } from "./steps.ts";

export function costs({ describe, test, open, eventually }: EndingCases): void {
  describe("what onEnd costs", () => {
    test("is one look, and one subscription for all watches of a shard", async () => {
      const { sessions, calls } = open();
      // What else the process is about is under way then. Up to the second count the event loop takes no turn.
      await settle();
      const before = process.getActiveResourcesInfo().length;
      const offs: (() => Promise<void>)[] = [];
      let told = 0;
      for (let i = 0; i < 10_000; i++) {
        const { session } = await sessions.create({ user_id: i % 2 });
        offs.push(await sessions.onEnd(session.id, () => void told++));
      }
      expect(calls).toMatchObject({ create: 10_000, find: 10_000, subscribe: 1 });
      expect(process.getActiveResourcesInfo().length).toBeLessThanOrEqual(before);
      await sessions.by("user_id", 1).clear();
      await eventually("half of them", 5000, async () => told);
      expect(calls.stop).toBeUndefined();
      for (const off of offs) await off();
      expect(calls).toMatchObject({ find: 10_000, subscribe: 1, stop: 1 });
      await sessions.by("user_id", 0).clear();
      await settle();
      expect(told).toBe(5000);
    });

    test("is nothing for who doesn't listen", async () => {
      const { sessions, calls } = open();
      const { token } = await sessions.create({ user_id: 1 });
      await sessions.rotate(token);
      await sessions.by("user_id", 1).clear(ADMIN);
      expect(calls).toEqual({ create: 1, change: 1, endAll: 1 });
    });
  });
}
