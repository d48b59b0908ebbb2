/*
 * The costs of each operation of a request (docs/design.md, "Costs"): the commands as a proxy in front of a real server
 * sees them, and the round trips they take.
 */
import type { Sessions } from "session-sets";
import { koaSessions } from "session-sets/koa";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { contextWith } from "../../support/http/request.ts";
import { redisUrl } from "../../support/redis/shared.ts";
import {
  type Data,
  type Meter,
  openMeter,
  openSessions,
  warmUp,
} from "../../support/stores/costs.ts";
import { clients } from "../../support/stores/stores.ts";

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
    beforeAll(async () => {
      sessions = openSessions(meter.client, shards);
      await warmUp(sessions);
    });
    beforeEach(async () => {
      await sessions.by("user_id", 1).clear();
      const made = await sessions.create({ user_id: 1, team_ids: [1, 2, 3], theme: "dark" });
      token = made.token;
    });

    test.each([
      undefined,
      null,
      "",
      "x",
      "x".repeat(10_000),
      `zz${"A".repeat(32)}`,
      `AA${"A".repeat(31)}=`,
      `AA${"A".repeat(33)}`,
    ])("the malformed token %j takes none", async (malformed) => {
      await expectCost(async () => {
        expect(await sessions.get(malformed)).toBeNull();
        expect(await sessions.get(malformed, ["theme"])).toBeNull();
        expect(await sessions.set(malformed, { theme: "dark" })).toBe(false);
        expect(await sessions.unset(malformed, ["theme"])).toBe(false);
        expect(await sessions.touch(malformed)).toBe(false);
        expect(await sessions.rotate(malformed)).toBeNull();
        expect(await sessions.delete(malformed)).toBe(false);
        expect(await sessions.byId(malformed ?? "").get()).toBeNull();
        expect(await sessions.byId(malformed ?? "").delete()).toBe(false);
        expect(await sessions.by("user_id", 1).has(malformed ?? "")).toBe(false);
        expect(await sessions.by("user_id", 1).delete(malformed ?? "")).toBe(false);
      }, 0);
    });

    test("a token that is an array or an object takes none", () =>
      expectCost(async () => {
        for (const wrong of [[token], { token }, 1, true]) {
          expect(await sessions.get(wrong as unknown as string)).toBeNull();
        }
      }, 0));

    test("the session of a request costs what the same call with a token costs", async () => {
      const koa = koaSessions(sessions);
      const request = koa.of(contextWith(`session=${token}`));
      await expectCost(() => request.get(), 1);
      await expectCost(() => request.load(), 1);
      await expectCost(() => request.get(["theme"]), 1);
      await expectCost(() => request.set({ theme: "light" }), 1);
      await expectCost(() => request.unset(["theme"]), 1);
      await expectCost(() => request.touch(), 1);
      await expectCost(() => request.rotate(), 1);
      await expectCost(() => request.set({ user_id: 1, theme: "light" }), 1);
      await expectCost(() => request.set({ user_id: 2 }), 1); // a sign-in
      await expectCost(() => request.signIn({ user_id: 3 }, { keep: ["theme"] }), 1);
      await expectCost(() => request.peers("user_id"), 1);
      await expectCost(() => request.delete(), 1);
      await expectCost(() => request.set({ user_id: 1 }), 1); // makes one
    });

    test("signIn takes one command, with a session and without", async () => {
      const koa = koaSessions(sessions);
      for (const cookie of [undefined, "session=x", `session=${token}`, `session=${token}`]) {
        const request = koa.of(contextWith(cookie));
        await expectCost(() => request.signIn({ user_id: 1 }, { keep: ["theme"] }), 1);
        await expectCost(() => request.signIn({ user_id: 2 }), 1);
      }
    });

    test("a set after a sign-out takes one command more, which makes a session", async () => {
      const koa = koaSessions(sessions);
      await koa.of(contextWith(`session=${token}`)).delete();
      const request = koa.of(contextWith(`session=${token}`));
      await expectCost(() => request.set({ user_id: 1 }), 2);
    });

    describe("what is done about a user reads the session first:", () => {
      const open = () => koaSessions(sessions).of(contextWith(`session=${token}`));

      test("changeCredentials gives a new token by one command more, and one a shard ends the others", () =>
        expectCost(() => open().changeCredentials("user_id"), 2 + shards, 3));

      test("signOutOthers takes one command more a shard", () =>
        expectCost(() => open().signOutOthers("user_id"), 1 + shards, 2));

      test("signOutEverywhere takes one a shard for the others, and one for its own", () =>
        expectCost(() => open().signOutEverywhere("user_id"), 2 + shards, 3));

      test("a peers' set takes what another takes, and one more where it ends its own session", async () => {
        const request = open();
        const peers = await request.peers("user_id");
        const id = request.id;
        const other = await sessions.create({ user_id: 1 });
        await expectCost(() => peers?.delete(other.session.id) ?? Promise.reject(), 1);
        await expectCost(() => peers?.clear({ except: id }) ?? Promise.reject(), shards, 1);
        await expectCost(() => peers?.clear() ?? Promise.reject(), shards + 1, 2);
        await expectCost(() => peers?.clear() ?? Promise.reject(), shards, 1);
      });

      test("a peers' delete of its own session takes one", async () => {
        const request = open();
        const peers = await request.peers("user_id");
        await expectCost(() => peers?.delete(request.id ?? "") ?? Promise.reject(), 1);
        await expectCost(() => request.get(), 0);
      });
    });

    test("an anonymous request, and one with a malformed cookie, take none", async () => {
      const koa = koaSessions(sessions);
      for (const cookie of [undefined, "session=", "session=x", "other=1", "; ;=;session"]) {
        const request = koa.of(contextWith(cookie));
        await expectCost(async () => {
          expect(await request.get()).toEqual({});
          expect(await request.load()).toBeNull();
          expect(await request.unset(["theme"])).toBe(false);
          expect(await request.touch()).toBe(false);
          expect(await request.rotate()).toBeNull();
          expect(await request.delete()).toBe(false);
          expect(await request.peers("user_id")).toBeNull();
        }, 0);
      }
    });

    test("createCSRFToken and verifyCSRFToken take none", async () => {
      const koa = koaSessions(sessions);
      for (const cookie of [undefined, `session=${token}`]) {
        const request = koa.of(contextWith(cookie));
        await expectCost(async () => {
          expect(request.verifyCSRFToken(request.createCSRFToken())).toBe(true);
          expect(request.verifyCSRFToken("wrong")).toBe(false);
        }, 0);
      }
    });
  });
});
