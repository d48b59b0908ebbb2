/* Signing a user in without a request: what it ends, what it makes, and what comes along. */
import { Redis } from "ioredis";
import { createSessions, type SignInOptions, type StandardSchema } from "session-sets";
import { redisStore } from "session-sets/redis";
import { afterAll, describe, expect, test } from "vitest";
import { redisUrl } from "../../support/redis/shared.ts";
import { freshPrefix } from "../../support/stores/stores.ts";
import {
  describeUserStores,
  type UserData,
  type UserReferences,
  type UserSessions,
} from "../../support/stores/user-stores.ts";

const client = new Redis(redisUrl());
afterAll(() => client.quit());

describeUserStores(client, "signIn %s", (opened) => {
  /** An old token of a session, which leads to it over this many renewals. */
  async function makeAlias(
    sessions: UserSessions,
    token: string,
    renewals: number,
  ): Promise<string> {
    let newest = token;
    for (let n = 0; n < renewals; n++) newest = (await sessions.rotate(newest))?.token ?? "none";
    expect((await sessions.get(newest, { touch: false }))?.id).toBeDefined();
    return token;
  }

  /** Tokens that lead to no session, or are none. */
  const dead: [what: string, (sessions: UserSessions) => unknown][] = [
    ["null", () => null],
    ["undefined", () => undefined],
    ["an empty text", () => ""],
    ["what is no token", () => "x"],
    ["a token of a shard that there is not", () => `__${"a".repeat(32)}`],
    ["no text", () => ({ token: 1 })],
    ["a token that was never given", () => `AA${"a".repeat(32)}`],
    [
      "a token whose session was deleted",
      async (sessions) => {
        const { token } = await sessions.create({ user_id: 1, cart: ["book"] });
        await sessions.delete(token);
        return token;
      },
    ],
    [
      "a token whose session another sign-in has ended",
      async (sessions) => {
        const { token } = await sessions.create({ user_id: 1, cart: ["book"] });
        const next = await sessions.signIn(token, { user_id: 1 });
        await sessions.delete(next.token);
        return token;
      },
    ],
  ];

  test.each(dead)("over %s makes a session of the values, and no more", async (_, make) => {
    const sessions = opened.sessions();
    const token = (await make(sessions)) as string;
    const values = { user_id: 1, theme: "dark" };
    const signedIn = await sessions.signIn(token, values, { keep: ["cart"] });
    expect(Object.keys(signedIn).sort()).toEqual(["session", "token"]);
    expect(signedIn.session.data).toEqual(values);
    expect(await sessions.get(signedIn.token, { touch: false })).toEqual(signedIn.session);
    expect(await sessions.by("user_id", 1).ids()).toEqual([signedIn.session.id]);
    expect(await sessions.get(token)).toBeNull();
  });

  test.each([
    ["the session's token", 0],
    ["an old token of one renewal ago", 1],
    ["one of three renewals ago", 3],
    ["one of four renewals ago, which is no way in any more", 4],
    ["one of 32 renewals ago", 32],
  ])("over %s ends that session under every token, and makes another", async (_, renewals) => {
    const sessions = opened.sessions();
    const made = await sessions.create({ theme: "dark", team_ids: [7] });
    const { lineage } = made.session;
    const tokens = [made.token];
    for (let n = 0; n < renewals; n++) {
      tokens.push((await sessions.rotate(tokens.at(-1)))?.token ?? "none");
    }
    await opened.elapse(2);
    const { token, session } = await sessions.signIn(made.token, { user_id: 1 });
    expect(session.data).toEqual({ user_id: 1 });
    expect(session.lineage).toBe(session.id);
    expect(session.createdAt.getTime()).toBeGreaterThan(made.session.createdAt.getTime());
    for (const old of tokens) {
      expect(await sessions.get(old)).toBeNull();
      expect(await sessions.set(old, { theme: "light" })).toBe(false);
      expect(await sessions.rotate(old)).toBeNull();
      expect(await sessions.delete(old)).toBe(false);
    }
    expect(await sessions.byId(lineage).get()).toBeNull();
    expect(await sessions.by("team_ids", 7).size()).toBe(0);
    expect((await sessions.get(token))?.data).toEqual({ user_id: 1 });
  });

  describe("keeps", () => {
    const CART = { cart: ["book"] };

    test.each<
      [what: string, old: UserData, values: UserData, keep: (keyof UserData)[], after: UserData]
    >([
      ["nothing where keep is left out", { ...CART, theme: "dark" }, { user_id: 1 }, [], {}],
      [
        "of nobody's session what it names",
        { ...CART, theme: "dark" },
        { user_id: 1 },
        ["cart"],
        CART,
      ],
      [
        "of the same user's, too",
        { user_id: 1, ...CART, theme: "dark" },
        { user_id: 1 },
        ["cart"],
        CART,
      ],
      ["nothing of another user's", { user_id: 2, ...CART }, { user_id: 1 }, ["cart"], {}],
      ["of a field that there is not, nothing", CART, { user_id: 1 }, ["theme"], {}],
      [
        "not what the values have themselves",
        { theme: "dark" },
        { user_id: 1, theme: "light" },
        ["theme"],
        { theme: "light" },
      ],
      [
        "what the values have as undefined",
        { theme: "dark" },
        { user_id: 1, theme: undefined },
        ["theme"],
        { theme: "dark" },
      ],
      [
        "of one who was never signed in, with null for the user",
        { user_id: null, ...CART },
        { user_id: 1 },
        ["cart"],
        CART,
      ],
      [
        "of a user who has one name in common",
        { user_id: [1, 2], ...CART },
        { user_id: [2, 3] },
        ["cart"],
        CART,
      ],
      [
        "nothing of one with none in common",
        { user_id: [1, 2], ...CART },
        { user_id: [3] },
        ["cart"],
        {},
      ],
      [
        "by the identity that the call names alone",
        { account: "a", ...CART },
        { user_id: 1 },
        ["cart"],
        CART,
      ],
      [
        "nothing where one of two identities is another's",
        { user_id: 1, account: "a", ...CART },
        { user_id: 1, account: "b" },
        ["cart"],
        {},
      ],
      [
        "where one is the same and one nobody's",
        { user_id: 1, ...CART },
        { user_id: 1, account: "b" },
        ["cart"],
        CART,
      ],
    ])("%s", async (_, old, values, keep, after) => {
      const sessions = opened.sessions();
      const { token } = await sessions.create(old);
      const signedIn = await sessions.signIn(token, values, { keep });
      const data = { ...after, ...JSON.parse(JSON.stringify(values)) };
      expect(signedIn.session.data).toEqual(data);
      expect((await sessions.get(signedIn.token))?.data).toEqual(data);
    });

    test.each([
      [0, CART],
      [1, CART],
      [3, CART],
      [4, {}],
    ])("through a token of %i renewals ago %j", async (renewals, kept) => {
      const sessions = opened.sessions();
      const { token } = await sessions.create(CART);
      await makeAlias(sessions, token, renewals);
      const { session } = await sessions.signIn(token, { user_id: 1 }, { keep: ["cart"] });
      expect(session.data).toEqual({ user_id: 1, ...kept });
    });

    test("the entries of a reference that it names, of all its values, and of no other", async () => {
      const sessions = opened.sessions();
      const { token } = await sessions.create({ team_ids: [7, 8], account: "a" });
      const { session } = await sessions.signIn(token, { user_id: 1 }, { keep: ["team_ids"] });
      expect(session.data).toEqual({ user_id: 1, team_ids: [7, 8] });
      expect(await sessions.by("team_ids", 7).ids()).toEqual([session.id]);
      expect(await sessions.by("team_ids", 8).ids()).toEqual([session.id]);
      expect(await sessions.by("account", "a").size()).toBe(0);
      expect(await sessions.by("team_ids", 7).clear()).toBe(1);
      expect(await sessions.by("user_id", 1).size()).toBe(0);
    });

    test("no entries of a reference whose values the call has itself", async () => {
      const sessions = opened.sessions();
      const { token } = await sessions.create({ team_ids: [7, 8] });
      const values = { user_id: 1, team_ids: [8, 9] };
      const { session } = await sessions.signIn(token, values, { keep: ["team_ids"] });
      const sizes = [7, 8, 9].map((team) => sessions.by("team_ids", team).size());
      expect(await Promise.all(sizes)).toEqual([0, 1, 1]);
      expect(session.data.team_ids).toEqual([8, 9]);
    });
  });

  /** Fails unless this is refused, asks the store for nothing, and leaves all as it is. */
  async function expectRefused(
    sessions: UserSessions,
    values: unknown,
    options: object | undefined,
    error: { code: string; message: RegExp },
  ): Promise<void> {
    const { token } = await sessions.create({ theme: "dark" });
    for (const old of [token, null]) {
      opened.asked.length = 0;
      const signIn = sessions.signIn(old, values as UserData, options as SignInOptions);
      await expect(signIn).rejects.toThrowError(
        expect.objectContaining({ ...error, message: expect.stringMatching(error.message) }),
      );
      expect(opened.asked).toEqual([]);
    }
    expect((await sessions.get(token))?.data).toEqual({ theme: "dark" });
  }

  test.each<[what: string, values: unknown]>([
    ["no user", { theme: "light" }],
    ["no field", {}],
    ["no values", undefined],
    ["null for values", null],
    ["null for the user", { user_id: null }],
    ["undefined for the user", { user_id: undefined }],
    ["a list of none", { user_id: [] }],
    ["a list of null", { user_id: [null] }],
    ["null for all who there are", { user_id: null, account: null }],
    ["a reference that does not say who the user is", { team_ids: [7] }],
    ["an object that inherits its user", Object.create({ user_id: 1 })],
  ])("is refused for %s", async (_, values) => {
    const message = /needs a value of "user_id" or "account", which says who the user is.*create/;
    await expectRefused(opened.sessions(), values, undefined, {
      code: "ERR_SESSION_CONFIG",
      message,
    });
  });

  test("is refused where no reference says who the user is", async () => {
    const code = "ERR_SESSION_CONFIG";
    const message = /needs a reference that says who the user is/;
    for (const references of [{}, { user_id: { identity: false } }]) {
      const sessions = opened.sessions({ references: references as unknown as UserReferences });
      await expectRefused(sessions, { user_id: 1 }, undefined, { code, message });
    }
  });

  test.each<[what: string, keep: unknown, code: string, message: RegExp]>([
    ["the user", ["user_id"], "ERR_SESSION_CONFIG", /keep names "user_id", which says who/],
    ["another identity among others", ["cart", "account"], "ERR_SESSION_CONFIG", /"account"/],
    [
      "what is no list",
      "cart",
      "ERR_SESSION_CONFIG",
      /keep must be a list of fields, such as \["cart"\]/,
    ],
    ["null", null, "ERR_SESSION_CONFIG", /keep must be a list/],
    ["a record", { cart: true }, "ERR_SESSION_CONFIG", /keep must be a list/],
    ["a Set", new Set(["cart"]), "ERR_SESSION_CONFIG", /keep must be a list/],
    ["a field of the library's own", ["@r"], "ERR_SESSION_VALUE", /begins with "@"/],
    ["what is no name", [5], "ERR_SESSION_VALUE", /5 is not a string/],
  ])("is refused where keep is %s", async (_, keep, code, message) => {
    await expectRefused(opened.sessions(), { user_id: 1 }, { keep }, { code, message });
  });

  test("is refused for values that cannot be stored", async () => {
    const code = "ERR_SESSION_VALUE";
    const sessions = opened.sessions();
    await expectRefused(sessions, { user_id: {} }, undefined, { code, message: /reference/ });
    const values = { user_id: 1, cart: new Date() };
    await expectRefused(sessions, values, undefined, { code, message: /class Date/ });
    await expectRefused(sessions, { user_id: 1, "@r": 1 }, undefined, { code, message: /"@"/ });
  });

  test("is refused for values that do not fit the schema", async () => {
    const issues = [{ message: "too dark", path: ["theme"] }];
    const data: StandardSchema<UserData> = {
      "~standard": {
        version: 1,
        vendor: "test",
        validate: (value) => ((value as UserData).theme === "black" ? { issues } : { value }),
      },
    };
    const sessions = opened.sessions({ data });
    const error = { code: "ERR_SESSION_VALUE", message: /"theme" does not fit .*too dark/ };
    await expectRefused(sessions, { user_id: 1, theme: "black" }, undefined, error);
    const { session } = await sessions.signIn(null, { user_id: 1, theme: "dark" });
    expect(session.data).toEqual({ user_id: 1, theme: "dark" });
  });

  test("is refused where the session would be too large, with what it keeps", async () => {
    // "user_id" and "1" are 8 bytes, "cart" and the JSON of one text are 8 and the text.
    const sessions = opened.sessions({ maxBytes: 100 });
    const cart = ["x".repeat(84)];
    const fits = await sessions.create({ cart });
    const { session } = await sessions.signIn(fits.token, { user_id: 1 }, { keep: ["cart"] });
    expect(session.data).toEqual({ user_id: 1, cart });

    const { token } = await sessions.create({ cart });
    const tooLarge = expect.objectContaining({
      code: "ERR_SESSION_TOO_LARGE",
      hint: expect.stringMatching(/would have 101 bytes, over maxBytes \(100\)/),
    });
    const keep = ["cart"] as const;
    await expect(sessions.signIn(token, { user_id: 10 }, { keep })).rejects.toThrowError(tooLarge);
    expect((await sessions.get(token))?.data).toEqual({ cart });
    for (const old of [token, null]) {
      const values = { user_id: 10, cart };
      await expect(sessions.signIn(old, values)).rejects.toThrowError(tooLarge);
    }
    expect((await sessions.get(token))?.data).toEqual({ cart });
    expect(await sessions.by("user_id", 10).size()).toBe(0);
    // Fields that aren't kept don't count, and fields named twice count once.
    const other = await sessions.signIn(token, { user_id: 10 });
    expect(other.session.data).toEqual({ user_id: 10 });
    const again = await sessions.create({ cart });
    const twice = { keep: ["cart", "cart"] } as const;
    const both = await sessions.signIn(again.token, { user_id: 1 }, twice);
    expect(both.session.data).toEqual({ user_id: 1, cart });
  });

  test("takes one round trip, and looks at nothing before", async () => {
    const sessions = opened.sessions();
    const { token } = await sessions.create({ cart: ["book"] });
    opened.asked.length = 0;
    await sessions.signIn(token, { user_id: 1 }, { keep: ["cart"] });
    await sessions.signIn(null, { user_id: 1 });
    expect(opened.asked).toEqual(["signIn", "create"]);
  });

  test("of the same user, or of another, ends the copies that someone else has", async () => {
    const sessions = opened.sessions();
    for (const next of [1, 2]) {
      const { token: stolen } = await sessions.signIn(null, { user_id: 1 });
      const renewed = await sessions.rotate(stolen);
      await sessions.signIn(stolen, { user_id: next });
      expect(await sessions.get(stolen)).toBeNull();
      expect(await sessions.get(renewed?.token)).toBeNull();
      await sessions.by("user_id", next).clear();
    }
  });
});

test("a kept reference that is a plain set on Redis stays one", async () => {
  const store = redisStore(client, { prefix: freshPrefix(), timeout: "20 seconds" });
  const sessions = createSessions<UserData>({
    store,
    references: ["user_id", { team_ids: { identity: false, as: "set" } }],
  });
  const { token } = await sessions.create({ team_ids: [7] });
  const { session } = await sessions.signIn(token, { user_id: 1 }, { keep: ["team_ids"] });
  const team = sessions.by("team_ids", 7);
  expect(await client.smembers(team.key)).toEqual([session.id]);
  await team.clear();
  expect(await client.exists(team.key)).toBe(0);
});
