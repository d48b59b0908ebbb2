/* How references are declared, what values they take, and what a program is warned of. */
import { Redis } from "ioredis";
import { createSessions, type SessionStore, type SessionsOptions } from "session-sets";
import { SessionSetsStore } from "session-sets/compat/express-session";
import { memoryStore } from "session-sets/memory";
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { redisUrl } from "../../support/redis/shared.ts";
import { recordedStore } from "../../support/stores/recorded-store.ts";
import { openMemory, openRedis } from "../../support/stores/stores.ts";

interface Data {
  user_id?: number | string | boolean | (number | string)[] | null;
  team_ids?: number[];
  theme?: string;
}

const client = new Redis(redisUrl());
afterAll(() => client.quit());
afterEach(() => {
  vi.restoreAllMocks();
});

const stores = {
  "in memory": () => openMemory().store,
  "on Redis": () => openRedis(client, 1).store,
  "on Redis with 4 shards": () => openRedis(client, 4).store,
};

/** A name that no other test has declared: a warning is given once in a process. */
let names = 0;
const freshName = () => `user_${++names}`;

/** The process's warnings from now on, as text and code. */
function heed(): [message: string, code: string][] {
  const heard: [message: string, code: string][] = [];
  vi.spyOn(process, "emitWarning").mockImplementation((message, options) => {
    heard.push([String(message), (options as { code: string }).code]);
  });
  return heard;
}

function openWith(store: SessionStore, references: unknown) {
  const options = { store, references } as SessionsOptions<Record<string, unknown>>;
  return createSessions<Record<string, unknown>>(options);
}

