/*
 * The costs of each operation on one session (docs/design.md, "Costs"): the commands as a proxy in front of a real server
 * sees them, and the round trips they take.
 */
import type { Session, Sessions } from "session-sets";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { redisUrl } from "../../support/redis/shared.ts";
import {
  type Data,
  type Meter,
  openMeter,
  openSessions,
  warmUp,
} from "../../support/stores/costs.ts";
import { type Client, clients } from "../../support/stores/stores.ts";
import { editTimes, parseTimes } from "../../support/stores/times.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

let direct: Client;
beforeAll(() => {
  direct = clients["ioredis 6"](redisUrl());
});
afterAll(() => direct.quit());

describe.each(Object.entries(clients))("with %s", (_kind, connect) => {
  let meter: Meter;
  const expectCost: Meter["expectCost"] = (...of) => meter.expectCost(...of);
  beforeAll(async () => {
    meter = await openMeter(redisUrl(), connect);
  });
  afterAll(() => meter.close());

  describe.each([1, 4])("and %i shard(s)", (shards) => {
    let sessions: Sessions<Data>;
    let token: string;
    let session: Session<Data>;
    beforeAll(async () => {
      sessions = openSessions(meter.client, shards);
      await warmUp(sessions);
    });
    beforeEach(async () => {
      await sessions.by("user_id", 1).clear();
      const made = await sessions.create({ user_id: 1, team_ids: [1, 2, 3], theme: "dark" });
      ({ token, session } = made);
    });

    /** The session's key; its last use becomes `ms` ago, as if nobody had used it since. */
    async function lastUsed(id: string, ms: number): Promise<void> {
      const [key = ""] = await direct.keys(`*:s:${id}`);
      const times = parseTimes(await direct.hget(key, "@"));
      await editTimes(direct, key, { seen: Number(times?.seen) - ms });
    }

    test("create takes one command", () => expectCost(() => sessions.create({ user_id: 1 }), 1));

    test("create with a hundred references and deadlines of its own takes one command", () =>
      expectCost(() => {
        const team_ids = Array.from({ length: 100 }, (_, i) => i);
        return sessions.create({ user_id: 1, team_ids }, { idleTimeout: "1 day" });
      }, 1));

    test("get takes one HGETALL", async () => {
      await expectCost(() => sessions.get(token), 1);
      expect(meter.sent()).toEqual(["HGETALL"]);
    });

    test("get of named fields takes one HMGET", async () => {
      await expectCost(() => sessions.get(token, ["theme"]), 1);
      expect(meter.sent()).toEqual(["HMGET"]);
    });

    test("get of a token that nobody has takes one command", () =>
      expectCost(() => sessions.get(token.slice(0, 2) + "x".repeat(32)), 1));

    test("get that touches takes one command more", async () => {
      await lastUsed(session.id, 2 * MINUTE);
      await expectCost(() => sessions.get(token), 2);
      expect(meter.sent()).toEqual(["HGETALL", "EVALSHA"]);
      await expectCost(() => sessions.get(token), 1);
      await lastUsed(session.id, 2 * MINUTE);
      await expectCost(() => sessions.get(token, ["theme"]), 2);
      expect(meter.sent()).toEqual(["HMGET", "EVALSHA"]);
    });

    test("get without touching, and byId, take one command however long ago the last use was", async () => {
      await lastUsed(session.id, HOUR);
      await expectCost(() => sessions.get(token, { touch: false }), 1);
      await expectCost(() => sessions.byId(session.id).get(), 1);
      await expectCost(() => sessions.byId(session.id).get(["theme"]), 1);
    });

    test("get does not touch before a twentieth of the idle timeout or a minute have passed", async () => {
      await lastUsed(session.id, MINUTE - 10_000);
      await expectCost(() => sessions.get(token), 1);
      const short = await sessions.create({ user_id: 1 }, { idleTimeout: "2 minutes" });
      await lastUsed(short.session.id, 7000);
      await expectCost(() => sessions.get(short.token), 2);
    });

    test("get through an alias takes one command more a hop, three hops at most", async () => {
      const tokens = [token];
      for (let hop = 1; hop <= 4; hop++) {
        tokens.unshift((await sessions.rotate(tokens[0]))?.token ?? "");
      }
      for (const [hops, old] of tokens.slice(0, 4).entries()) {
        await expectCost(() => sessions.get(old), 1 + hops);
        await expectCost(() => sessions.get(old, ["theme"]), 1 + hops);
      }
      expect(await sessions.get(tokens[3])).not.toBeNull();
      await expectCost(() => sessions.get(tokens[4]), 4);
      expect(await sessions.get(tokens[4])).toBeNull();
    });

    test("set, unset and touch take one command, also through an alias", async () => {
      const renewed = await sessions.rotate(token);
      for (const one of [renewed?.token, token]) {
        await expectCost(() => sessions.set(one, { theme: "light" }), 1);
        await expectCost(() => sessions.unset(one, ["theme"]), 1);
        await expectCost(() => sessions.touch(one), 1);
        await expectCost(() => sessions.touch(one, { idleTimeout: "1 day" }), 1);
      }
    });

    test("set and unset take one command also when references change", async () => {
      await expectCost(() => sessions.set(token, { team_ids: [3, 4, 5, 6] }), 1);
      await expectCost(() => sessions.unset(token, ["team_ids"]), 1);
    });

    test("set and unset that name who the user is are refused without any", () =>
      expectCost(async () => {
        await expect(sessions.set(token, { user_id: 2 })).rejects.toThrow(/signIn/);
        await expect(sessions.unset(token, ["user_id"])).rejects.toThrow(/delete/);
      }, 0));

    test("signIn takes one command, whatever the token leads to, and a resend finds its work", async () => {
      const renewed = await sessions.rotate(token);
      const keep = { keep: ["theme", "team_ids"] } as const;
      for (const one of [null, renewed?.token, token, token.slice(0, 2) + "x".repeat(32)]) {
        await expectCost(() => sessions.signIn(one, { user_id: 1, team_ids: [9] }), 1);
        await expectCost(() => sessions.signIn(one, { user_id: 1 }, keep), 1);
        await expectCost(() => sessions.signIn(one, { user_id: 2 }, { idleTimeout: "1 day" }), 1);
      }
    });

    test("rotate takes one command, with changes or without", async () => {
      const first = await sessions.rotate(token);
      await expectCost(() => sessions.rotate(first?.token), 1);
      const { token: other } = await sessions.create({ user_id: 1 });
      await expectCost(() => sessions.rotate(other, { user_id: 2, team_ids: [9] }), 1);
    });

    test("delete takes one command, by token, alias or id", async () => {
      await expectCost(() => sessions.delete(token), 1);
      await expectCost(() => sessions.delete(token), 1);
      const other = await sessions.create({ user_id: 1, team_ids: [1, 2, 3] });
      await sessions.rotate(other.token);
      await expectCost(() => sessions.byId(other.session.id).delete(), 1);
      const [third, fourth] = [await sessions.create({}), await sessions.create({})];
      for (const grace of [0, 10_000]) {
        const { token: old, session: made } = grace === 0 ? third : fourth;
        await sessions.rotate(old, {}, { grace });
        await expectCost(() => sessions.byId(made.lineage).delete(), 1);
      }
    });

    test("byId of a lineage takes one command more where an alias is there, then two", async () => {
      const { lineage } = session;
      await expectCost(() => sessions.byId(lineage).get(), 1);
      const renewed = await sessions.rotate(token);
      await expectCost(() => sessions.byId(lineage).get(), 2);
      expect(meter.sent()).toEqual(["HGETALL", "HGETALL"]);
      await sessions.rotate(renewed?.token, { user_id: 1 }); // which leaves no alias
      await direct.del(...(await direct.keys(`*:s:${lineage}`)));
      await expectCost(() => sessions.byId(lineage).get(), 3);
      expect(meter.sent()).toEqual(["HGETALL", "GET", "HGETALL"]);
      await expectCost(() => sessions.byId(lineage).get(["theme"]), 3);
      expect((await sessions.byId(lineage).get())?.lineage).toBe(lineage);
      await expectCost(() => sessions.get(renewed?.token), 1); // no token leads over a lineage
      await sessions.byId(lineage).delete();
      await expectCost(() => sessions.byId(lineage).get(), 2);
    });

    test("has and delete(id) of a set take one command: the id names its shard", async () => {
      await expectCost(() => sessions.by("user_id", 1).has(session.id), 1);
      await expectCost(() => sessions.by("user_id", 2).delete(session.id), 1);
      await expectCost(() => sessions.by("user_id", 1).delete(session.id), 1);
      const other = await sessions.create({ user_id: 1 });
      await sessions.rotate(other.token, {}, { grace: 0 });
      await expectCost(() => sessions.by("user_id", 1).has(other.session.lineage), 1);
      await expectCost(() => sessions.by("user_id", 1).delete(other.session.lineage), 1);
    });
  });
});
