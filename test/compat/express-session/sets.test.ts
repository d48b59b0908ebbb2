/* The session sets of SessionSetsStore: what changes through them, and what they call things. */
import { Redis } from "ioredis";
import { type SessionData, SessionSetsStore } from "session-sets/compat/express-session";
import { memoryStore } from "session-sets/memory";
import { afterAll, describe, expect, onTestFinished, test } from "vitest";
import { redisUrl } from "../../support/redis/shared.ts";
import { freshPrefix } from "../../support/stores/stores.ts";

const client = new Redis(redisUrl());
afterAll(() => client.quit());

const cookie = { originalMaxAge: 3_600_000 };
const references = {
  user_id: { from: (s: SessionData) => s.passport?.user },
  team: {},
};
const stores = {
  "in memory": () => new SessionSetsStore({ store: memoryStore(), references }),
  "on Redis": () =>
    new SessionSetsStore({ client, prefix: freshPrefix(), timeout: "20 seconds", references }),
};
const look = async (store: SessionSetsStore<never>, sid: string) => {
  const { cookie: _, ...fields } = (await (store as never as SessionSetsStore).get(sid)) ?? {};
  return { ...fields };
};

describe.each(Object.entries(stores))("a set %s", (_where, openStore) => {
  async function open() {
    const store = openStore();
    await store.set("a", { cookie, passport: { user: 1 }, theme: "light" });
    await store.set("b", { cookie, passport: { user: 1 }, theme: "light", team: 7 });
    await store.set("c", { cookie, passport: { user: 2 } });
    return store;
  }

  test("sets and unsets fields of all its sessions, and moves no deadline", async () => {
    const store = await open();
    const before = await store.by("user_id", 1).list();
    expect(await store.by("user_id", 1).set({ theme: "dark", notice: ["maintenance"] })).toBe(2);
    expect(await look(store as never, "a")).toEqual({
      passport: { user: 1 },
      theme: "dark",
      notice: ["maintenance"],
    });
    expect(await store.by("user_id", 1).unset(["theme"])).toBe(2);
    expect(await look(store as never, "b")).toEqual({
      passport: { user: 1 },
      notice: ["maintenance"],
      team: 7,
    });
    expect(await look(store as never, "c")).toEqual({ passport: { user: 2 } });
    const after = await store.by("user_id", 1).list();
    const deadlines = (list: typeof after) => list.map(({ expiresAt }) => expiresAt).sort();
    expect(deadlines(after)).toEqual(deadlines(before));
  });

  test("a reference that is a field of its own can be set: it says nothing of the user", async () => {
    const store = await open();
    expect(await store.by("user_id", 1).set({ team: 8 })).toBe(2);
    expect([await store.by("team", 7).size(), await store.by("team", 8).size()]).toEqual([0, 2]);
    expect(await store.by("team", 8).unset(["team"])).toBe(2);
    expect(await store.by("team", 8).size()).toBe(0);
  });

  test("a request under way keeps what the set has changed", async () => {
    const store = await open();
    const mine = (await store.get("a")) ?? { cookie };
    await store.by("user_id", 1).set({ theme: "dark" });
    mine.cart = ["book"];
    await store.set("a", mine);
    expect(await look(store as never, "a")).toMatchObject({ theme: "dark", cart: ["book"] });
  });

  test.each([
    ["a field that a from reads", { passport: { user: 3 } }, /"passport".*"user_id".*req\.session/],
    ["where its values are kept", { "~user_id": 3 }, /"~user_id".*req\.session/],
    ["the cookie", { cookie: {} }, /"cookie".*req\.session/],
    ["an option of the cookie", { "~~cookie": {} }, /"~~cookie".*req\.session/],
  ])("refuses %s", async (_what, values, message) => {
    const store = await open();
    const error = { code: "ERR_SESSION_CONFIG", message: expect.stringMatching(message) };
    const set = store.by("user_id", 1);
    await expect(set.set({ ...values, theme: "dark" })).rejects.toMatchObject(error);
    await expect(set.unset(["theme", ...Object.keys(values)])).rejects.toMatchObject(error);
    expect(await look(store as never, "a")).toEqual({ passport: { user: 1 }, theme: "light" });
  });

  test("refuses what every set refuses", async () => {
    const store = await open();
    const set = store.by("user_id", 1);
    await expect(set.set(null as never)).rejects.toMatchObject({ code: "ERR_SESSION_VALUE" });
    await expect(set.set({ n: 1n })).rejects.toMatchObject({ code: "ERR_SESSION_VALUE" });
    await expect(set.unset("theme" as never)).rejects.toMatchObject({ code: "ERR_SESSION_VALUE" });
    await expect(set.set({ text: "x".repeat(70_000) })).rejects.toMatchObject({
      code: "ERR_SESSION_TOO_LARGE",
    });
  });
});

