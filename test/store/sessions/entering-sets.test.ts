/* When a session may enter a set: logins in flight beside a clear (asOf), limits, and trim. */
import { Redis } from "ioredis";
import {
  createSessions,
  type SessionError,
  type Sessions,
  type SessionsOptions,
} from "session-sets";
import { memoryStore } from "session-sets/memory";
import { redisStore } from "session-sets/redis";
import { afterAll, describe, expect, test } from "vitest";
import { redisUrl } from "../../support/redis/shared.ts";
import { freshPrefix } from "../../support/stores/stores.ts";

const client = new Redis(redisUrl());
afterAll(() => client.quit());

interface Data {
  user_id?: number;
  team_ids?: number[];
  theme?: string;
}
type References = SessionsOptions<Data>["references"];

const STORES = {
  "in memory": () => memoryStore(),
  "on one shard": () => redisStore(client, { prefix: freshPrefix(), timeout: "20 seconds" }),
  "on four shards": () =>
    redisStore(client, { prefix: freshPrefix(), timeout: "20 seconds", shards: 4 }),
};

const HOUR = 3_600_000;
const FULL = { code: "ERR_SESSION_LIMIT", status: 409, field: "user_id", limit: 2 };
const UNKNOWN_TOKEN = `AA${"a".repeat(32)}`;

async function refusal(work: Promise<unknown>): Promise<SessionError> {
  return work.then(
    (done) => expect.fail(`it was done: ${JSON.stringify(done)}`),
    (error) => error,
  );
}

