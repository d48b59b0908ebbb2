/*
 * Requirements 2 to 6 (docs/design.md, "Requirements") on a real server. Requirement 1 is in
 * 1-tokens.test.ts, requirement 7 in 7-hostile.test.ts.
 */
import { createSessions, type Sessions } from "session-sets";
import { redisStore } from "session-sets/redis";
import { describe, expect, test } from "vitest";
import { startRedis } from "../../support/redis/server.ts";
import { elapseMarks, omitMarks } from "../../support/stores/clearing-marks.ts";
import { clients } from "../../support/stores/stores.ts";
import {
  type Data,
  openPrograms,
  type Programs,
  useThreePrograms,
} from "../../support/stores/three-programs.ts";

useThreePrograms();

describe("requirement 2: after delete or clear returns, a session is gone for good", () => {
  type Act = "set" | "unset" | "touch" | "rotate" | "get" | "set all";
  const ACTS: readonly Act[] = ["set", "unset", "touch", "rotate", "get", "set all"];

  /** A call that a request may make on a session. Gives the tokens that it made. */
  async function act(sessions: Sessions<Data>, token: string, name: Act): Promise<string[]> {
    if (name === "set") await sessions.set(token, { theme: "dark", team_ids: [8, 9] });
    if (name === "unset") await sessions.unset(token, ["theme"]);
    if (name === "touch") await sessions.touch(token, { idleTimeout: "2 hours" });
    if (name === "get") await sessions.get(token);
    if (name === "set all") await sessions.by("team_ids", 7).set({ theme: "light" });
    if (name !== "rotate") return [];
    const rotated = await sessions.rotate(token, { theme: "rotated" });
    return rotated?.token ? [rotated.token] : [];
  }

  async function expectGone({ all, check }: Programs, tokens: readonly string[]): Promise<void> {
    for (const sessions of all) {
      for (const token of tokens) {
        expect(await sessions.get(token)).toBeNull();
        expect(await sessions.set(token, { theme: "dark" })).toBe(false);
        expect(await sessions.rotate(token, { user_id: 1 })).toBeNull();
      }
      for (const team of [7, 8, 9]) expect(await sessions.by("team_ids", team).size()).toBe(0);
      expect(await sessions.by("user_id", 1).ids()).toEqual([]);
    }
    await check();
  }

  test("requirement 2: in every order of one delete and what other requests do", async () => {
    const orders = permutations(["set", "unset", "touch", "rotate", "end"] as const);
    await Promise.all(
      orders.map(async (order, i) => {
        const programs = openPrograms();
        const [sessions, other] = programs.all;
        const { token } = await sessions.create({ user_id: 1, team_ids: [7], theme: "x" });
        const tokens = [token];
        for (const name of order) {
          if (name !== "end") tokens.push(...(await act(other, token, name)));
          else if (i % 2 === 0) expect(await sessions.delete(token)).toBe(true);
          else expect(await sessions.by("user_id", 1).clear()).toBe(1);
        }
        await expectGone(programs, tokens);
      }),
    );
  });

  test.each([1, 4])("requirement 2: with all at once, on %i shard(s)", async (shards) => {
    const programs = openPrograms(shards);
    const [sessions] = programs.all;
    for (let round = 0; round < 20; round++) {
      const { token } = await sessions.create({ user_id: 1, team_ids: [7], theme: "x" });
      const acts = [...ACTS, ...ACTS].map(
        (name, i) => () => act(programs.all[(i % 3) as 0 | 1 | 2], token, name),
      );
      const end = async () => {
        await (round % 2 === 0 ? sessions.delete(token) : sessions.by("user_id", 1).clear());
        return [];
      };
      acts.splice(round % acts.length, 0, end);
      const made = await Promise.all(acts.map((one) => one()));
      await expectGone(programs, [token, ...made.flat()]);
    }
  });
});

describe("requirement 3: concurrent writes of different fields all survive", () => {
  test.each([1, 4])(
    "requirement 3: rotations in between included, on %i shard(s)",
    async (shards) => {
      const { all, check } = openPrograms(shards);
      const first = await all[0].create({ user_id: 1 });
      let current = first.token;
      const written: Record<string, number> = {};
      const writer = async (sessions: Sessions<Data>, name: string) => {
        for (let i = 0; i < 30; i++) {
          written[`${name}-${i}`] = i;
          // The token may be an old one by the time the command arrives.
          expect(await sessions.set(current, { [`${name}-${i}`]: i })).toBe(true);
        }
      };
      const rotator = async () => {
        for (let i = 0; i < 10; i++) {
          const rotated = await all[i % 2 === 0 ? 0 : 1].rotate(current, { [`rotated-${i}`]: i });
          expect(rotated).not.toBeNull();
          current = rotated?.token ?? "";
          written[`rotated-${i}`] = i;
        }
      };
      await Promise.all([
        ...all.flatMap((sessions, i) => [writer(sessions, `a${i}`), writer(sessions, `b${i}`)]),
        rotator(),
      ]);
      expect((await all[2].get(current))?.data).toEqual({ user_id: 1, ...written });
      expect(await all[2].by("user_id", 1).size()).toBe(1);
      await check();
    },
  );
});

describe("requirement 4: concurrent creates for one user are all listed, and all cleared", () => {
  test.each([1, 4])("requirement 4: 300 of them, on %i shard(s)", async (shards) => {
    const { all, check, keys } = openPrograms(shards);
    const made = await Promise.all(
      Array.from({ length: 300 }, (_, i) => all[(i % 3) as 0 | 1 | 2].create({ user_id: 1 })),
    );
    const ids = made.map(({ session }) => session.id).sort();
    const devices = all[0].by("user_id", 1);
    expect(await devices.size()).toBe(300);
    expect((await devices.ids()).sort()).toEqual(ids);
    expect((await devices.list({ limit: 500 })).map(({ id }) => id).sort()).toEqual(ids);
    await check();
    expect(await devices.clear()).toBe(300);
    expect(await devices.size()).toBe(0);
    for (const { token } of made) expect(await all[1].get(token)).toBeNull();
    expect(omitMarks(await keys())).toEqual([]);
  });
});

