/*
 * The costs of each operation on a session set (docs/design.md, "Costs"): the commands as a proxy in front of a real server
 * sees them, and the round trips they take.
 */
import type { Session, Sessions } from "session-sets";
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { redisUrl } from "../../support/redis/shared.ts";
import {
  type Cost,
  type Data,
  iterate,
  type Meter,
  openMeter,
  openSessions,
  warmUp,
} from "../../support/stores/costs.ts";
import { clients } from "../../support/stores/stores.ts";

const HOUR = 3_600_000;

describe.each(Object.entries(clients))("with %s", (_kind, connect) => {
  let meter: Meter;
  const expectCost: Meter["expectCost"] = (...of) => meter.expectCost(...of);
  beforeAll(async () => {
    meter = await openMeter(redisUrl(), connect);
  });
  afterAll(() => meter.close());

  describe.each([1, 4])("and %i shard(s)", (shards) => {
    let sessions: Sessions<Data>;
    let session: Session<Data>;
    beforeAll(async () => {
      sessions = openSessions(meter.client, shards);
      await warmUp(sessions);
    });
    beforeEach(async () => {
      await sessions.by("user_id", 1).clear();
      const made = await sessions.create({ user_id: 1, team_ids: [1, 2, 3], theme: "dark" });
      session = made.session;
    });

    test("size takes one command a shard, in one round trip", async () => {
      await expectCost(() => sessions.by("user_id", 1).size(), shards, 1);
      await expectCost(() => sessions.by("user_id", 404).size(), shards, 1);
    });

    test("where there is none, the set of the other type is looked at in the same command", async () => {
      const warning = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
      const asked = sessions as Sessions<object> as Sessions<{ user_id?: string }>;
      for (const set of [asked.by("user_id", "1"), asked.by("user_id", "404")]) {
        await expectCost(() => set.size(), shards, 1);
        await expectCost(() => set.list(), shards, 1);
        await expectCost(() => set.clear(), shards, 1);
      }
      expect(await sessions.by("user_id", 1).size()).toBe(1);
      warning.mockRestore();
    });

    test("clear but one takes one command a shard, also by a lineage", async () => {
      const { token, session: kept } = await sessions.create({ user_id: 1 });
      await sessions.rotate(token, {}, { grace: 0 });
      const set = sessions.by("user_id", 1);
      await expectCost(() => set.clear({ except: kept.lineage }), shards, 1);
      expect(await set.size()).toBe(1);
    });

    test("a set of one page takes one command a shard, in one round trip", async () => {
      const set = sessions.by("user_id", 1);
      for (let i = 0; i < 20; i++) await sessions.create({ user_id: 1 });
      await expectCost(() => set.list(), shards, 1);
      const page = await set.list({ limit: 7 });
      await expectCost(() => set.list({ limit: 7, after: page.at(-1) }), shards, 1);
      await expectCost(() => set.ids(), shards, 1);
      await expectCost(() => iterate(set), shards, 1);
      await expectCost(() => set.set({ theme: "light" }), shards, 1);
      await expectCost(() => set.unset(["theme"]), shards, 1);
      await expectCost(() => set.clear({ except: session.id }), shards, 1);
      await expectCost(() => set.clear(), shards, 1);
      await expectCost(() => set.clear(), shards, 1);
    });

    test("a large set takes one command a page and shard, one round trip a page", async () => {
      const set = sessions.by("user_id", 1);
      const perShard = await fill(sessions, 620);
      const most = Math.max(...perShard);
      const pages = (size: number) => ({
        commands: perShard.reduce((sum, count) => sum + Math.ceil(count / size), 0),
        roundTrips: Math.ceil(most / size),
      });
      await expectCost(() => set.size(), shards, 1);
      await expectCost(() => set.list(), shards, 1);
      await expectCost(() => set.list({ limit: 500 }), shards, 1);
      const page = await set.list({ limit: 100 });
      for (const limit of [1, 100, 500]) {
        await expectCost(() => set.list({ limit, after: page.at(-1) }), shards, 1);
      }
      // Pages end between two deadlines, so that they may be a few sessions short.
      await expectAbout(() => set.ids(), pages(150));
      await expectAbout(() => iterate(set), pages(100));
      await expectAbout(() => set.set({ theme: "light" }), pages(50));
      await expectAbout(() => set.unset(["theme"]), pages(50));
      await expectAbout(() => set.clear(), pages(100)); // 200 keys: a session's own, and its entry
      expect(await set.size()).toBe(0);
    });

    /** As many as these, or one page more a shard. */
    async function expectAbout(operation: () => Promise<unknown>, least: Cost): Promise<void> {
      const { commands } = await meter.measure(operation);
      expect(commands).toBeGreaterThanOrEqual(least.commands);
      expect(commands).toBeLessThanOrEqual(least.commands + shards);
      // Changing and ending, each shard goes on when its own page is done: a round trip a page.
      const keys = meter.proxy.commands.map(([, , , key]) => key);
      const longest = Math.max(...keys.map((one) => keys.filter((key) => key === one).length));
      expect(longest).toBeLessThanOrEqual(least.roundTrips + 1);
    }

    /** Makes this many sessions of user 1, one a millisecond; how many each shard then has. */
    async function fill(into: Sessions<Data>, count: number): Promise<number[]> {
      const made = await Promise.all(
        Array.from({ length: count }, (_, i) =>
          into.create({ user_id: 1 }, { idleTimeout: HOUR + i * 50 }),
        ),
      );
      const all = [session.id, ...made.map((one) => one.session.id)];
      return ["AA", "AB", "AC", "AD"]
        .slice(0, shards)
        .map((shard) => all.filter((id) => id.startsWith(shard)).length);
    }
  });
});
