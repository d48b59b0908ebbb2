/*
 * The scripts on Lua 5.4, which Dragonfly has, over a stand-in for Redis: that they load and run there,
 * and what they do. Of a real server it shows nothing else.
 */
import { createHash } from "node:crypto";
import { createSessions } from "session-sets";
import { redisStore } from "session-sets/redis";
import { commandContract, storeContract } from "session-sets/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { sources } from "../../generated/scripts.js";
import { type ForeignLayout, Migrator } from "../../src/migrate/migrator.ts";
import { createToken } from "../../src/sessions/token.ts";
import { createDraft, toLimited } from "../../src/testing/steps.ts";
import { elapseOn, freshPrefix } from "../support/stores/stores.ts";
import { openStandIn, type StandIn } from "./stand-in.ts";

let standIn: StandIn;
beforeAll(async () => {
  standIn = await openStandIn();
});
afterAll(() => standIn?.close());

function open(prefix: string) {
  return redisStore(standIn.client, { prefix, timeout: "20 seconds" });
}

describe("the contract of stores on Lua 5.4", () => {
  for (const { name, run } of [...storeContract, ...commandContract]) {
    test(name, () =>
      run(async () => ({
        store: open(freshPrefix()),
        elapse: (ms) => elapseOn(standIn.client, ms),
      })),
    );
  }
});

interface Data {
  user_id?: number;
  team_ids?: number[];
  theme?: string;
}

describe.each([{}, { as: "set" }] as const)("sessions on Lua 5.4, with sets %o", (as) => {
  const openSessions = (prefix: string) =>
    createSessions<Data>({
      store: open(prefix),
      references: { user_id: as, team_ids: { identity: false, ...as } },
      idleTimeout: "1 hour",
    });

  test("are made, changed, renewed, found, signed in and ended", async () => {
    const sessions = openSessions(freshPrefix());
    const many = Array.from({ length: 400 }, (_, i) => i); // more names than one field holds
    const { token } = await sessions.create({ team_ids: many, theme: "dark" });
    const { token: first, session } = await sessions.signIn(
      token,
      { user_id: 1 },
      { keep: ["theme"] },
    );
    expect(session.data).toEqual({ user_id: 1, theme: "dark" });
    await sessions.set(first, { team_ids: many });
    const second = await sessions.rotate(first, { theme: "light" });
    expect((await sessions.get(first))?.data.theme).toBe("light"); // over the alias
    expect(await sessions.by("team_ids", 399).ids()).toEqual([second?.session?.id]);
    const third = await sessions.rotate(second?.token ?? "", {}, { grace: 0 });
    expect(await sessions.get(second?.token ?? "")).toBeNull();
    const set = sessions.by("user_id", 1);
    expect(await set.has(session.lineage)).toBe(true);
    expect((await sessions.byId(session.lineage).get())?.id).toBe(third?.session?.id);
    expect(await set.set({ theme: "blue" })).toBe(1);
    expect((await set.list()).map(({ data }) => data.theme)).toEqual(["blue"]);
    expect(await sessions.delete(third?.token ?? "")).toBe(true);
    expect(await set.size()).toBe(0);
  });

  test("are told of when they end and rotate", async () => {
    const prefix = freshPrefix();
    const sessions = openSessions(prefix);
    const { token, session } = await sessions.create({ user_id: 1 });
    const { client } = standIn;
    await client.call("PUBLISHED");
    const rotated = await sessions.rotate(token, { theme: "dark" });
    await sessions.by("user_id", 1).clear({ reason: "a b" });
    const digest = createHash("sha1").update(sources.sayHello).digest("hex");
    await client.evalsha(digest, 1, `{${prefix}:0}:s:`, "", "n");
    const id = rotated?.session?.id;
    const told = (await client.call("PUBLISHED")) as string[];
    expect(told.map((text) => text.replace(/\b\d{13}\b/, "now"))).toEqual(
      [
        `rotated now ${session.id} ${id} ${session.id}`,
        `ended now clear - =a%20b ${id}:${session.id}`,
        "hello n",
      ].flatMap((text) => [`{${prefix}:0}:e`, text]),
    );
  });

  test("that are many are iterated, changed and ended page by page", async () => {
    const sessions = openSessions(freshPrefix());
    const set = sessions.by("user_id", 1);
    const made = await Promise.all(
      Array.from({ length: 350 }, () => sessions.create({ user_id: 1 })),
    );
    const ids = made.map(({ session }) => session.id).sort();
    const met: string[] = [];
    for await (const { id } of set) met.push(id);
    expect(met.sort()).toEqual(ids);
    expect(await set.set({ theme: "dark" })).toBe(350);
    expect(await set.clear({ except: ids[0] ?? "" })).toBe(349);
    expect(await set.ids()).toEqual([ids[0]]);
  });

  test("are paged through also where more expire in one millisecond than a page holds", async () => {
    const prefix = freshPrefix();
    const sessions = openSessions(prefix);
    const moment = new Date(Date.now() + 3_600_000);
    const { client } = standIn;
    const made = await Promise.all(
      Array.from({ length: 250 }, () => sessions.create({ user_id: 1 })),
    );
    for (const { session } of made) {
      await client.zadd(`{${prefix}:0}:r:user_id:1`, String(moment.getTime()), session.id);
    }
    const met = new Set<string>();
    for await (const { id } of sessions.by("user_id", 1)) met.add(id);
    expect(met.size).toBe(250);
    expect(await sessions.by("user_id", 1).set({ theme: "dark" })).toBe(250);
  });

  test("that are damaged are fixed", async () => {
    const prefix = freshPrefix();
    const sessions = openSessions(prefix);
    const { client } = standIn;
    const tag = `{${prefix}:0}`;
    const { token, session } = await sessions.create({ user_id: 1, team_ids: [1, 2] });
    const renewed = await sessions.rotate(token);
    await client.del(`${tag}:r:user_id:1`);
    await client.zadd(`${tag}:r:team_ids:1`, "1.5e15", "AAnobody");
    await client.zadd(`${tag}:r:team_ids:2`, "5", renewed?.session?.id ?? "");
    await client.del(`${tag}:l:${session.lineage}`);
    let last: { added: number; removed: number; corrected: number } | undefined;
    for await (const progress of sessions.reindex()) last = progress;
    expect(last).toMatchObject({ added: 1, removed: 1 });
    expect(last?.corrected).toBeGreaterThan(0);
    for (const set of [
      sessions.by("user_id", 1),
      sessions.by("team_ids", 1),
      sessions.by("team_ids", 2),
    ]) {
      expect(await set.ids()).toEqual([renewed?.session?.id]);
    }
    for await (const progress of sessions.reindex({ dryRun: true })) last = progress;
    expect(last).toMatchObject({ added: 0, removed: 0, corrected: 0 });
  });
});