describe("requirement 5: a reference that goes takes its entry with it", () => {
  const REFERENCES = { user_id: {}, org_id: { identity: false }, team_ids: { identity: false } };

  const ways: Record<string, (sessions: Sessions<Data>, token: string) => Promise<unknown>> = {
    "changed by set": (sessions, token) => sessions.set(token, { org_id: 2, team_ids: [8] }),
    "set to null": (sessions, token) =>
      sessions.set(token, { org_id: null, team_ids: [] } as unknown as Data),
    unset: (sessions, token) => sessions.unset(token, ["org_id", "team_ids"]),
    "changed by rotate": (sessions, token) => sessions.rotate(token, { org_id: 2, team_ids: [8] }),
    "signed in as another": (sessions, token) => sessions.signIn(token, { user_id: 2 }),
    "signed in as another by rotate": (sessions, token) => sessions.rotate(token, { user_id: 2 }),
    "signed out by rotate": (sessions, token) =>
      sessions.rotate(token, { user_id: null } as unknown as Data),
    "changed through its set": (sessions) =>
      sessions.by("org_id", 1).set({ org_id: 2, team_ids: [8] }),
    "unset through its set": (sessions) => sessions.by("org_id", 1).unset(["org_id", "team_ids"]),
    deleted: (sessions, token) => sessions.delete(token),
    "deleted through its set": (sessions) => sessions.by("team_ids", 7).clear(),
  };

  test.each(Object.entries(ways))("requirement 5: %s", async (_name, change) => {
    const { all, check, keys } = openPrograms(4, REFERENCES);
    const [sessions, other] = all;
    const { token, session } = await sessions.create({ user_id: 1, org_id: 1, team_ids: [7, 9] });
    expect((await keys()).length).toBe(5);
    await change(sessions, token);
    for (const [field, value] of [
      ["org_id", 1],
      ["team_ids", 7],
      ["team_ids", 9],
    ] as const) {
      expect(await other.by(field, value).size()).toBe(0);
      expect(await other.by(field, value).has(session.id)).toBe(false);
    }
    expect((await keys()).filter((key) => /:r:(org_id:1|team_ids:[79])$/.test(key))).toEqual([]);
    await check();
  });
});

describe("requirement 6: nothing is left when all has expired", () => {
  /** Sessions of all kinds that end within two seconds, and what rotations leave. */
  async function fill(sessions: Sessions<Data>): Promise<void> {
    const ways: ((token: string, i: number) => Promise<unknown>)[] = [
      (token) => sessions.rotate(token),
      (token) => sessions.rotate(token, {}, { grace: 0 }),
      (token) => sessions.rotate(token, { user_id: 9 }),
      (token) => sessions.touch(token, { idleTimeout: 900 }),
      (token, i) => sessions.set(token, { team_ids: [i] }),
      (token) => sessions.unset(token, ["team_ids"]),
      (token) => sessions.signIn(token, { user_id: 8 }, { keep: ["team_ids"] }),
      (token) => sessions.rotate(token, { user_id: null } as unknown as Data),
      (token) => sessions.delete(token),
      (token) => sessions.get(token),
    ];
    for (let i = 0; i < 80; i++) {
      const deadlines = i % 3 === 0 ? { absoluteTimeout: 1500 } : {};
      const { token } = await sessions.create({ user_id: i % 5, team_ids: [i % 3, 7] }, deadlines);
      await ways[i % ways.length]?.(token, i);
    }
    await sessions.by("team_ids", 7).set({ team_ids: [6, 7], theme: "dark" });
    await sessions.by("user_id", 3).clear();
  }

  test("requirement 6: the key count is what it was, with no process running", async () => {
    const server = await startRedis();
    const observer = clients["ioredis 5"](server.url);
    try {
      await observer.mset("another", "program's", "key", "1");
      const client = clients["ioredis 6"](server.url);
      for (const [shards, as] of [
        [1, { as: "set" }],
        [4, {}],
      ] as const) {
        const sessions = createSessions<Data>({
          store: redisStore(client, { prefix: `p${shards}`, shards, timeout: "20 seconds" }),
          references: { user_id: {}, team_ids: { identity: false, ...as } },
          idleTimeout: 1800,
          rotationGrace: 1900,
        });
        await fill(sessions);
      }
      // On a busy machine some have expired by now.
      const expired = Number(/expired_keys:(\d+)/.exec(await observer.info("stats"))?.[1]);
      expect(expired + (await observer.dbsize())).toBeGreaterThan(100);
      await client.quit();
      // DBSIZE counts what has expired until the server itself has dropped it. The last to go are the
      // marks of a clear: one on one shard, and four on four.
      await expect.poll(() => observer.dbsize(), { interval: 100 }).toBe(2 + 5);
      expect(await elapseMarks(observer)).toBe(5);
      await expect.poll(() => observer.dbsize(), { interval: 100 }).toBe(2);
    } finally {
      observer.disconnect();
      await server.stop();
    }
  });
});

function permutations<T>(list: readonly T[]): T[][] {
  if (list.length === 0) return [[]];
  return list.flatMap((one, i) => permutations(list.toSpliced(i, 1)).map((rest) => [one, ...rest]));
}
