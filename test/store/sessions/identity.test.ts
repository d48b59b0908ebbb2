/* Who the user is: which verbs of the core change it, and what they do to the session then. */
import { Redis } from "ioredis";
import type { Token } from "session-sets";
import { afterAll, describe, expect, test } from "vitest";
import { redisUrl } from "../../support/redis/shared.ts";
import {
  describeUserStores,
  type UserData,
  type UserReferences,
  type UserSessions,
} from "../../support/stores/user-stores.ts";

const client = new Redis(redisUrl());
afterAll(() => client.quit());

const GRACE = 300;

describeUserStores(client, "%s", (opened) => {
  async function expectDead(sessions: UserSessions, tokens: readonly Token[]) {
    for (const token of tokens) {
      expect(await sessions.get(token)).toBeNull();
      expect(await sessions.set(token, { theme: "light" })).toBe(false);
      expect(await sessions.rotate(token, { user_id: 1 })).toBeNull();
      expect(await sessions.delete(token)).toBe(false);
    }
  }

  describe("rotate", () => {
    const OWN = { idleTimeout: "1 hour", absoluteTimeout: "2 hours" } as const;
    const REST = { cart: ["book"], team_ids: [7] };

    type Row = [what: string, old: UserData, values: UserData, after: UserData];

    /** Of one that is not the same user's: another session, with the values of the call alone. */
    const replaced: Row[] = [
      ["the first user of nobody's", REST, { user_id: 1 }, { user_id: 1 }],
      [
        "the first user, and a field",
        REST,
        { user_id: 1, theme: "dark" },
        { user_id: 1, theme: "dark" },
      ],
      [
        "the first user where there was null",
        { user_id: null, ...REST },
        { user_id: 1 },
        { user_id: 1 },
      ],
      ["another user", { user_id: 1, ...REST }, { user_id: 2 }, { user_id: 2 }],
      ["a list of others", { user_id: [1, 2], ...REST }, { user_id: [3, 4] }, { user_id: [3, 4] }],
      [
        "the same user and another account",
        { user_id: 1, account: "a", ...REST },
        { user_id: 1, account: "b" },
        { user_id: 1, account: "b" },
      ],
      [
        "the same user and a first account",
        { user_id: 1, ...REST },
        { user_id: 1, account: "b" },
        { user_id: 1, account: "b" },
      ],
      ["an account beside a user", { user_id: 1, ...REST }, { account: "a" }, { account: "a" }],
      ["null for the user", { user_id: 1, ...REST }, { user_id: null }, {}],
      [
        "null for the user, and a field",
        { user_id: 1, ...REST },
        { user_id: null, theme: "dark" },
        { theme: "dark" },
      ],
      ["a list of none", { user_id: [1, 2], ...REST }, { user_id: [] }, {}],
      ["a list of null", { user_id: 1, ...REST }, { user_id: [null] }, {}],
      ["null for one of two", { user_id: 1, account: "a", ...REST }, { account: null }, {}],
      [
        "null for the user and the same account",
        { user_id: 1, account: "a" },
        { user_id: null, account: "a" },
        { account: "a" },
      ],
    ];

    test.each(replaced)("that names %s makes another session", async (_, old, values, after) => {
      const sessions = opened.sessions();
      const made = await sessions.create(old, OWN);
      const renewed = await sessions.rotate(made.token);
      await opened.elapse(2);
      const rotated = await sessions.rotate(renewed?.token, values);
      expect(rotated?.session?.data).toEqual(after);
      const session = await sessions.get(rotated?.token, { touch: false });
      expect(session).toEqual(rotated?.session);
      expect(session?.lineage).toBe(session?.id);
      expect(session?.createdAt.getTime()).toBeGreaterThan(made.session.createdAt.getTime());
      expect(session?.absoluteDeadline?.getTime()).toBe(
        Number(session?.createdAt) + 30 * 86_400_000,
      );
      await expectDead(sessions, [made.token, renewed?.token]);
      expect(await sessions.byId(made.session.lineage).get()).toBeNull();
      expect(await sessions.by("team_ids", 7).size()).toBe(0);
    });

    test.each(replaced)(
      "that names %s does so by an old token, too",
      async (_, old, values, after) => {
        const sessions = opened.sessions();
        const made = await sessions.create(old);
        const renewed = await sessions.rotate(made.token);
        const rotated = await sessions.rotate(made.token, values);
        expect(rotated?.session?.data).toEqual(after);
        await expectDead(sessions, [made.token, renewed?.token]);
      },
    );

    test.each<Row>([
      ["the same user", { user_id: 1, ...REST }, { user_id: 1 }, { user_id: 1, ...REST }],
      [
        "the same, and fields",
        { user_id: 1, ...REST },
        { user_id: 1, cart: [] },
        { user_id: 1, ...REST, cart: [] },
      ],
      [
        "the same in a list",
        { user_id: [1, 2], ...REST },
        { user_id: [2, 3] },
        { user_id: [2, 3], ...REST },
      ],
      [
        "the same of both",
        { user_id: 1, account: "a" },
        { user_id: 1, account: "a" },
        { user_id: 1, account: "a" },
      ],
      [
        "the same account",
        { user_id: 1, account: "a" },
        { account: "a" },
        { user_id: 1, account: "a" },
      ],
      [
        "the same and none of the other, which was none",
        { user_id: 1, ...REST },
        { user_id: 1, account: null },
        { user_id: 1, account: null, ...REST },
      ],
    ])("that names %s keeps the session, and no old token", async (_, old, values, after) => {
      for (const which of ["new", "old"] as const) {
        const sessions = opened.sessions();
        const made = await sessions.create(old, OWN);
        const renewed = await sessions.rotate(made.token);
        const by = which === "new" ? renewed?.token : made.token;
        const rotated = await sessions.rotate(by, values, { grace: "1 hour" });
        expect(rotated?.session?.data).toEqual(after);
        expect(rotated?.session).toMatchObject({
          lineage: made.session.lineage,
          createdAt: made.session.createdAt,
          absoluteDeadline: made.session.absoluteDeadline,
        });
        expect(await sessions.get(rotated?.token, { touch: false })).toEqual(rotated?.session);
        await expectDead(sessions, [made.token, renewed?.token]);
        expect((await sessions.byId(made.session.lineage).get())?.id).toBe(rotated?.session?.id);
        await sessions.delete(rotated?.token);
      }
    });

    test.each<Row>([
      [
        "no one",
        { user_id: 1, ...REST },
        { theme: "dark" },
        { user_id: 1, ...REST, theme: "dark" },
      ],
      [
        "another team",
        { user_id: 1, team_ids: [7] },
        { team_ids: [8] },
        { user_id: 1, team_ids: [8] },
      ],
      [
        "undefined for the user",
        { user_id: 1, ...REST },
        { user_id: undefined },
        { user_id: 1, ...REST },
      ],
      ["null where there is no user", REST, { user_id: null }, { ...REST, user_id: null }],
    ])(
      "that names %s renews: the old token leads on, but to no new one",
      async (_, old, values, after) => {
        const sessions = opened.sessions();
        const made = await sessions.create(old);
        const rotated = await sessions.rotate(made.token, values);
        expect(rotated?.session?.data).toEqual(after);
        expect(rotated?.session?.lineage).toBe(made.session.lineage);
        expect((await sessions.get(made.token))?.id).toBe(rotated?.session?.id);
        expect(await sessions.rotate(made.token, { theme: "light" })).toBeNull();
        expect((await sessions.get(rotated?.token))?.data).toEqual(after);
      },
    );

    test("without a grace, by an old token, ends the session and says so", async () => {
      const sessions = opened.sessions();
      const made = await sessions.create({ user_id: 1, ...REST });
      const renewed = await sessions.rotate(made.token);
      const ended = await sessions.rotate(made.token, {}, { grace: 0 });
      expect(ended).toEqual({ token: null, session: null });
      await expectDead(sessions, [made.token, renewed?.token]);
      expect(await sessions.by("user_id", 1).size()).toBe(0);
      expect(await sessions.rotate(made.token, {}, { grace: 0 })).toBeNull();
    });

    test("renews at most 32 times within one grace time, and a sign-in is none", async () => {
      const sessions = opened.sessions({ rotationGrace: GRACE * 10 });
      const { token } = await sessions.create({ user_id: 1 });
      let newest = token;
      for (let n = 0; n < 32; n++) {
        newest = (await sessions.rotate(newest, {}, { grace: "1 hour" }))?.token ?? "none";
      }
      expect(await sessions.rotate(newest)).toBeNull();
      expect(await sessions.rotate(newest, {}, { grace: 0 })).toBeNull();
      expect((await sessions.get(newest))?.data).toEqual({ user_id: 1 });
      const again = await sessions.rotate(newest, { user_id: 1 });
      expect(again?.session?.data).toEqual({ user_id: 1 });
      await expectDead(sessions, [token, newest]);
      expect((await sessions.rotate(again?.token))?.session?.data).toEqual({ user_id: 1 });
    });

    test("leaves nothing at an old token once the grace is over", async () => {
      const sessions = opened.sessions({ rotationGrace: GRACE });
      const { token } = await sessions.create({ user_id: 1 });
      const rotated = await sessions.rotate(token);
      await opened.elapse(GRACE + 1);
      expect(await sessions.get(token)).toBeNull();
      expect(await sessions.rotate(token, { user_id: 1 })).toBeNull();
      expect((await sessions.get(rotated?.token))?.data).toEqual({ user_id: 1 });
    });
  });

  describe("set and unset", () => {
    const named: [what: string, values: UserData][] = [
      ["the user", { user_id: 2 }],
      ["the same user", { user_id: 1 }],
      ["null for the user", { user_id: null }],
      ["a list of none", { user_id: [] }],
      ["what cannot be stored", { user_id: {} as number }],
      ["another identity beside a field", { theme: "light", account: null }],
    ];

    async function expectRefused(work: () => Promise<unknown>, verb: string, field: string) {
      opened.asked.length = 0;
      await expect(work()).rejects.toThrowError(
        expect.objectContaining({
          code: "ERR_SESSION_CONFIG",
          message: expect.stringMatching(
            new RegExp(
              `^${verb} does not write "${field}", .*signIn .*rotate .*delete .*\\{ identity: false \\}`,
            ),
          ),
        }),
      );
      expect(opened.asked).toEqual([]);
    }

    test.each(named)("refuse %s, and ask the store for nothing", async (_, values) => {
      const sessions = opened.sessions();
      const { token } = await sessions.create({ user_id: 1, theme: "dark" });
      const field = "account" in values ? "account" : "user_id";
      const user = sessions.by("user_id", 1);
      for (const one of [token, null, "no token", `AA${"a".repeat(32)}`]) {
        await expectRefused(() => sessions.set(one, values), "set", field);
        const fields = Object.keys(values) as (keyof UserData)[];
        await expectRefused(() => sessions.unset(one, fields), "unset", field);
      }
      await expectRefused(() => user.set(values), "set", field);
      await expectRefused(
        () => user.unset(Object.keys(values) as (keyof UserData)[]),
        "unset",
        field,
      );
      expect((await sessions.get(token))?.data).toEqual({ user_id: 1, theme: "dark" });
      expect(await user.size()).toBe(1);
    });

    test("leave a user alone who is undefined, and write the rest", async () => {
      const sessions = opened.sessions();
      const { token } = await sessions.create({ user_id: 1 });
      expect(await sessions.set(token, { user_id: undefined, theme: "dark" })).toBe(true);
      const user = sessions.by("user_id", 1);
      expect(await user.set({ account: undefined, cart: ["book"] })).toBe(1);
      expect((await sessions.get(token))?.data).toEqual({
        user_id: 1,
        theme: "dark",
        cart: ["book"],
      });
    });

    test("write a reference that does not say who the user is", async () => {
      const sessions = opened.sessions();
      const { token, session } = await sessions.create({ user_id: 1, team_ids: [7] });
      expect(await sessions.set(token, { team_ids: [8] })).toBe(true);
      expect(await sessions.by("team_ids", 8).set({ team_ids: [9] })).toBe(1);
      expect(await sessions.by("team_ids", 9).ids()).toEqual([session.id]);
      expect(await sessions.by("team_ids", 9).unset(["team_ids"])).toBe(1);
      expect(await sessions.unset(token, ["team_ids"])).toBe(true);
      expect((await sessions.get(token))?.data).toEqual({ user_id: 1 });
    });

    test("take any field where none says who the user is", async () => {
      const references = { user_id: { identity: false } } as unknown as UserReferences;
      const sessions = opened.sessions({ references });
      const { token } = await sessions.create({ user_id: 1 });
      expect(await sessions.set(token, { user_id: 2 })).toBe(true);
      expect(await sessions.by("user_id", 2).unset(["user_id"])).toBe(1);
      expect((await sessions.get(token))?.data).toEqual({});
    });
  });
});
