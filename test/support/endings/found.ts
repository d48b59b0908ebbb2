/* Endings that are found by looking: at a deadline, and where something was missed. */

import { expect } from "vitest";
import type { EndingCases } from "./cases.ts";
import { Gate, NONE, type Opened, settle, watch } from "./steps.ts";

export function found({ describe, test, open, eventually }: EndingCases): void {
  describe("a deadline", () => {
    test("that passes is told as expire, at the deadline", async () => {
      const { sessions, clock } = open();
      const { session } = await sessions.create({ user_id: 1 }, { idleTimeout: 30 });
      const { told } = await watch(sessions, session.id);
      clock.now += 31;
      await eventually("it", 1, async () => told.length);
      const { id, expiresAt } = session;
      expect(told).toEqual([{ id, lineage: id, at: expiresAt, how: "expire", ...NONE }]);
    });

    test("that was moved meanwhile is looked up again, once each time it seems to pass", async () => {
      const { sessions, clock, calls } = open();
      const { token, session } = await sessions.create({ user_id: 1 }, { idleTimeout: 40 });
      const { told } = await watch(sessions, session.id);
      const before = calls.find ?? 0;
      clock.now += 30;
      expect(await sessions.touch(token)).toBe(true);
      clock.now += 15; // past the deadline that is known, and not past the present one
      await eventually("a look", before + 1, async () => calls.find);
      await settle();
      expect(told).toEqual([]);
      clock.now += 30;
      await eventually("it", ["expire"], async () => told.map(({ how }) => how));
      expect(told[0]?.at).toEqual(new Date(session.expiresAt.getTime() + 30));
    });

    test("of a rotated session is told with its last id", async () => {
      const { sessions, clock } = open();
      const { token, session } = await sessions.create({ user_id: 1 }, { idleTimeout: "1 hour" });
      const { told } = await watch(sessions, session.id);
      const rotated = await sessions.rotate(token);
      await settle();
      // Only now near: a look at a deadline that a busy machine let pass would find the last id, too.
      await sessions.touch(rotated?.token as string, { idleTimeout: 30 });
      clock.now += 31;
      await eventually("it", 1, async () => told.length);
      const { lineage } = session;
      expect(told).toMatchObject([{ id: rotated?.session?.id, lineage, how: "expire" }]);
    });

    test("that is brought forward is told when it has passed, not at the old one", async () => {
      const { sessions, clock, calls } = open();
      const { token, session } = await sessions.create({ user_id: 1 }, { idleTimeout: "1 hour" });
      const { told } = await watch(sessions, session.id);
      const before = calls.find ?? 0;
      expect(await sessions.touch(token, { idleTimeout: 30 })).toBe(true);
      clock.now += 31;
      await eventually("it", ["expire"], async () => told.map(({ how }) => how));
      expect(told[0]?.at).toEqual(new Date(clock.now - 1));
      expect(calls.find).toBe(before + 1); // the feed tells to when, so one look is enough
    });

    test("that is brought forward and put off again is looked up, and not told", async () => {
      const { sessions, clock, calls } = open();
      const { token, session } = await sessions.create({ user_id: 1 }, { idleTimeout: "1 hour" });
      const { told } = await watch(sessions, session.id);
      const before = calls.find ?? 0;
      await sessions.touch(token, { idleTimeout: 30 });
      await sessions.touch(token, { idleTimeout: "1 hour" });
      clock.now += 40;
      await eventually("a look", before + 1, async () => calls.find);
      await settle();
      expect(told).toEqual([]);
      expect(calls.find).toBe(before + 1);
      await sessions.touch(token, { idleTimeout: 30 });
      clock.now += 31;
      await eventually("it", ["expire"], async () => told.map(({ how }) => how));
    });

    test("that is brought forward during a look counts, whatever the look has found", async () => {
      const gate = new Gate();
      const opened = open(() => ({
        async find(id, options) {
          const found = await opened.memory.find(id, options);
          await gate.pass();
          return found;
        },
      }));
      const { sessions, clock, listeners } = opened;
      const { token, session } = await sessions.create({ user_id: 1 }, { idleTimeout: "1 hour" });
      const { told } = await watch(sessions, session.id);
      gate.shut();
      for (const listener of listeners) listener.onGap();
      await eventually("a look", 1, async () => gate.waiting);
      await sessions.touch(token, { idleTimeout: 30 });
      await settle();
      gate.open();
      gate.release();
      await settle();
      clock.now += 31;
      await eventually("it", ["expire"], async () => told.map(({ how }) => how));
    });

    test("further away than a timer can be set does not ring at once", async () => {
      const { sessions, calls } = open();
      const { session } = await sessions.create(
        { user_id: 1 },
        { idleTimeout: null, absoluteTimeout: "1 year" },
      );
      const { told } = await watch(sessions, session.id);
      await settle();
      expect(told).toEqual([]);
      expect(calls.find).toBe(1);
    });

    test("does not keep the process alive", async () => {
      const { sessions } = open();
      const before = process.getActiveResourcesInfo().filter((one) => one === "Timeout").length;
      const { session } = await sessions.create({ user_id: 1 });
      await watch(sessions, session.id);
      const after = process.getActiveResourcesInfo().filter((one) => one === "Timeout").length;
      expect(after).toBe(before);
    });
  });

  describe("a gap in what the store tells", () => {
    /** Ends a session so that nobody is told of it. */
    async function endUnheard({ memory, listeners }: Opened, id: string) {
      const all = [...listeners];
      const events: unknown[] = [];
      for (const one of all) one.onEvent = (event) => events.push(event);
      await memory.end(id);
      await settle();
      for (const one of all) Reflect.deleteProperty(one, "onEvent");
      expect(events).toHaveLength(all.length);
    }

    test("has every watched session looked up, and one that is gone told as unknown", async () => {
      const opened = open();
      const { sessions, listeners } = opened;
      const [gone, alive] = [
        await sessions.create({ user_id: 1 }),
        await sessions.create({ user_id: 1 }),
      ];
      const watches = [
        await watch(sessions, gone.session.id),
        await watch(sessions, alive.session.id),
      ];
      await endUnheard(opened, gone.session.id);
      expect(watches[0]?.told).toEqual([]);
      for (const listener of listeners) listener.onGap();
      await eventually("it", 1, async () => watches[0]?.told.length);
      expect(watches[0]?.told).toMatchObject([
        { lineage: gone.session.id, how: "unknown", ...NONE },
      ]);
      expect(watches[1]?.told).toEqual([]);
      await sessions.delete(alive.token);
      await eventually("the other", ["delete"], async () => watches[1]?.told.map(({ how }) => how));
    });

    test("is survived by a watch whose session was rotated meanwhile", async () => {
      const opened = open();
      const { sessions, listeners } = opened;
      const { token, session } = await sessions.create({ user_id: 1 });
      const { told } = await watch(sessions, session.id);
      for (const one of listeners) one.onEvent = () => {};
      const rotated = await sessions.rotate(token, { user_id: 1 });
      await settle();
      for (const one of listeners) Reflect.deleteProperty(one, "onEvent");
      for (const listener of listeners) listener.onGap();
      await settle();
      expect(told).toEqual([]);
      await sessions.delete(rotated?.token);
      await eventually("it", ["delete"], async () => told.map(({ how }) => how));
    });

    test("has each session looked up until the store answers", async () => {
      let failures = 3;
      const opened = open(() => ({
        async find(id, options) {
          if (isLooking && failures-- > 0) throw new Error("down");
          return opened.memory.find(id, options);
        },
      }));
      let isLooking = false;
      const { sessions, listeners } = opened;
      const { session } = await sessions.create({ user_id: 1 });
      const { told } = await watch(sessions, session.id);
      await endUnheard(opened, session.id);
      isLooking = true;
      for (const listener of listeners) listener.onGap();
      await eventually("it", ["unknown"], async () => told.map(({ how }) => how));
      expect(failures).toBeLessThan(0);
    });

    test("that comes during a look has the session looked up once more", async () => {
      const gate = new Gate();
      const opened = open(() => ({
        async find(id, options) {
          const found = await opened.memory.find(id, options);
          await gate.pass();
          return found;
        },
      }));
      const { sessions, listeners } = opened;
      const { session } = await sessions.create({ user_id: 1 });
      const { told } = await watch(sessions, session.id);
      gate.shut();
      for (const listener of listeners) listener.onGap();
      await eventually("a look", 1, async () => gate.waiting);
      await endUnheard(opened, session.id); // the look has found it alive
      for (const listener of listeners) listener.onGap();
      gate.open();
      gate.release();
      await eventually("it", ["unknown"], async () => told.map(({ how }) => how));
    });

    test("is nothing to who stops listening during the look, nor to who begins then", async () => {
      const gate = new Gate();
      const opened = open(() => ({
        async find(id, options) {
          await gate.pass();
          return opened.memory.find(id, options);
        },
      }));
      const { sessions, listeners } = opened;
      const { session } = await sessions.create({ user_id: 1 });
      const stopped = await watch(sessions, session.id);
      gate.shut();
      for (const listener of listeners) listener.onGap();
      await eventually("a look", 1, async () => gate.waiting);
      await stopped.off();
      gate.open();
      const begun = await watch(sessions, session.id);
      await endUnheard(opened, session.id);
      gate.release(); // for the look of the one that has stopped
      await settle();
      for (const listener of listeners) listener.onGap();
      await eventually("it", ["unknown"], async () => begun.told.map(({ how }) => how));
      expect(stopped.told).toEqual([]);
    });

    test("looks only a few sessions up at once", async () => {
      let [running, most] = [0, 0];
      const opened = open(() => ({
        async find(id, options) {
          most = Math.max(most, ++running);
          await new Promise((resolve) => setImmediate(resolve));
          running--;
          return opened.memory.find(id, options);
        },
      }));
      const { sessions, listeners, calls } = opened;
      for (let i = 0; i < 100; i++) {
        await watch(sessions, (await sessions.create({ user_id: 1 })).session.id);
      }
      const before = calls.find ?? 0;
      most = 0;
      for (const listener of listeners) listener.onGap();
      await eventually("all looks", before + 100, async () => calls.find);
      expect(most).toBe(16);
    });
  });
}
