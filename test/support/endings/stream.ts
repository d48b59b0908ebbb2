/* The endings of all sessions, in a loop. */

import { expect } from "vitest";
import type { EndingCases } from "./cases.ts";
import { ADMIN, settle } from "./steps.ts";

export function stream({ describe, test, open, eventually }: EndingCases): void {
  describe("endings gives", () => {
    test("the endings of all sessions, in order, without those that expire", async () => {
      const { sessions, clock, listeners } = open();
      const given: unknown[] = [];
      const loop = (async () => {
        for await (const ending of sessions.endings()) given.push(ending);
      })();
      await eventually("the subscription", 1, async () => listeners.size);
      const first = await sessions.create({ user_id: 1 });
      await sessions.create({ user_id: 2 }, { idleTimeout: 10 });
      const rotated = await sessions.rotate(first.token);
      clock.now += 11;
      const second = await sessions.create({ user_id: 1 });
      await sessions.delete(second.token, ADMIN);
      await sessions.by("user_id", 1).clear({ reason: "reset" });
      await eventually("both", 2, async () => given.length);
      const at = new Date(clock.now);
      const [{ id }, lineage] = [second.session, first.session.lineage];
      expect(given).toEqual([
        { id, lineage: id, at, how: "delete", ...ADMIN },
        {
          id: rotated?.session?.id,
          lineage,
          at,
          how: "clear",
          initiator: null,
          reason: "reset",
        },
      ]);
      await sessions.close();
      await loop;
    });

    test("a gap where something may have been missed", async () => {
      const { sessions, listeners } = open();
      const endings = sessions.endings();
      const next = endings.next();
      await eventually("the subscription", 1, async () => listeners.size);
      for (const listener of listeners) listener.onGap();
      expect(await next).toEqual({ done: false, value: { how: "gap", at: expect.any(Date) } });
      await endings.return();
    });

    test("a gap where the loop is 10,000 behind, and then what came after", async () => {
      const { sessions, listeners } = open();
      const endings = sessions.endings();
      const next = endings.next();
      await eventually("the subscription", 1, async () => listeners.size);
      for (let i = 0; i < 10_002; i++) {
        const { token } = await sessions.create({ theme: String(i) });
        await sessions.delete(token, { reason: String(i) });
      }
      await settle();
      expect((await next).value).toMatchObject({ reason: "0" });
      expect((await endings.next()).value).toEqual({ how: "gap", at: expect.any(Date) });
      expect((await endings.next()).value).toMatchObject({ reason: "10001" });
      await endings.return();
    });

    test("nothing after break, and the subscription ends", async () => {
      const { sessions, listeners } = open();
      const loop = (async () => {
        for await (const _ of sessions.endings()) break;
      })();
      await eventually("the subscription", 1, async () => listeners.size);
      const { token } = await sessions.create({});
      await sessions.delete(token);
      await loop;
      expect(listeners.size).toBe(0);
    });

    test("its end at once where it is returned or closed while it waits", async () => {
      for (const how of ["return", "close"] as const) {
        const { sessions, listeners } = open();
        const endings = sessions.endings();
        const next = endings.next();
        await eventually("the subscription", 1, async () => listeners.size);
        if (how === "return") await endings.return();
        else await sessions.close();
        expect(await next).toEqual({ done: true, value: undefined });
        expect(await endings.next()).toEqual({ done: true, value: undefined });
        expect(listeners.size).toBe(0);
      }
    });
  });
}
