/* When a session ends of whose deadlines the program has named both, one or none. */
import { Redis } from "ioredis";
import { createSessions, type Deadlines, type Session, type SessionsOptions } from "session-sets";
import { SessionSetsStore } from "session-sets/compat/express-session";
import { memoryStore } from "session-sets/memory";
import { redisStore } from "session-sets/redis";
import { afterAll, describe, expect, test } from "vitest";
import { redisUrl } from "../../support/redis/shared.ts";
import { freshPrefix } from "../../support/stores/stores.ts";

interface Data {
  user_id?: number;
  theme?: string;
}

const DAY = 86_400_000;
const client = new Redis(redisUrl());
afterAll(() => client.quit());

const stores = {
  "in memory": () => {
    const now = Date.now(); // it stands still: the deadlines are compared to the millisecond
    return memoryStore({ now: () => now });
  },
  "on Redis": () => redisStore(client, { prefix: freshPrefix(), timeout: "20 seconds" }),
};

/** The ways to make a session with deadlines of its own. */
const ways = ["create", "signIn without a session", "signIn over a session"] as const;

/** The deadlines of a session that nobody has used since, in ms from its beginning. */
function computeTimeouts({ createdAt, expiresAt, absoluteDeadline }: Session<unknown>) {
  const since = (date: Date | null) => date && date.getTime() - createdAt.getTime();
  return { expires: since(expiresAt), absolute: since(absoluteDeadline) };
}

const bothOff = { idleTimeout: null, absoluteTimeout: null };
const BOTH_OFF = /must end some day.*cannot both be null: give one of them a duration/;
const IDLE_LONGER =
  /idleTimeout is longer than absoluteTimeout.*set both, or .*absoluteTimeout: null/;

function refused(says: RegExp) {
  return expect.objectContaining({
    code: "ERR_SESSION_CONFIG",
    message: expect.stringMatching(says),
  });
}

describe.each(Object.entries(stores))("a session %s", (_where, openStore) => {
  type Given = Pick<SessionsOptions<Data>, "idleTimeout" | "absoluteTimeout">;
  const open = (given: Given = {}) =>
    createSessions<Data>({ store: openStore(), references: ["user_id"], ...given });
  type Opened = ReturnType<typeof open>;

  async function make(sessions: Opened, way: (typeof ways)[number], deadlines?: Deadlines) {
    if (way === "create") return sessions.create({ user_id: 1 }, deadlines);
    const old = way === "signIn over a session" ? (await sessions.create({})).token : null;
    return sessions.signIn(old, { user_id: 1 }, deadlines);
  }

  describe.each(ways)("made by %s", (way) => {
    test.each<
      [what: string, Given, Deadlines | undefined, expires: number, absolute: number | null]
    >([
      ["7 days unused and 30 days at most, where nothing is said", {}, undefined, 7, 30],
      ["the same, where no deadline of its own is named", {}, {}, 7, 30],
      ["the same, where both are undefined", { idleTimeout: undefined }, {}, 7, 30],
      ["30 days however idle, where the idle one is off", { idleTimeout: null }, {}, 30, 30],
      [
        "7 days unused and for ever, where the other is off",
        { absoluteTimeout: null },
        {},
        7,
        null,
      ],
      ["a day unused and 30 days at most", { idleTimeout: "1 day" }, {}, 1, 30],
      ["2 days at most", { absoluteTimeout: "2 days" }, {}, 2, 2],
      ["as long as was said", { idleTimeout: "40 days", absoluteTimeout: "50 days" }, {}, 40, 50],
      [
        "idle longer than at most, where both are named",
        { absoluteTimeout: 1 * DAY, idleTimeout: 2 * DAY },
        {},
        1,
        1,
      ],
      ["without its own idle deadline", {}, { idleTimeout: null }, 30, 30],
      ["without its own absolute deadline", {}, { absoluteTimeout: null }, 7, null],
      [
        "90 days unused, where it has no absolute one",
        {},
        { idleTimeout: "90 days", absoluteTimeout: null },
        90,
        null,
      ],
      [
        "90 days unused, where both are its own",
        {},
        { idleTimeout: "90 days", absoluteTimeout: "100 days" },
        90,
        100,
      ],
      [
        "90 days unused, where the program has named the other",
        { absoluteTimeout: "1 year" },
        { idleTimeout: "90 days" },
        90,
        365.25,
      ],
      [
        "with an idle deadline of its own alone",
        { idleTimeout: null },
        { idleTimeout: "1 day" },
        1,
        30,
      ],
      [
        "an absolute one in place of none",
        { absoluteTimeout: null },
        { absoluteTimeout: "1 day" },
        1,
        1,
      ],
      ["30 days unused, which is no longer than 30 days", {}, { idleTimeout: "30 days" }, 30, 30],
    ])("lives %s", async (_, given, own, expires, absolute) => {
      const sessions = open(given);
      const { token, session } = await make(sessions, way, own);
      const days = { expires: expires * DAY, absolute: absolute && absolute * DAY };
      expect(computeTimeouts(session)).toEqual(days);
      const read = await sessions.get(token, { touch: false });
      expect(read && computeTimeouts(read)).toEqual(days);
    });

    test.each<[what: string, Given, Deadlines, says: RegExp]>([
      ["both are off", {}, bothOff, BOTH_OFF],
      [
        "the one that the program has left is off",
        { idleTimeout: null },
        { absoluteTimeout: null },
        BOTH_OFF,
      ],
      [
        "the other one that it has left is off",
        { absoluteTimeout: null },
        { idleTimeout: null },
        BOTH_OFF,
      ],
      [
        "it is idle for longer than the 30 days that nobody has named",
        {},
        { idleTimeout: "31 days" },
        IDLE_LONGER,
      ],
      ["it is idle for a millisecond longer", {}, { idleTimeout: 30 * DAY + 1 }, IDLE_LONGER],
      [
        "only the program's idle timeout is named beside it",
        { idleTimeout: "1 day" },
        { idleTimeout: "60 days" },
        IDLE_LONGER,
      ],
    ])("is refused where %s", async (_, given, own, says) => {
      const sessions = open(given);
      const { token } = await sessions.create({ theme: "dark" });
      const make = () =>
        way === "create"
          ? sessions.create({ user_id: 1 }, own)
          : sessions.signIn(way === "signIn over a session" ? token : null, { user_id: 1 }, own);
      await expect(make()).rejects.toThrowError(refused(says));
      expect(await sessions.by("user_id", 1).size()).toBe(0);
      expect((await sessions.get(token))?.data).toEqual({ theme: "dark" });
    });
  });

  test("that takes another's place by a rotation has the program's deadlines, not the old one's", async () => {
    const sessions = open({ idleTimeout: "2 days" });
    const own = { idleTimeout: "1 hour", absoluteTimeout: "1 day" } as const;
    const { token } = await sessions.create({ theme: "dark" }, own);
    const rotated = await sessions.rotate(token, { user_id: 1 });
    expect(rotated?.session && computeTimeouts(rotated.session)).toEqual({
      expires: 2 * DAY,
      absolute: 30 * DAY,
    });
  });
});

