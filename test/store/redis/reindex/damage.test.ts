/* `sessions.reindex()` fixes each kind of damage, made by hand. */
import { describe, expect, test } from "vitest";
import {
  openPlace,
  openPlaces,
  type Place,
  reindexToEnd,
} from "../../../support/stores/reindexing.ts";
import { editTimes, parseTimes } from "../../../support/stores/times.ts";

const NONE = { added: 0, removed: 0, corrected: 0 };
const REFERENCES = { user_id: {}, team_ids: { identity: false } } as const;

interface Damage {
  readonly what: string;
  /** The report of a reindex. User 1 has at most `shards` sets. */
  readonly report: Partial<Record<keyof typeof NONE, number | "some">>;
  /** Damages the place; `key` is a session's hash, `set` the set of its user. */
  make(place: Place, key: string, set: string, id: string): Promise<unknown>;
}

/** Edits a session's times, or writes some where there is none any more. */
async function damageTimes(
  place: Place,
  key: string,
  times: { idle?: "-"; absolute: number | "-" },
) {
  const own = (await place.call("HGET", key, "@")) as string | null;
  if (parseTimes(own)) await editTimes(place, key, times);
  else await place.call("HSET", key, "@", `1 1 - ${times.absolute}`);
}

const DAMAGES: readonly Damage[] = [
  {
    what: "the key of a set is gone (evicted)",
    report: { added: "some" },
    make: ({ call }, _key, set) => call("DEL", set),
  },
  {
    what: "an entry is gone",
    report: { added: 1 },
    make: ({ call }, _key, set, id) => call("ZREM", set, id),
  },
  {
    what: "a set has an entry of no session",
    report: { removed: 1 },
    make: ({ call }, _key, set) => call("ZADD", set, `${Date.now() + 60_000}`, "AAnobody"),
  },
  {
    what: "a set has an entry with a score that is no time",
    report: { removed: 1, corrected: "some" },
    async make({ call }, _key, set) {
      await call("ZADD", set, "inf", "AAnobody");
      await call("PERSIST", set);
    },
  },
  {
    what: "a set has an entry of a session of another user",
    report: { removed: 1 },
    make: ({ call }, _key, set, id) =>
      call("ZADD", set.replace("user_id:1", "user_id:2"), `${Date.now() + 60_000}`, id),
  },
  {
    what: "a set that nobody is in has entries, and no time to live",
    report: { removed: 2, corrected: 1 },
    make: ({ call }, _key, set, id) =>
      call("ZADD", set.replace("user_id:1", "user_id:404"), `${Date.now() + 1e6}`, id, "5e12", "x"),
  },
  {
    what: "an entry has another score",
    report: { corrected: "some" },
    make: ({ call }, _key, set, id) => call("ZADD", set, `${Date.now() + 1000}`, id),
  },
  {
    what: "a session has lost the list of its sets",
    report: { corrected: 1, removed: "some", added: "some" },
    make: ({ call }, key) => call("HDEL", key, "@r"),
  },
  {
    what: "a session's list has a set too many",
    report: { corrected: 1 },
    make: ({ call }, key) => call("HSET", key, "@r", "user_id:1 user_id:9 team_ids:7"),
  },
  {
    what: "a field was written by hand",
    report: { corrected: 1, added: 1, removed: 1 },
    make: ({ call }, key) => call("HSET", key, "user_id", "3"),
  },
  {
    what: "a session has no time to live",
    report: { corrected: 1 },
    make: ({ call }, key) => call("PERSIST", key),
  },
  {
    what: "a session has another time to live",
    report: { corrected: "some" },
    make: ({ call }, key) => call("PEXPIRE", key, "60000"),
  },
  {
    what: "a set has no time to live",
    report: { corrected: 1 },
    make: ({ call }, _key, set) => call("PERSIST", set),
  },
  {
    what: "a set would expire before its last entry",
    report: { corrected: 1 },
    make: ({ call }, _key, set) => call("PEXPIRE", set, "60000"),
  },
  {
    what: "a session's hash is gone (evicted)",
    report: { removed: 2 },
    make: ({ call }, key) => call("DEL", key),
  },
  {
    what: "a session is kept after its deadline",
    report: { removed: 3 },
    async make(place, key) {
      await damageTimes(place, key, { absolute: Date.now() - 1000 });
      await place.call("PERSIST", key);
    },
  },
  {
    what: "a session has no deadline at all",
    report: { removed: 3 },
    async make(place, key) {
      await damageTimes(place, key, { idle: "-", absolute: "-" });
      await place.call("PERSIST", key);
    },
  },
  {
    what: "the pointer to a session that was rotated is gone (evicted)",
    report: { corrected: 1 },
    make: async (place) => place.call("DEL", (await rotatedIn(place)).pointer),
  },
  {
    what: "the pointer to a session leads to another",
    report: { corrected: 1 },
    make: async (place, _key, _set, id) =>
      place.call("SET", (await rotatedIn(place)).pointer, id, "KEEPTTL"),
  },
  {
    what: "the pointer to a session has no time to live",
    report: { corrected: 1 },
    make: async (place) => place.call("PERSIST", (await rotatedIn(place)).pointer),
  },
  {
    what: "the pointer to a session would expire before it",
    report: { corrected: 1 },
    make: async (place) => place.call("PEXPIRE", (await rotatedIn(place)).pointer, "60000"),
  },
  {
    what: "a session that was rotated is kept after its deadline, and its pointer",
    report: { removed: 4 },
    async make(place) {
      const { key, pointer } = await rotatedIn(place);
      await damageTimes(place, key, { absolute: Date.now() - 1000 });
      for (const one of [key, pointer]) await place.call("PERSIST", one);
    },
  },
  {
    what: "a hash is no session, and never expires",
    report: { removed: 1 },
    make: ({ call }, key) => call("HSET", `${key.slice(0, -4)}0000`, "theme", "dark"),
  },
];