describe.each(Object.entries(STORES))("%s", (_, createStore) => {
  const open = (references: References = { user_id: {}, team_ids: { identity: false } }) =>
    createSessions<Data>({ store: createStore(), references });

  /** The ids of a user's sessions, made one after the other. */
  async function signInTimes(sessions: Sessions<Data>, count: number): Promise<string[]> {
    const ids: string[] = [];
    for (let i = 0; i < count; i++) {
      ids.push((await sessions.create({ user_id: 1 })).session.id);
      await new Promise((resolve) => setTimeout(resolve, 2)); // in milliseconds of their own
    }
    return ids;
  }

  const members = async (sessions: Sessions<Data>) =>
    (await sessions.by("user_id", 1).ids()).sort();

  describe("asOf", () => {
    type Call = (sessions: Sessions<Data>, token: string, asOf: Date | number) => Promise<unknown>;
    const verbs: Record<string, Call> = {
      create: (sessions, _token, asOf) => sessions.create({ user_id: 1 }, { asOf }),
      "signIn without a session": (sessions, _token, asOf) =>
        sessions.signIn(null, { user_id: 1 }, { asOf }),
      "signIn with a token that leads nowhere": (sessions, _token, asOf) =>
        sessions.signIn(UNKNOWN_TOKEN, { user_id: 1 }, { asOf }),
      signIn: (sessions, token, asOf) => sessions.signIn(token, { user_id: 1 }, { asOf }),
      rotate: (sessions, token, asOf) => sessions.rotate(token, { user_id: 1 }, { asOf }),
    };

    /**
     * Calls with a moment in the future, right after a clear. It counts as now, so it is refused for two
     * seconds. A busy machine takes longer, and tries again with another store.
     */
    async function clearAndCall(call: Call) {
      for (;;) {
        const sessions = open();
        const visitor = await sessions.create({ theme: "dark" });
        const read = Date.now();
        await sessions.by("user_id", 1).clear();
        const future = call(sessions, visitor.token, read + 10 * HOUR);
        await Promise.allSettled([future]);
        if (Date.now() - read < 1500) return { sessions, visitor, read, future };
      }
    }

    test.each(Object.entries(verbs))(
      "%s is refused after a clear, and does nothing",
      async (_verb, call) => {
        const { sessions, visitor, read, future } = await clearAndCall(call);
        const errors = [await refusal(future)];
        for (const asOf of [read, new Date(read), read - 2 * HOUR]) {
          errors.push(await refusal(call(sessions, visitor.token, asOf)));
        }
        for (const error of errors) {
          expect(error).toMatchObject({ code: "ERR_SESSION_GONE", status: 409 });
          expect(error.hint).toMatch(/Read the credentials again.* ask the user to sign in again/);
          expect(`${error.message} ${error.hint}`).not.toContain(visitor.token);
        }
        expect(await members(sessions)).toEqual([]);
        expect((await sessions.get(visitor.token))?.data).toEqual({ theme: "dark" });
        await call(sessions, visitor.token, undefined as unknown as number);
        expect(await members(sessions)).toHaveLength(1);
      },
    );

    test.each(Object.entries(verbs))(
      "%s is let in where nothing was cleared",
      async (_verb, call) => {
        const sessions = open();
        const visitor = await sessions.create({ theme: "dark" });
        await sessions.by("user_id", 2).clear();
        await call(sessions, visitor.token, new Date(Date.now() - HOUR / 2));
        expect(await members(sessions)).toHaveLength(1);
      },
    );

    test.each(Object.entries(verbs))("%s refuses what is no moment", async (_verb, call) => {
      const sessions = open();
      const visitor = await sessions.create();
      const wrong = [
        Number.NaN,
        Number.POSITIVE_INFINITY,
        new Date("x"),
        "2026-01-01",
        null,
        5n,
        {},
      ];
      for (const asOf of wrong) {
        const error = await refusal(call(sessions, visitor.token, asOf as number));
        expect(error).toMatchObject({ code: "ERR_SESSION_CONFIG", option: "asOf" });
      }
      expect(await members(sessions)).toEqual([]);
    });
  });

  describe.each(["reject", "end-oldest"] as const)("a limit that says %s", (whenFull) => {
    const limited = () => open({ user_id: { limit: 2, whenFull }, team_ids: { identity: false } });
    const entries: Record<
      string,
      (sessions: Sessions<Data>) => Promise<{ session: { id: string } }>
    > = {
      create: (sessions) => sessions.create({ user_id: 1 }),
      signIn: async (sessions) => sessions.signIn((await sessions.create()).token, { user_id: 1 }),
      "signIn of another user": async (sessions) =>
        sessions.signIn((await sessions.create({ user_id: 2 })).token, { user_id: 1 }),
      rotate: async (sessions) => {
        const rotated = await sessions.rotate((await sessions.create()).token, { user_id: 1 });
        return rotated as { session: { id: string } };
      },
    };

    test.each(Object.entries(entries))("holds for %s", async (_verb, enter) => {
      const sessions = limited();
      const [first = "", second = ""] = await signInTimes(sessions, 2);
      if (whenFull === "reject") {
        const error = await refusal(enter(sessions));
        expect(error).toMatchObject(FULL);
        expect(error.hint).toMatch(/nothing was written or ended/);
        expect(await members(sessions)).toEqual([first, second].sort());
      } else {
        const { session } = await enter(sessions);
        expect(await members(sessions)).toEqual([second, session.id].sort());
        expect(await sessions.byId(first).get()).toBeNull();
      }
    });

    test("does not count the session that the sign-in ends, nor expired ones", async () => {
      const sessions = limited();
      await sessions.create({ user_id: 1 }, { idleTimeout: 1 });
      await expect.poll(() => sessions.by("user_id", 1).size()).toBe(0);
      const { token } = await sessions.create({ user_id: 1 });
      const [other = ""] = await signInTimes(sessions, 1);
      const { session } = await sessions.signIn(token, { user_id: 1 });
      expect(await members(sessions)).toEqual([other, session.id].sort());
    });

    test("leaves alone what is in the set already", async () => {
      const sessions = limited();
      const { token, session } = await sessions.create({ user_id: 1 });
      const [other = ""] = await signInTimes(sessions, 1);
      const rotated = await sessions.rotate(token, { user_id: 1, theme: "dark" });
      await sessions.set(rotated?.token ?? "", { theme: "light" });
      expect(rotated?.session?.lineage).toBe(session.id);
      expect(await members(sessions)).toEqual([other, rotated?.session?.id].sort());
    });

    test("is exact once the last of parallel logins has returned", async () => {
      const sessions = open({ user_id: { limit: 3, whenFull } });
      await signInTimes(sessions, 3);
      let [fewest, isOver] = [3, false];
      const watch = (async () => {
        while (!isOver) fewest = Math.min(fewest, await sessions.by("user_id", 1).size());
      })();
      const made = await Promise.allSettled(
        Array.from({ length: 30 }, () => sessions.create({ user_id: 1 })),
      );
      isOver = true;
      await watch;
      expect(fewest).toBe(3);
      expect(await sessions.by("user_id", 1).size()).toBe(3);
      const refused = made.filter(({ status }) => status === "rejected");
      expect(refused).toHaveLength(whenFull === "reject" ? 30 : 0);
    });

    test("lets as many parallel logins in as it allows", async () => {
      const sessions = open({ user_id: { limit: 3, whenFull } });
      const made = await Promise.allSettled(
        Array.from({ length: 30 }, () => sessions.create({ user_id: 1 })),
      );
      const live = await members(sessions);
      expect(live).toHaveLength(3);
      const ids = made.flatMap((one) => (one.status === "fulfilled" ? [one.value.session.id] : []));
      if (whenFull === "reject") expect(ids.sort()).toEqual(live);
      else expect(ids).toEqual(expect.arrayContaining(live));
    });
  });

  describe("a limit of a field that says nothing about the user", () => {
    const limited = (whenFull: "reject" | "end-oldest") =>
      open({ user_id: {}, team_ids: { identity: false, limit: 2, whenFull } });
    const size = (sessions: Sessions<Data>, team: number) => sessions.by("team_ids", team).size();

    test("holds for set, and counts an array value by value", async () => {
      const sessions = limited("reject");
      await sessions.create({ team_ids: [1, 2] });
      await sessions.create({ team_ids: [1] });
      const { token } = await sessions.create({ theme: "dark" });
      const error = await refusal(sessions.set(token, { team_ids: [3, 2, 1], theme: "light" }));
      expect(error).toMatchObject({ ...FULL, field: "team_ids" });
      expect((await sessions.get(token))?.data).toEqual({ theme: "dark" });
      expect([await size(sessions, 1), await size(sessions, 2), await size(sessions, 3)]).toEqual([
        2, 1, 0,
      ]);
      expect(await sessions.set(token, { team_ids: [3, 2] })).toBe(true);
    });

    test("set ends the oldest, and is refused for a session that is older than all", async () => {
      const sessions = limited("end-oldest");
      const old = await sessions.create({ theme: "dark" });
      const first = await sessions.create({ team_ids: [1] });
      await new Promise((resolve) => setTimeout(resolve, 2));
      await sessions.create({ team_ids: [1] });
      await new Promise((resolve) => setTimeout(resolve, 2));
      const young = await sessions.create();
      expect(await refusal(sessions.set(old.token, { team_ids: [1] }))).toMatchObject({
        ...FULL,
        field: "team_ids",
      });
      expect(await sessions.set(young.token, { team_ids: [1] })).toBe(true);
      expect(await sessions.get(first.token)).toBeNull();
      expect(await size(sessions, 1)).toBe(2);
    });

    test.each(["reject", "end-oldest"] as const)(
      "by().set never overfills a set that says %s",
      async (whenFull) => {
        const sessions = limited(whenFull);
        for (let i = 0; i < 3; i++) await sessions.create({ user_id: 1 });
        const user = sessions.by("user_id", 1);
        expect(await refusal(user.set({ team_ids: [1] }))).toMatchObject({
          ...FULL,
          field: "team_ids",
        });
        expect(await size(sessions, 1)).toBe(0);
        await user.trim({ keep: 2 });
        expect(await user.set({ team_ids: [1] })).toBe(2);
        expect(await user.set({ team_ids: [1] })).toBe(2); // they are in it already
        await sessions.create({ user_id: 2 });
        expect(await refusal(sessions.by("user_id", 2).set({ team_ids: [1] }))).toMatchObject({
          code: "ERR_SESSION_LIMIT",
        });
      },
    );
  });

  describe("trim", () => {
    test("ends all but the newest, and resolves to how many", async () => {
      const sessions = open();
      const ids = await signInTimes(sessions, 5);
      await sessions.create({ user_id: 2 });
      expect(await sessions.by("user_id", 1).trim({ keep: 3 })).toBe(2);
      expect(await members(sessions)).toEqual(ids.slice(2).sort());
      expect(await sessions.by("user_id", 1).trim({ keep: 3 })).toBe(0);
      expect(await sessions.by("user_id", 2).size()).toBe(1);
    });

    test("refuses what is not one or more, and ends nothing", async () => {
      const sessions = open();
      const ids = await signInTimes(sessions, 2);
      const user = sessions.by("user_id", 1);
      for (const keep of [0, -1, 1.5, Number.NaN, "2", null, undefined]) {
        const error = await refusal(user.trim({ keep } as { keep: number }));
        expect(error).toMatchObject({ code: "ERR_SESSION_CONFIG", option: "keep" });
        expect(error.message).toMatch(/call clear\(\)/);
      }
      expect(
        await refusal(user.trim({ keep: 1, except: ids[0] } as { keep: number })),
      ).toMatchObject({
        code: "ERR_SESSION_CONFIG",
      });
      expect(await refusal(user.trim({ keep: 1, replicas: -1 }))).toMatchObject({
        option: "replicas",
      });
      expect(await members(sessions)).toEqual([...ids].sort());
    });
  });
});

