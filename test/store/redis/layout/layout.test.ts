/* Sessions in Redis (docs/design.md, "Keys"), literally. */
import { createSessions, type Sessions } from "session-sets";
import { redisStore } from "session-sets/redis";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { redisUrl } from "../../../support/redis/shared.ts";
import { type Client, clients, freshPrefix, serverTime } from "../../../support/stores/stores.ts";
import { parseTimes, type StoredTimes } from "../../../support/stores/times.ts";

interface Data {
  user_id?: number | string;
  team_ids?: (number | string)[];
  [field: string]: unknown;
}

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

let client: Client;
let prefix: string;
let sessions: Sessions<Data>;
let tag: string;
beforeAll(() => {
  client = clients["ioredis 6"](redisUrl());
});
afterAll(() => client.quit());
beforeEach(() => {
  prefix = freshPrefix();
  tag = `{${prefix}:0}`;
  sessions = open();
});

function open(deadlines: object = { idleTimeout: "1 hour", absoluteTimeout: "1 day" }) {
  return createSessions<Data>({
    store: redisStore(client, { prefix, timeout: "20 seconds" }),
    references: { user_id: {}, team_ids: { identity: false } },
    ...deadlines,
  });
}

function hash(id: string): Promise<Record<string, string>> {
  return client.hgetall(`${tag}:s:${id}`);
}

/** The entries of a set: ids and their deadlines. */
async function entries(name: string): Promise<Record<string, number>> {
  const flat = (await client.call(
    "ZRANGE",
    `${tag}:r:${name}`,
    "0",
    "-1",
    "WITHSCORES",
  )) as unknown[];
  const pairs = flat.flat();
  const found: Record<string, number> = {};
  for (let i = 0; i < pairs.length; i += 2) found[String(pairs[i])] = Number(pairs[i + 1]);
  return found;
}

async function allKeys(): Promise<string[]> {
  return (await client.keys(`*${prefix}*`)).sort();
}

/** The times that a session's `@` has. */
function requireTimes(own: string | undefined): StoredTimes {
  const times = parseTimes(own);
  if (!times) throw new Error(`${own} is no times`);
  return times;
}