describe("what a from reads is learnt, however it does so", () => {
  type Any = SessionData;
  const loop = (s: Any) => {
    let team = s.team;
    while (team.parent) team = team.parent;
    return team.id;
  };
  test.each<[string, (s: Any) => unknown, string[]]>([
    ["a member", (s) => s.user.id, ["user"]],
    ["one of two", (s) => s.user?.id ?? s.guest?.id, ["user", "guest"]],
    [
      "one by the other",
      (s) => (s.admin ? s.admin_id : s.user_id),
      ["admin", "admin_id", "user_id"],
    ],
    ["one behind the other's absence", (s) => (s.a ? 1 : s.b ? 2 : s.c), ["a", "b", "c"]],
    [
      "by its kind",
      (s) => (typeof s.user === "string" ? s.user : s.profile.id),
      ["user", "profile"],
    ],
    ["destructured", ({ user: { id }, team = { id } }) => team.id, ["user", "team"]],
    ["in a list", (s) => s.teams.map(({ id }: { id: number }) => id), ["teams"]],
    ["in a callback", (s) => s.teams.filter(() => s.active), ["teams", "active"]],
    [
      "with for of",
      (s) => {
        for (const t of s.teams) return t.id + s.base;
        return 0;
      },
      ["teams", "base"],
    ],
    ["with in", (s) => ("user" in s ? 1 : 2), ["user"]],
    ["as its own", (s) => Object.hasOwn(s, "user") && 1, ["user"]],
    ["by a computed name", (s) => s[["us", "er"].join("")], ["user"]],
    ["without an end", loop, ["team"]],
    ["with new", (s) => new s.Team(s.base).id, ["Team", "base"]],
    ["with in, of a member", (s) => "id" in s.team && s.base, ["team", "base"]],
    ["as a number", (s) => +s.a > 0 && s.b, ["a", "b"]],
    ["by a symbol, too", (s) => s[Symbol.toStringTag as never] ?? s.user, ["user"]],
    [
      "changed on the way",
      (s) => {
        s.team.seen = true;
        delete s.team.seen;
        return s.base;
      },
      ["team", "base"],
    ],
    [
      "before it fails",
      (s) => {
        if (s.user) throw new Error("no");
        return s.guest;
      },
      ["user", "guest"],
    ],
  ])("%s", async (_what, from, fields) => {
    const { findFieldsRead } = await import(
      "../../../src/compat/express-session/sets/fields-read.ts"
    );
    expect([...(findFieldsRead(from as never) ?? [])].sort()).toEqual([...fields].sort());
  });

  test.each<[string, (s: Any) => unknown]>([
    ["its keys", (s) => Object.keys(s)],
    ["a copy", (s) => ({ ...s }).user],
    ["JSON", (s) => JSON.stringify(s)],
    ["a rest", ({ cookie: _, ...rest }) => rest.user],
  ])("one that reads all (%s) leaves no field to the set", async (_what, from) => {
    const store = new SessionSetsStore({
      store: memoryStore(),
      references: { user_id: { from: from as never } },
    });
    await expect(store.by("user_id", 1).set({ theme: "dark" })).rejects.toMatchObject({
      code: "ERR_SESSION_CONFIG",
    });
  });
});

describe("errors and warnings", () => {
  const store = new SessionSetsStore({ store: memoryStore(), references });

  test("name a reference as it was declared, and this store", () => {
    for (const undeclared of ["~user_id", "passport", undefined]) {
      expect(() => store.by(undeclared as never, 1)).toThrow(
        /isn't a declared reference \(declared: "user_id", "team"\); add it to the references of SessionSetsStore$/,
      );
    }
    for (const value of [{}, [1], null, undefined, Number.NaN, 1n]) {
      expect(() => store.by("user_id", value as never)).toThrow(
        expect.objectContaining({
          code: "ERR_SESSION_VALUE",
          message: expect.stringMatching(/^Sessions are found by one value of "user_id"/),
        }),
      );
    }
  });

  test("say what except is here", async () => {
    await expect(store.by("user_id", 1).clear({ except: "a sid" })).rejects.toMatchObject({
      code: "ERR_SESSION_CONFIG",
      message: expect.stringMatching(/store\.idOf\(req\.sessionID\); no session was ended/),
    });
  });

  test("name this store where sessions are kept in memory in production", async () => {
    const warned = new Promise<Error>((resolve) => process.once("warning", resolve));
    const before = process.env.NODE_ENV;
    process.env.NODE_ENV = "production";
    onTestFinished(() => {
      process.env.NODE_ENV = before;
    });
    new SessionSetsStore();
    expect(await warned).toMatchObject({
      code: "SESSION_SETS_MEMORY_STORE",
      message: expect.stringMatching(/new SessionSetsStore\(\{ client \}\)$/),
    });
  });
});