test("the memory store remembers a clear for an hour", async () => {
  let now = 1_800_000_000_000;
  const store = memoryStore({ now: () => now });
  const sessions = createSessions<Data>({ store, references: { user_id: {} } });
  const read = now;
  await sessions.by("user_id", 1).clear();
  now += HOUR - 2_000;
  expect(await refusal(sessions.create({ user_id: 1 }, { asOf: read }))).toMatchObject({
    code: "ERR_SESSION_GONE",
  });
  await sessions.create({ user_id: 1 }, { asOf: read + 2_001 });
  now += 1;
  await sessions.create({ user_id: 2 }, { asOf: read + 2_001 });
  expect(await refusal(sessions.create({ user_id: 2 }, { asOf: read }))).toMatchObject({
    code: "ERR_SESSION_GONE",
  });
});

test("a full memory store takes every set for cleared rather than forget a clear", async () => {
  let now = 1_800_000_000_000;
  const store = memoryStore({ now: () => now, maxSessions: 3 });
  const sessions = createSessions<Data>({ store, references: { user_id: {} } });
  const read = now;
  for (let user = 0; user < 5; user++) {
    await sessions.by("user_id", user).clear();
    now += 10_000;
  }
  // Of users 0 and 1 it has forgotten when they were cleared; the last of both was 40 seconds ago.
  for (const [user, asOf] of [
    [0, read],
    [0, read + 12_000],
    [9, read + 12_000],
    [4, read + 42_000],
  ] as const) {
    const refused = refusal(sessions.create({ user_id: user }, { asOf }));
    expect(await refused).toMatchObject({ code: "ERR_SESSION_GONE" });
  }
  await sessions.create({ user_id: 0 }, { asOf: read + 12_001 });
});