describe.each(Object.entries(stores))("references %s", (_where, openStore) => {
  test.each<[what: string, references: unknown]>([
    ["a record of options", { user_id: {}, team_ids: { identity: false } }],
    ["a record of true", { user_id: true, team_ids: { identity: false } }],
    ["a list of names and records", ["user_id", { team_ids: { identity: false } }]],
    ["a list of records", [{ user_id: true }, { team_ids: { identity: false } }]],
    ["a list of one record", [{ user_id: { identity: true }, team_ids: { identity: false } }]],
    [
      "what is left out as undefined, too",
      { user_id: true, team_ids: { identity: false }, theme: undefined },
    ],
  ])("may be %s", async (_, references) => {
    const warnings = heed();
    const sessions = openWith(openStore(), references);
    const values = { user_id: 1, team_ids: [7, 8], theme: "dark" };
    const { token, session } = await sessions.create(values);
    expect(await sessions.by("user_id", 1).ids()).toEqual([session.id]);
    expect(await sessions.by("team_ids", 8).ids()).toEqual([session.id]);
    expect(() => sessions.by("theme", "dark")).toThrowError(/\(declared: "user_id", "team_ids"\)/);
    await expect(sessions.set(token, { user_id: 2 })).rejects.toThrowError(/"user_id"/);
    expect(await sessions.set(token, { team_ids: [9] })).toBe(true);
    expect(warnings).toEqual([]);
  });

  describe("declared to be of one type", () => {
    const code = "ERR_SESSION_VALUE";
    const says = (type: string, got: string) =>
      new RegExp(
        `"user_id" is declared \\{ type: "${type}" \\}, but got a ${got}; convert it first`,
      );

    test.each<[type: "number" | "string", good: Data["user_id"], bad: unknown, got: string]>([
      ["number", 60, "60", "string"],
      ["number", [60, 61], [60, "61"], "string"],
      ["number", 0, true, "boolean"],
      ["number", -0.5, "", "string"],
      ["string", "60", 60, "number"],
      ["string", ["60", "a"], ["a", 60], "number"],
      ["string", "", false, "boolean"],
    ])("%s they take %j, and refuse %j wherever it is given", async (type, good, bad, got) => {
      const asked: string[] = [];
      const store = recordedStore(openStore(), (operation) => {
        asked.push(operation);
        return undefined;
      });
      const identities = createSessions<Data>({ store, references: { user_id: { type } } });
      const others = createSessions<Data>({
        store,
        references: { user_id: { type, identity: false } },
      });
      const element = [good].flat()[0] as number;
      const { token } = await identities.create({ user_id: good ?? null });
      expect((await identities.get(token))?.data).toEqual({ user_id: good });
      expect(await identities.by("user_id", element).size()).toBe(1);
      expect(await others.set(token, { user_id: good ?? null })).toBe(true);
      expect(await others.set(token, { user_id: null })).toBe(true);
      const again = await identities.signIn(token, { user_id: good ?? null });
      expect(await identities.rotate(again.token, { user_id: good ?? null })).not.toBeNull();

      asked.length = 0;
      const values = { user_id: bad } as Data;
      for (const work of [
        () => identities.create(values),
        () => identities.signIn(null, values),
        () => identities.signIn(again.token, values),
        () => identities.rotate(again.token, values),
        () => others.set(again.token, values),
        () => others.by("user_id", element).set(values),
      ]) {
        const message = expect.stringMatching(says(type, got));
        await expect(work()).rejects.toThrowError(expect.objectContaining({ code, message }));
      }
      const wrong = [bad].flat().at(-1) as number;
      expect(() => identities.by("user_id", wrong)).toThrowError(
        expect.objectContaining({ code, message: expect.stringMatching(says(type, got)) }),
      );
      expect(asked).toEqual([]);
    });
  });

  describe("a set that is empty, of a value that has sessions as the other type,", () => {
    let field: string;
    let warnings: [message: string, code: string][];
    beforeEach(() => {
      field = freshName();
      warnings = heed();
    });

    const told = (value: string, other: string) => [
      [
        `by("${field}", …) was called with a ${value} and found no session, but there are sessions that have the same value as a ${other}: convert it (values from a URL or a form are strings), or declare the reference { type: "${other}" }`,
        "SESSION_SETS_VALUE_TYPE",
      ],
    ];
    const asks = ["clear", "size", "list"] as const;

    test.each(asks)("is told once by %s, for a text and for a number", async (ask) => {
      const sessions = openWith(openStore(), [field]);
      await sessions.create({ [field]: 60 });
      await sessions.by(field, "60")[ask]();
      expect(warnings).toEqual(told("string", "number"));
      await sessions.by(field, "60")[ask]();
      for (const other of asks) await sessions.by(field, "60")[other]();
      expect(warnings).toHaveLength(1);
      expect(await sessions.by(field, 60).size()).toBe(1);

      warnings.length = 0;
      await sessions.create({ [field]: ["7", "8"] });
      await sessions.by(field, 8)[ask]();
      expect(warnings).toEqual(told("number", "string"));
      expect(JSON.stringify(warnings)).not.toMatch(/60|[78]"/);
    });

    test("is not told of where neither, or both, have sessions, or no set is looked for", async () => {
      const sessions = openWith(openStore(), [field]);
      const { token } = await sessions.create({ [field]: 60 });
      await sessions.create({ [field]: ["60", "61"] });
      for (const value of [
        60,
        "60",
        61.5,
        "61.5",
        62,
        "62",
        "",
        "a",
        true,
        "1e400",
        "-0",
        "60.0",
      ]) {
        const set = sessions.by(field, value);
        expect(await set.size()).toBe(await set.list().then((list) => list.length));
      }
      await sessions.delete(token);
      expect(await sessions.by(field, 61).ids()).toEqual([]);
      for await (const session of sessions.by(field, 61)) expect(session).toBeNull();
      expect(await sessions.by(field, 61).has(`AA${"a".repeat(22)}`)).toBe(false);
      expect(warnings).toEqual([]);
    });

    test("is not told of where the one session of the set is spared", async () => {
      const sessions = openWith(openStore(), [field]);
      const { session } = await sessions.create({ [field]: "60" });
      for (let n = 0; n < 40; n++) await sessions.create({ [field]: 60 });
      expect(await sessions.by(field, "60").clear({ except: session.id })).toBe(0);
      expect(warnings).toEqual([]);
      expect(await sessions.by(field, "60").clear()).toBe(1);
      expect(warnings).toEqual([]);
      expect(await sessions.by(field, "60").clear()).toBe(0);
      expect(warnings).toEqual(told("string", "number"));
    });

    test("is told of where the spared session is of another set", async () => {
      const sessions = openWith(openStore(), [field]);
      const { session } = await sessions.create({ [field]: 60 });
      expect(await sessions.by(field, "60").clear({ except: session.id })).toBe(0);
      expect(warnings).toEqual(told("string", "number"));
    });

    test("is not told of where the sessions of the other type have ended", async () => {
      const sessions = openWith(openStore(), [field]);
      await sessions.create({ [field]: 60 });
      await sessions.by(field, 60).clear();
      expect(await sessions.by(field, "60").clear()).toBe(0);
      expect(warnings).toEqual([]);
    });

    test.each(["number", "string"])("is not looked for where it is declared a %s", async (type) => {
      const store = openStore();
      const untyped = openWith(store, [field]);
      await untyped.create({ [field]: [60, "61"] });
      const sessions = openWith(store, { [field]: { type } });
      const value = type === "number" ? 61 : "60";
      for (const ask of asks) await sessions.by(field, value)[ask]();
      expect(warnings).toEqual([]);
    });

    test("is told of a boolean, too, and no type is advised that there is not", async () => {
      const sessions = openWith(openStore(), [field]);
      await sessions.create({ [field]: true });
      expect(await sessions.by(field, "true").size()).toBe(0);
      expect(warnings).toEqual([
        [
          expect.stringMatching(/ a string .* as a boolean: convert it \([^)]*\)$/),
          expect.anything(),
        ],
      ]);
    });

    test("is told of under express-session by the reference's own name", async () => {
      const from = (session: { user?: number }) => session.user;
      const store = new SessionSetsStore({
        store: openStore(),
        references: { [field]: { from } },
      });
      await store.set("sid", { cookie: {}, user: 60 });
      expect(await store.by(field, "60").clear()).toBe(0);
      expect(warnings).toEqual([
        [
          expect.stringMatching(new RegExp(`^by\\("${field}", .*convert it \\([^)]*\\)$`)),
          expect.anything(),
        ],
      ]);
    });
  });
});