test("places over several shards are reserved on Lua 5.4", async () => {
  const prefix = freshPrefix();
  const store = redisStore(standIn.client, { prefix, shards: 2, timeout: "20 seconds" });
  const references = toLimited({ user_id: ["1"] }, { most: 3, whenFull: "reject" });
  const answers = await Promise.all(
    Array.from({ length: 8 }, () => store.create({ ...createDraft(store), references })),
  );
  expect(answers.filter(({ state }) => state === "created")).toHaveLength(3);
});

test("sessions of another library are migrated on Lua 5.4", async () => {
  const prefix = freshPrefix();
  const { id } = createToken(1);
  const layout: ForeignLayout = {
    pattern: `old-${prefix}:*`,
    type: "string",
    index: null,
    toKey: (id) => `old-${prefix}:${id}`,
    parseSession: (_, { value }) => ({
      id,
      fields: new Map([["theme", String(value)]]),
      references: [{ field: "user_id", texts: ["1"], plain: false }],
      expiresAt: Date.now() + 60_000,
      idleTimeout: 0,
      entries: [],
    }),
  };
  await standIn.client.set(`old-${prefix}:1`, "dark");
  const old = new Migrator(standIn.client, { prefix, shards: 1, timeout: "20 seconds" }, layout);
  for await (const _ of old.migrateAll(null));
  const found = await open(prefix).find(id);
  expect(found.state === "live" && Object.fromEntries(found.session.fields)).toEqual({
    theme: "dark",
  });
});

test("every script has run", () => {
  expect(standIn.ran).toEqual(new Set(Object.keys(sources)));
});