/** The session that was rotated, of which nothing is left at its old id. */
async function rotatedIn({ call, keys }: Place) {
  const [pointer = ""] = await keys("*}:l:*");
  const [tag = "", lineage = ""] = pointer.split(":l:");
  await call("DEL", `${tag}:s:${lineage}`);
  return { pointer, lineage, key: `${tag}:s:${await call("GET", pointer)}` };
}

const shared = openPlaces();

const places: [string, () => Place][] = [
  ["on one server, with 1 shard", () => openPlace(shared.single, 1)],
  ["on one server, with 4 shards", () => openPlace(shared.single, 4)],
  ["on a cluster", () => openPlace(shared.spread, 16)],
];

async function fill(place: Place): Promise<{ key: string; set: string; id: string }> {
  const sessions = place.open(REFERENCES);
  const made = await Promise.all(
    Array.from({ length: 40 }, (_, i) => sessions.create({ user_id: i % 4, team_ids: [7] })),
  );
  const { token = "", session } = made[1] ?? {};
  await sessions.rotate(made[2]?.token, {});
  const [key = ""] = await place.keys(`*}:s:${session?.id}`);
  expect(await sessions.get(token)).not.toBeNull();
  return { key, set: `${key.slice(0, key.indexOf(":s:"))}:r:user_id:1`, id: session?.id ?? "" };
}