describe("a session", () => {
  test("is one hash, and one entry in the sorted set of each reference value", async () => {
    const { session } = await sessions.create({ user_id: 1, team_ids: [7, 8], theme: "dark" });
    expect(await allKeys()).toEqual(
      [
        `${tag}:r:team_ids:7`,
        `${tag}:r:team_ids:8`,
        `${tag}:r:user_id:1`,
        `${tag}:s:${session.id}`,
      ].sort(),
    );
    for (const set of ["user_id:1", "team_ids:7", "team_ids:8"]) {
      expect(Object.keys(await entries(set))).toEqual([session.id]);
    }
  });

  test("reads well in redis-cli", async () => {
    const { session } = await sessions.create({
      user_id: 1,
      name: "Ada Lovelace",
      number: "1",
      admin: true,
      none: null,
      cart: [{ sku: "a", count: 2 }],
    });
    const fields = Object.entries(await hash(session.id)).filter(([name]) => name[0] !== "@");
    expect(Object.fromEntries(fields)).toEqual({
      user_id: "1",
      name: "Ada Lovelace",
      number: '"1"',
      admin: "true",
      none: "null",
      cart: '[{"sku":"a","count":2}]',
    });
  });

  test("keeps when it was made (µs), last seen and its deadlines in one field, and its sets in another", async () => {
    const before = await serverTime(client);
    const { session } = await sessions.create({ user_id: 1, team_ids: ["a b"] });
    const after = await serverTime(client);
    const { "@": own, ...rest } = await hash(session.id);
    const { created, seen, idle, absolute } = requireTimes(own);
    expect(created).toMatch(/^\d{16}$/);
    expect(Math.floor(Number(created) / 1000)).toBe(session.createdAt.getTime());
    expect(Number(seen)).toBe(session.createdAt.getTime());
    expect(Number(seen)).toBeGreaterThanOrEqual(before);
    expect(Number(seen)).toBeLessThanOrEqual(after);
    expect(idle).toBe(String(HOUR));
    expect(absolute).toBe(String(Number(seen) + DAY));
    expect(rest).toEqual({
      user_id: "1",
      team_ids: '["a b"]',
      "@r": "user_id:1 team_ids:a%20b",
    });
  });

  test("has a dash for a deadline that it does not have", async () => {
    const idleOnly = await open({ idleTimeout: HOUR, absoluteTimeout: null }).create({});
    expect(Object.keys(await hash(idleOnly.session.id))).toEqual(["@"]);
    expect((await hash(idleOnly.session.id))["@"]).toMatch(/^\d{16} \d{13} 3600000 -$/);
    const absoluteOnly = await open({ idleTimeout: null, absoluteTimeout: HOUR }).create({});
    expect((await hash(absoluteOnly.session.id))["@"]).toMatch(/^\d{16} \d{13} - \d{13}$/);
  });

  test("expires by the key's own deadline, which is the score of its entries, to the millisecond", async () => {
    const { token, session } = await sessions.create({ user_id: 1, team_ids: [7] });
    const same = async (expected: number) => {
      const id = (await sessions.get(token, { touch: false }))?.id ?? "";
      expect(await client.pexpiretime(`${tag}:s:${id}`)).toBe(expected);
      expect(await entries("user_id:1")).toEqual({ [id]: expected });
      expect(await entries("team_ids:7")).toEqual({ [id]: expected });
      for (const set of ["user_id:1", "team_ids:7"]) {
        expect(await client.pexpiretime(`${tag}:r:${set}`)).toBeGreaterThanOrEqual(expected);
      }
    };
    await same(session.expiresAt.getTime());
    await sessions.touch(token, { idleTimeout: "2 hours" });
    await same(Number(requireTimes((await hash(session.id))["@"]).seen) + 2 * HOUR);
    // The absolute deadline holds, however long it may be idle.
    await sessions.touch(token, { idleTimeout: "90 days" });
    await same(session.absoluteDeadline?.getTime() ?? 0);
    const rotated = await sessions.rotate(token);
    await same(rotated?.session?.expiresAt.getTime() ?? 0);
  });

  test("takes its entries along when references change", async () => {
    const { token, session } = await sessions.create({ user_id: 1, team_ids: [1, 2, 3] });
    await sessions.set(token, { team_ids: [2, 3, 4] });
    expect(await entries("team_ids:1")).toEqual({});
    expect(await client.exists(`${tag}:r:team_ids:1`)).toBe(0);
    expect(Object.keys(await entries("team_ids:4"))).toEqual([session.id]);
    expect((await hash(session.id))["@r"]?.split(" ").sort()).toEqual(
      ["user_id:1", "team_ids:2", "team_ids:3", "team_ids:4"].sort(),
    );
    await sessions.unset(token, ["team_ids"]);
    expect((await hash(session.id))["@r"]).toBe("user_id:1");
    const nobodys = await sessions.create({ team_ids: [5] });
    await sessions.unset(nobodys.token, ["team_ids"]);
    expect(await hash(nobodys.session.id)).not.toHaveProperty("@r");
    expect(await allKeys()).toEqual(
      [`${tag}:r:user_id:1`, `${tag}:s:${session.id}`, `${tag}:s:${nobodys.session.id}`].sort(),
    );
  });

  test.each(["17 now - -", "1700000000000000", "", "1 2 3 4 5", " 1 2 - -"])(
    "is none where its times were damaged (%j), and goes with the others when its set is cleared",
    async (own) => {
      const { token, session } = await sessions.create({ user_id: 1 });
      await client.hset(`${tag}:s:${session.id}`, "@", own);
      expect(await sessions.get(token)).toBeNull();
      expect(await sessions.get(token, ["user_id"])).toBeNull();
      expect(await sessions.touch(token)).toBe(false);
      expect(await sessions.by("user_id", 1).list()).toEqual([]);
      expect(await sessions.by("user_id", 1).has(session.id)).toBe(false);
      expect(await sessions.by("user_id", 1).clear()).toBe(1);
      expect(await entries("user_id:1")).toEqual({});
      expect(await client.exists(`${tag}:s:${session.id}`)).toBe(0);
    },
  );

  test("gets its entries back with its next use where an eviction dropped its sets", async () => {
    const { token, session } = await sessions.create({ user_id: 1 });
    await client.del(`${tag}:r:user_id:1`);
    await sessions.touch(token);
    expect(await sessions.by("user_id", 1).ids()).toEqual([session.id]);
  });
});