describe("createSessions", () => {
  test("works with references alone, and with nothing", async () => {
    const users = createSessions({ references: ["user_id"] });
    const { token, session } = await users.create({ user_id: 1 });
    expect(computeTimeouts(session)).toEqual({ expires: 7 * DAY, absolute: 30 * DAY });
    expect(await users.by("user_id", 1).ids()).toEqual([session.id]);
    expect((await users.get(token))?.data).toEqual({ user_id: 1 });
    for (const nothing of [createSessions(), createSessions({})]) {
      const made = await nothing.create({ theme: "dark" });
      expect(computeTimeouts(made.session)).toEqual({ expires: 7 * DAY, absolute: 30 * DAY });
      await nothing.close();
    }
    await users.close();
  });

  test.each<[what: string, Deadlines, says: RegExp]>([
    ["both deadlines off", bothOff, BOTH_OFF],
    [
      "an idle timeout over the 30 days that nobody has named",
      { idleTimeout: "90 days" },
      IDLE_LONGER,
    ],
    ["one a millisecond over them", { idleTimeout: 30 * DAY + 1 }, IDLE_LONGER],
    [
      "one over them, with an absolute one that is undefined",
      { idleTimeout: "90 days", absoluteTimeout: undefined },
      IDLE_LONGER,
    ],
  ])("refuses %s", (_, deadlines, says) => {
    expect(() => createSessions({ store: memoryStore(), ...deadlines })).toThrowError(
      refused(says),
    );
  });

  test.each<[what: string, Deadlines]>([
    ["an idle timeout of 30 days", { idleTimeout: "30 days" }],
    [
      "a longer one, where the absolute one is off",
      { idleTimeout: "90 days", absoluteTimeout: null },
    ],
    ["a longer one, where both are named", { idleTimeout: "90 days", absoluteTimeout: "30 days" }],
    ["an absolute one that is shorter than 7 days", { absoluteTimeout: "1 hour" }],
  ])("takes %s", (_, deadlines) => {
    expect(() => createSessions({ store: memoryStore(), ...deadlines })).not.toThrow();
  });
});

describe("a session of express-session", () => {
  test.each([
    ["in memory", () => ({ store: memoryStore() })],
    ["on Redis", () => ({ client, prefix: freshPrefix(), timeout: "20 seconds" as const })],
  ] as const)("lives as its cookie says, with no absolute deadline, %s", async (_, where) => {
    const store = new SessionSetsStore({ ...where(), references: { user_id: {} } });
    const day = { originalMaxAge: null };
    await store.set("browser", { cookie: day, user_id: 1 });
    const [session] = await store.by("user_id", 1).list();
    expect(session && computeTimeouts(session)).toEqual({ expires: DAY, absolute: null });
    const year = { originalMaxAge: 365 * DAY };
    await store.set("year", { cookie: year, user_id: 2 });
    const [long] = await store.by("user_id", 2).list();
    expect(long && computeTimeouts(long)).toEqual({ expires: 365 * DAY, absolute: null });
  });

  test("may be idle for longer than 30 days", () => {
    const options = { store: memoryStore(), idleTimeout: "90 days" } as const;
    expect(() => new SessionSetsStore(options)).not.toThrow();
  });
});