describe.each(places)("%s", (_where, open) => {
  test("there is nothing to fix where nothing was damaged", async () => {
    const place = open();
    await fill(place);
    const before = await place.dump();
    const { steps, scanned, ...wrong } = await reindexToEnd(place.open(REFERENCES));
    expect(wrong).toEqual(NONE);
    expect(scanned).toBeGreaterThanOrEqual(before.size);
    expect(await place.dump()).toEqual(before);
  });

  test.each(DAMAGES)("it fixes that $what", async ({ make, report }) => {
    const place = open();
    const { key, set, id } = await fill(place);
    await make(place, key, set, id);

    const damaged = await place.dump();
    const dry = await reindexToEnd(place.open(REFERENCES), { dryRun: true });
    expect(await place.dump(), "a dry run writes nothing").toEqual(damaged);

    const wet = await reindexToEnd(place.open(REFERENCES));
    for (const reindexed of [dry, wet]) {
      for (const [what, count] of Object.entries(report)) {
        const found = reindexed[what as keyof typeof NONE];
        if (count === "some") expect(found + reindexed.corrected, what).toBeGreaterThan(0);
        else expect(found, what).toBe(count);
      }
    }
    await place.check(REFERENCES);
    expect(await reindexToEnd(place.open(REFERENCES))).toMatchObject(NONE);
  });

  test("what leads to a session that is gone is left to its own expiry, and leads nowhere", async () => {
    const place = open();
    await fill(place);
    const { pointer, lineage, key } = await rotatedIn(place);
    const sessions = place.open(REFERENCES);
    const found = await sessions.byId(lineage).get();
    expect(found?.data.user_id).toBe(2);
    await place.call("DEL", key);
    const { removed, corrected } = await reindexToEnd(sessions);
    expect([removed, corrected]).toEqual([2, 0]);
    expect(await reindexToEnd(sessions)).toMatchObject(NONE);
    expect(await place.call("PEXPIRETIME", pointer)).toBe(found?.expiresAt.getTime());
    expect(await sessions.byId(lineage).get()).toBeNull();
    expect(await sessions.byId(lineage).delete()).toBe(false);
    expect(await sessions.by("user_id", 2).has(lineage)).toBe(false);
  });

  test("many kinds of damage at once are fixed in one run", async () => {
    const place = open();
    const { key, set, id } = await fill(place);
    for (const { make } of DAMAGES) {
      if ((await place.keys("*}:l:*")).length === 0) await fill(place);
      await make(place, key, set, id);
    }
    const victims = await place.keys("*}:r:*");
    for (const victim of victims.slice(0, 3)) await place.call("DEL", victim);
    await reindexToEnd(place.open(REFERENCES));
    await place.check(REFERENCES);
    expect(await reindexToEnd(place.open(REFERENCES))).toMatchObject(NONE);
  });

  test("a touch re-adds the entries of its session, and a get that touches does", async () => {
    const place = open();
    const sessions = place.open(REFERENCES);
    const { token, session } = await sessions.create({ user_id: 1, team_ids: [7, 8] });
    const sets = await place.keys("*}:r:*");
    for (const set of sets) await place.call("DEL", set);
    expect(await sessions.by("user_id", 1).size()).toBe(0);
    await sessions.touch(token);
    for (const [field, value] of [
      ["user_id", 1],
      ["team_ids", 7],
      ["team_ids", 8],
    ] as const) {
      expect(await sessions.by(field, value).ids()).toEqual([session.id]);
    }
    for (const set of sets) await place.call("DEL", set);
    const [key = ""] = await place.keys("*}:s:*");
    await editTimes(place, key, { seen: Date.now() - 600_000 }); // so long ago that a get touches
    expect(await sessions.get(token)).not.toBeNull();
    await place.check(REFERENCES);
  });

  test("a score that is no time stops no operation on its set", async () => {
    const place = open();
    const { set } = await fill(place);
    await place.call("ZADD", set, "inf", "AAnobody");
    const sessions = place.open(REFERENCES);
    const made = await Promise.all(
      Array.from({ length: 40 }, () => sessions.create({ user_id: 1 })),
    );
    for (const { token } of made) expect(await sessions.touch(token)).toBe(true);
    for (const { token } of made) expect(await sessions.delete(token)).toBe(true);
    expect(await sessions.by("user_id", 1).clear()).toBe(10);
    expect(await sessions.by("user_id", 1).size()).toBe(0);
  });
});