describe("a rotation", () => {
  test("moves the hash and the entries, and leaves an alias that is only its target", async () => {
    const { token, session } = await sessions.create({ user_id: 1, theme: "dark" });
    const before = await hash(session.id);
    const rotated = await sessions.rotate(token);
    const id = rotated?.session?.id ?? "";
    expect(await hash(session.id)).toEqual({ "@": `alias ${id}` });
    const { "@": own, "@l": lineage, "@p": previous, ...after } = await hash(id);
    const { seen, ...others } = requireTimes(own);
    expect(after).toEqual({ ...before, "@": undefined });
    expect(others).toEqual({ ...requireTimes(before["@"]), seen: undefined });
    expect([lineage, previous]).toEqual([session.id, session.id]);
    expect(Number(seen)).toBeGreaterThanOrEqual(Number(requireTimes(before["@"]).seen));
    expect(Object.keys(await entries("user_id:1"))).toEqual([id]);
    expect(await client.pexpiretime(`${tag}:s:${session.id}`)).toBe(Number(seen) + 10_000);
  });

  test("that signs in leaves a tombstone, which says only whether there was a user before", async () => {
    const { token, session } = await sessions.create({ theme: "dark" });
    const first = await sessions.rotate(token, { user_id: 1 });
    expect(await hash(session.id)).toEqual({ "@": "tombstone 0" });
    const second = await sessions.rotate(first?.token, { user_id: 2 });
    expect(await hash(first?.session?.id ?? "")).toEqual({ "@": "tombstone 1" });
    expect(await entries("user_id:1")).toEqual({});
    expect(Object.keys(await entries("user_id:2"))).toEqual([second?.session?.id]);
  });

  test("without grace, and one that names the same user again, leave tombstones and no alias", async () => {
    const { token, session } = await sessions.create({ user_id: 1 });
    const first = await sessions.rotate(token, {}, { grace: 0 });
    const id = first?.session?.id ?? "";
    expect(await hash(session.id)).toEqual({ "@": "tombstone 1" });
    expect(await hash(id)).not.toHaveProperty("@p");
    const renewed = await sessions.rotate(first?.token);
    const again = await sessions.rotate(first?.token, { user_id: 1 }); // by the old token
    for (const one of [id, renewed?.session?.id ?? ""]) {
      expect(await hash(one)).toEqual({ "@": "tombstone 1" });
    }
    expect(await hash(again?.session?.id ?? "")).toMatchObject({ "@l": session.id, user_id: "1" });
    expect(await hash(again?.session?.id ?? "")).not.toHaveProperty("@p");
  });

  test("without grace, and without a time in which old tokens are told apart, leaves nothing", async () => {
    sessions = open({ rotationGrace: 0 });
    const { token, session } = await sessions.create({ user_id: 1 });
    const id = (await sessions.rotate(token))?.session?.id;
    expect(await allKeys()).toEqual(
      [`${tag}:l:${session.id}`, `${tag}:r:user_id:1`, `${tag}:s:${id}`].sort(),
    );
  });

  test("and the next keep the id before them: in the session, and in each alias", async () => {
    const { token, session } = await sessions.create({ user_id: 1 });
    const ids = [session.id];
    let last: string | null = token;
    for (let n = 0; n < 3; n++) {
      const rotated = await sessions.rotate(last);
      ids.push(rotated?.session?.id ?? "");
      last = rotated?.token ?? null;
    }
    const [a = "", b = "", c = "", d = ""] = ids;
    expect(await hash(a)).toEqual({ "@": `alias ${b}` });
    expect(await hash(b)).toEqual({ "@": `alias ${c}`, "@p": a });
    expect(await hash(c)).toEqual({ "@": `alias ${d}`, "@p": b });
    expect(await hash(d)).toMatchObject({ "@p": c, "@l": a });
  });
});