test("a full memory store has room for a session in place of those that a limit ends", async () => {
  const store = memoryStore({ maxSessions: 2 });
  const references: References = { user_id: { limit: 2, whenFull: "end-oldest" } };
  const sessions = createSessions<Data>({ store, references });
  const first = await sessions.create({ user_id: 1 });
  const second = await sessions.create({ user_id: 1 });
  const third = await sessions.create({ user_id: 1 });
  expect(await sessions.get(first.token)).toBeNull();
  const fourth = await sessions.signIn(null, { user_id: 1 });
  expect(await sessions.get(second.token)).toBeNull();
  expect((await sessions.by("user_id", 1).ids()).sort()).toEqual(
    [third.session.id, fourth.session.id].sort(),
  );
  expect(await refusal(sessions.create({ user_id: 2 }))).toMatchObject({ code: "ERR_STORE_FULL" });
  expect(await sessions.by("user_id", 1).size()).toBe(2);
});

test.each<[string, object, RegExp]>([
  ["a limit without whenFull", { limit: 5 }, /"end-oldest".*"reject"/],
  ["an unknown whenFull", { limit: 5, whenFull: "oldest" }, /"end-oldest".*"reject"/],
  ["whenFull without a limit", { whenFull: "reject" }, /no limit/],
  ["a limit of none", { limit: 0, whenFull: "reject" }, /whole number above zero/],
  ["a limit of a part", { limit: 1.5, whenFull: "reject" }, /whole number above zero/],
  ["a limit that is a text", { limit: "5", whenFull: "reject" }, /whole number above zero/],
])("createSessions refuses %s", (_what, declared, says) => {
  const create = () =>
    createSessions({ store: memoryStore(), references: { user_id: declared } as References });
  expect(create).toThrow(expect.objectContaining({ code: "ERR_SESSION_CONFIG" }));
  expect(create).toThrow(says);
});