describe("more than one reference that says who the user is", () => {
  const declared = (references: unknown) => openWith(memoryStore(), references);

  test("is told once, with their names", () => {
    const warnings = heed();
    const [a, b, c] = [freshName(), freshName(), freshName()];
    declared({ [a]: {}, [b]: { identity: false }, [c]: true });
    expect(warnings).toEqual([
      [
        `The references "${a}" and "${c}" all count as saying who the user is, so a change of any of them is a sign-in. Declare those that do not, such as a team or an address, { identity: false }`,
        "SESSION_SETS_IDENTITIES",
      ],
    ]);
    declared([a, { [b]: { identity: false } }, c]);
    expect(warnings).toHaveLength(1);
    declared([a, b, c]);
    expect(warnings).toHaveLength(2);
    expect(warnings[1]?.[0]).toContain(`"${a}" and "${b}" and "${c}"`);
  });

  test("is not told of where one does, or none, or under express-session", () => {
    const warnings = heed();
    const [a, b] = [freshName(), freshName()];
    declared([a]);
    declared([a, { [b]: { identity: false } }]);
    declared({ [a]: { identity: false }, [b]: { identity: false } });
    new SessionSetsStore({ store: memoryStore(), references: { [a]: {}, [b]: {} } });
    expect(warnings).toEqual([]);
  });
});