describe("a sign-in", () => {
  test("makes a session of its values and what it keeps, and leaves a tombstone", async () => {
    const { token, session } = await sessions.create({ team_ids: [7], cart: [1], theme: "dark" });
    const values = { user_id: 1, name: "Ada" };
    const signedIn = await sessions.signIn(token, values, { keep: ["cart", "team_ids", "none"] });
    const { id } = signedIn.session;
    expect(await hash(session.id)).toEqual({ "@": "tombstone 0" });
    const { "@": own, ...rest } = await hash(id);
    const { created, seen, idle, absolute } = requireTimes(own);
    expect(Math.floor(Number(created) / 1000)).toBe(Number(seen));
    expect([Number(idle), Number(absolute)]).toEqual([HOUR, Number(seen) + DAY]);
    expect(rest).toEqual({
      user_id: "1",
      name: "Ada",
      team_ids: "[7]",
      cart: "[1]",
      "@r": "user_id:1 team_ids:7",
    });
    for (const set of ["user_id:1", "team_ids:7"]) {
      expect(Object.keys(await entries(set))).toEqual([id]);
    }
    await sessions.signIn(signedIn.token, { user_id: 1 });
    expect(await hash(id)).toEqual({ "@": "tombstone 1" });
    expect(await entries("team_ids:7")).toEqual({});
  });

  test("leaves one where there was nothing, and what is left of a session as it is", async () => {
    const [gone, ended] = [await sessions.create({}), await sessions.create({})];
    await sessions.delete(gone.token);
    await sessions.signIn(ended.token, { user_id: 1 });
    const before = await client.pexpiretime(`${tag}:s:${ended.session.id}`);
    for (const { token } of [gone, ended]) await sessions.signIn(token, { user_id: 1 });
    expect(await hash(gone.session.id)).toEqual({ "@": "tombstone 0" });
    expect(await client.pexpiretime(`${tag}:s:${ended.session.id}`)).toBe(before);
  });
});

describe("a lineage", () => {
  const pointer = (lineage: string) => `${tag}:l:${lineage}`;

  test("of a session that was never rotated takes no key and no field", async () => {
    const { token, session } = await sessions.create({ user_id: 1 });
    await sessions.set(token, { theme: "dark" });
    await sessions.touch(token);
    expect((await sessions.get(token))?.lineage).toBe(session.id);
    const signedIn = await sessions.signIn(token, { user_id: 1 });
    await sessions.byId(signedIn.session.lineage).get();
    expect((await allKeys()).filter((key) => key.includes(":l:"))).toEqual([]);
    for (const id of [session.id, signedIn.session.id]) {
      expect(await hash(id)).not.toHaveProperty("@l");
    }
  });

  test("of one that was rotated is a pointer to its id, which lives exactly as long", async () => {
    const { token, session } = await sessions.create({ user_id: 1 });
    const first = await sessions.rotate(token);
    let last = first?.token;
    const expectPointer = async () => {
      const found = await sessions.get(last, { touch: false });
      expect(found?.lineage).toBe(session.lineage);
      expect(await client.get(pointer(session.id))).toBe(found?.id);
      expect(await client.pexpiretime(pointer(session.id))).toBe(found?.expiresAt.getTime());
    };
    await expectPointer();
    await sessions.touch(last, { idleTimeout: "2 hours" });
    await expectPointer();
    await sessions.touch(last, { idleTimeout: "10 minutes" });
    await expectPointer();
    await sessions.set(token, { theme: "dark" }); // by the old token
    await expectPointer();
    for (const [values, grace] of [
      [{}, 0],
      [{ user_id: 1 }, HOUR],
      [{}, HOUR],
    ] as const) {
      last = (await sessions.rotate(last, values, { grace }))?.token ?? undefined;
      await expectPointer();
    }
    expect((await allKeys()).filter((key) => key.includes(":l:"))).toEqual([pointer(session.id)]);
  });

  test.each<[string, (last: string, id: string) => Promise<unknown>]>([
    ["delete", (last) => sessions.delete(last)],
    ["delete by lineage", (_, id) => sessions.byId(id).delete()],
    ["delete from a set", (_, id) => sessions.by("user_id", 1).delete(id)],
    ["clear", () => sessions.by("user_id", 1).clear()],
    ["signIn", (last) => sessions.signIn(last, { user_id: 1 })],
    ["a rotation to another user", (last) => sessions.rotate(last, { user_id: 2 })],
    ["a rotation to nobody", (last) => sessions.rotate(last, { user_id: null as never })],
    ["an end that came by an alias", (last) => sessions.rotate(last, {}, { grace: 0 })],
  ])("is gone with its session after %s", async (name, end) => {
    const { token, session } = await sessions.create({ user_id: 1 });
    const last = (await sessions.rotate(token))?.token ?? "";
    expect(await client.exists(pointer(session.id))).toBe(1);
    await end(name.includes("alias") ? token : last, session.id);
    expect(await client.exists(pointer(session.id))).toBe(0);
    expect(await sessions.byId(session.lineage).get()).toBeNull();
  });
});

describe("the end of a session", () => {
  test("leaves no key, whatever it was ended by", async () => {
    const make = async () => {
      const { token, session } = await sessions.create({ user_id: 1, team_ids: [1, 2] });
      const rotated = await sessions.rotate(token);
      return { token, id: session.id, now: rotated?.token };
    };
    await sessions.delete((await make()).token); // through the alias, which goes, too
    expect(await allKeys()).toEqual([]);
    await sessions.byId((await make()).id).delete();
    expect(await allKeys()).toEqual([]);
    await sessions.by("team_ids", 2).delete((await make()).id);
    expect(await allKeys()).toEqual([]);
    const { id } = await make();
    await sessions.by("team_ids", 1).clear();
    // The alias: its end finds it, or its grace. And the mark of the clear.
    expect(await allKeys()).toEqual([`${tag}:c:team_ids:1`, `${tag}:s:${id}`]);
    expect(await sessions.byId(id).get()).toBeNull();
  });
});

describe("a clear leaves a mark for an hour", () => {
  test("beside its set in each shard, also if the set is empty or a session is spared", async () => {
    const spared = await sessions.create({ user_id: 1 });
    for (const user of [1, 2]) {
      await sessions.by("user_id", user).clear({ except: spared.session.id });
      const key = `${tag}:c:user_id:${user}`;
      const [moment, expires] = [await client.get(key), await client.pexpiretime(key)];
      expect(Number(moment)).toBeGreaterThanOrEqual(spared.session.createdAt.getTime());
      expect(expires).toBe(Number(moment) + 3_600_000);
    }
    const sharded = createSessions<Data>({
      store: redisStore(client, { prefix: `${prefix}-2`, shards: 3, timeout: "20 seconds" }),
      references: { user_id: {} },
    });
    await sharded.by("user_id", 1).clear();
    expect(await client.keys(`{${prefix}-2:*}:*`)).toHaveLength(3);
    for (let k = 0; k < 3; k++) {
      expect(await client.exists(`{${prefix}-2:${k}}:c:user_id:1`)).toBe(1);
    }
  });

  test("and nothing else does", async () => {
    const { token, session } = await sessions.create({ user_id: 1, team_ids: [1] });
    await sessions.rotate(token);
    await sessions.by("user_id", 1).trim({ keep: 1 });
    await sessions.by("user_id", 1).set({ team_ids: [2] });
    await sessions.by("user_id", 1).delete(session.id);
    expect((await allKeys()).filter((key) => key.includes(":c:"))).toEqual([]);
  });

  test("reindex leaves it alone, and finds nothing wrong", async () => {
    await sessions.create({ user_id: 1 });
    await sessions.by("user_id", 2).clear();
    let fixed = 0;
    for await (const { added, removed, corrected } of sessions.reindex()) {
      fixed += added + removed + corrected;
    }
    expect(fixed).toBe(0);
    expect(await client.exists(`${tag}:c:user_id:2`)).toBe(1);
  });
});

test("by().key and the session's key are where the data is", async () => {
  await sessions.create({ user_id: "a b" });
  expect(sessions.by("user_id", "a b").key).toBe(`${tag}:r:user_id:a%20b`);
  expect(await client.zcard(sessions.by("user_id", "a b").key)).toBe(1);
});

test("a typical session stays a listpack, in half a kilobyte", async () => {
  const { token, session } = await sessions.create({
    user_id: "0190f7a2-8c1e-7d52-9f0e-6f1f3c7a5b11",
    name: "Ada Lovelace",
    device: "Firefox 128 on Linux",
    address: "2001:db8:85a3:8d3:1319:8a2e:370:7348",
    remember: true,
    cart: [12, 15, 99],
  });
  await sessions.set(token, { theme: "dark" });
  const key = `${tag}:s:${session.id}`;
  expect(await client.object("ENCODING", key)).toBe("listpack");
  expect(await client.object("ENCODING", `${tag}:r:user_id:${session.data.user_id}`)).toBe(
    "listpack",
  );
  expect(await client.memory("USAGE", key)).toBeLessThan(512);
});
