/*
 * One session, one slot: no command of any operation crosses a slot, no script touches a key outside
 * its hash tag, and operations on sets are one script a shard and page, all shards at once. Watched
 * on a real cluster by MONITOR; which arguments of a command are keys is asked of the server itself.
 */
import { createHash } from "node:crypto";
import { Cluster, Redis } from "ioredis";
import {
  createSessions,
  type ReferenceOptions,
  type SessionSet,
  type Sessions,
} from "session-sets";
import { redisStore } from "session-sets/redis";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { sources } from "../../../../generated/scripts.js";
import { type ForeignLayout, Migrator } from "../../../../src/migrate/migrator.ts";
import { createToken } from "../../../../src/sessions/token.ts";
import type { SessionStore } from "../../../../src/store/contract.ts";
import { isFeedStore } from "../../../../src/store/feed.ts";
import { decodeShard } from "../../../../src/store/shards.ts";
import {
  command,
  commandStore,
  createCommand,
  mergeTo,
} from "../../../../src/testing/commands/steps.ts";
import { newId, newIdBeside } from "../../../../src/testing/ids.ts";
import { HOUR_MS } from "../../../../src/testing/steps.ts";
import { type RedisCluster, startCluster } from "../../../support/redis/cluster.ts";
import {
  type ScriptRun,
  type ScriptWatch,
  watchScripts,
} from "../../../support/redis/script-watch.ts";
import { omitMarks } from "../../../support/stores/clearing-marks.ts";
import { clusterClients } from "../../../support/stores/clients.ts";
import { iterate } from "../../../support/stores/costs.ts";
import { freshPrefix } from "../../../support/stores/stores.ts";

type Data = Record<string, unknown>;

/** Fields and values that would leave their hash tag, or share another's key, if written as they are. */
const FIELDS = ["user_id", "{a}", "}:s:", "a:b", "*"];
const VALUES = ["1", 1, true, "", "{x}", "}", "}:r:user_id:1", "a:b", "* ?[", "\0\n", "ü", "~"];
const LONG = "{".repeat(10_000);

let cluster: RedisCluster;
let client: Cluster;
let watches: ScriptWatch[];
beforeAll(async () => {
  cluster = await startCluster();
  const ports = cluster.masters.map(({ port }) => port);
  watches = await Promise.all(cluster.masters.map(({ url }) => watchScripts(url)));
  client = new Cluster([{ host: "127.0.0.1", port: ports[0] ?? 0 }]);
  // So that each script is sent by its digest.
  for (const port of ports) {
    const admin = new Redis(port);
    for (const source of Object.values(sources)) await admin.script("LOAD", source);
    admin.disconnect();
  }
});
afterAll(async () => {
  for (const watch of watches ?? []) watch.stop();
  client?.disconnect();
  await cluster?.stop();
});

/** The scripts that run meanwhile, on each master. */
async function recordRuns(work: () => Promise<unknown>): Promise<ScriptRun[][]> {
  const [first, ...others] = watches as [ScriptWatch, ...ScriptWatch[]];
  const runs: ScriptRun[][] = [];
  const nested = others.reduce<() => Promise<unknown>>(
    (inner, watch) => async () => runs.push(await watch.recordRuns(inner)),
    work,
  );
  runs.push(await first.recordRuns(nested));
  return runs;
}

const NAMES = new Map(
  Object.entries(sources).map(([name, source]) => [
    createHash("sha1").update(source).digest("hex"),
    name,
  ]),
);

/** The keys of a command, as the server knows them. */
async function listKeys(command: readonly string[]): Promise<readonly string[]> {
  if (command.length === 1) return []; // such as TIME
  const admin = client.nodes("master")[0] as Redis;
  try {
    return (await admin.call("COMMAND", ["GETKEYS", ...command])) as string[];
  } catch (error) {
    if (/no key arguments/.test(String(error))) return [];
    throw error;
  }
}

/** The keys that a script declares. One that writes has a second one, which is never there. */
function listDeclared(script: string, key: string, tag: string): readonly string[] {
  const writes = sources[NAMES.get(script) as keyof typeof sources].includes("is_late");
  return writes ? [key, `${tag}s:`] : [key];
}

function storeAt(prefix: string, shards: number): SessionStore {
  return redisStore(client, { prefix, shards, timeout: "20 seconds" });
}

function open(store: SessionStore, references: Record<string, ReferenceOptions>) {
  return createSessions<Data>({ store, references, idleTimeout: "1 hour" });
}

/** Commands in each of their ways, on a session with these references. */
async function commandEverything(
  given: SessionStore,
  { plain }: { plain: boolean },
): Promise<void> {
  const store = commandStore(given);
  const references = (value: string) =>
    FIELDS.map((field) => ({ field, texts: [value, LONG], plain, identity: true }));
  for (const value of VALUES.map(String)) {
    const id = newId(store.shards);
    const made = {
      ...createCommand({ set: { a: value }, create: true, absoluteTimeout: HOUR_MS }),
    };
    await store.command(id, { ...made, references: references(value) });
    await store.command(id, {
      ...createCommand({ replace: true }),
      references: references("other"),
    });
    const merge = mergeTo(newIdBeside(id), { identity: FIELDS });
    await store.command(id, { ...createCommand({ merge }), references: references(value) });
    await command(store, id, { absoluteTimeout: HOUR_MS });
    await command(store, merge.to, { absoluteDeadline: 1 });
  }
}

/** Every operation there is, so that each script runs in each of its ways. */
async function doEverything(prefix: string, sessions: Sessions<Data>): Promise<void> {
  const fields = Object.fromEntries(FIELDS.map((field) => [field, VALUES]));
  for (const value of [...VALUES, LONG]) {
    const { token } = await sessions.create({ ...fields, user_id: value });
    await sessions.get(token);
    await sessions.get(token, ["user_id"]);
    await sessions.set(token, { theme: "dark" });
    await sessions.set(token, { "{a}": value, "a:b": [value, LONG] });
    await sessions.unset(token, ["*", "theme"]);
    await sessions.touch(token);
    const second = await sessions.rotate(token);
    await sessions.get(token); // through the alias
    await sessions.set(token, { theme: "dark" });
    const third = await sessions.rotate(second?.token, { user_id: [value, "other"] });
    const fourth = await sessions.rotate(third?.token, { theme: "light" }, { grace: 0 });
    const lineage = fourth?.session?.lineage ?? "";
    await sessions.byId(lineage).get(); // by its pointer
    await sessions.by("user_id", value as string).has(lineage);
    await sessions.rotate(fourth?.token, { user_id: "another" });
    const again = await sessions.signIn(
      token,
      { user_id: value, "*": value },
      { keep: FIELDS.slice(1) },
    );
    const { token: kept } = await sessions.signIn(
      again.token,
      { user_id: value },
      { keep: ["a:b", "*"] },
    );
    await sessions.rotate(kept);
    await sessions.byId(again.session.lineage).delete();
    await sessions.create({ ...fields, user_id: value });
    await onSet(sessions.by("user_id", value as string));
  }
  const { token } = await sessions.create(fields);
  await sessions.delete(token);
  const { session } = await sessions.create(fields);
  const tag = `{${prefix}:${decodeShard(session.id)}}`;
  await client.hdel(`${tag}:s:${session.id}`, "@r1");
  await client.zadd(`${tag}:r:user_id:1`, "1e15", "AAnobody");
  for await (const _ of sessions.reindex());
  await migrateOne(prefix);
}

/** A session that another library has kept, in a slot of its own. */
async function migrateOne(prefix: string): Promise<void> {
  const layout: ForeignLayout = {
    pattern: `old-${prefix}:*`,
    type: "string",
    index: null,
    toKey: (id) => `old-${prefix}:${id}`,
    parseSession: (_, { value }) => ({
      id: createToken(1).id,
      fields: new Map([["theme", String(value)]]),
      references: VALUES.map((text) => ({ field: "user_id", texts: [String(text)], plain: false })),
      expiresAt: Date.now() + 60_000,
      idleTimeout: 0,
      entries: [],
    }),
  };
  await client.set(`old-${prefix}:1`, "dark");
  const old = new Migrator(client, { prefix, shards: 1, timeout: "20 seconds" }, layout);
  for await (const _ of old.migrateAll(null));
}

async function onSet(set: SessionSet<Data>): Promise<void> {
  const [id = ""] = await set.ids();
  await set.has(id);
  await set.size();
  await set.list();
  await set.list({ after: (await set.list({ limit: 1 })).at(-1) });
  await iterate(set);
  await set.set({ theme: "dark", "}:s:": ["{new}"] });
  await set.unset(["theme"]);
  await set.clear({ except: id });
  await set.delete(id);
  await set.clear();
}

/** Enters sets with limits, and ends what is beyond. */
async function enterLimited(store: SessionStore): Promise<void> {
  for (const whenFull of ["reject", "end-oldest"] as const) {
    for (const field of FIELDS) {
      const sessions = open(store, { [field]: { limit: 2, whenFull } });
      for (const value of [...VALUES, LONG]) {
        await sessions.create({ [field]: [value, "other"] }).catch(() => null);
      }
      await sessions.by(field, "other").trim({ keep: 1 });
    }
  }
}

/** Listens to all shards, which says hello to each. */
async function listenOnce(store: SessionStore): Promise<void> {
  if (!isFeedStore(store)) throw new Error("This store has no feed.");
  const stop = await store.subscribe(null, { onEvent() {}, onGap() {} });
  await stop();
}

describe.each([
  ["8 shards", 8, {}],
  ["1 shard and plain sets", 1, { as: "set" }],
] as const)("with %s", (_, shards, options: ReferenceOptions) => {
  test("requirement 8: no command crosses a slot, and no script leaves its hash tag", async () => {
    const prefix = freshPrefix();
    const references = Object.fromEntries(
      FIELDS.map((field) => [field, { ...options, identity: field === "user_id" }]),
    );
    const store = storeAt(prefix, shards);
    const sessions = open(store, references);
    const runs = (
      await recordRuns(async () => {
        await doEverything(prefix, sessions);
        await commandEverything(store, { plain: "as" in options });
        await enterLimited(store);
        await listenOnce(store);
      })
    ).flat();
    const ours = runs.filter(({ script }) => NAMES.has(script));
    const seen = new Map<string, readonly string[]>();
    for (const { script, key, keys: declared, commands } of ours) {
      const [tag = "nothing"] = /^\{[A-Za-z0-9._-]+:\d+\}:/.exec(key) ?? [];
      expect(declared, NAMES.get(script)).toEqual(listDeclared(script, key, tag));
      for (const command of commands) {
        const line = command.join(" ");
        const keys = seen.get(line) ?? (await listKeys(command));
        seen.set(line, keys);
        for (const touched of keys) {
          expect(touched.startsWith(tag), `${NAMES.get(script)} of ${key}: ${line}`).toBe(true);
        }
      }
    }
    const expected = new Set(NAMES.values());
    if (shards === 1) expected.delete("reserve"); // the session's own script sees the whole set
    expect(new Set(ours.map(({ script }) => NAMES.get(script)))).toEqual(expected);
    expect([...seen.values()].flat().length).toBeGreaterThan(1000);
    const others = runs.filter(({ script }) => !NAMES.has(script));
    // How the store learns what a server is, and its time.
    const asked = new Set(others.flatMap(({ commands }) => commands.map(([name]) => name)));
    expect(asked).toEqual(new Set(["INFO", "TIME"]));
  });
});

describe("an operation on a set over 64 shards is one script a shard and page", () => {
  const COUNT = 200;

  async function fill(prefix: string) {
    const sessions = open(storeAt(prefix, 64), { user_id: {} });
    const made = Array.from({ length: COUNT }, () => sessions.create({ user_id: 1 }));
    return (await Promise.all(made)).map(({ session }) => session.id);
  }

  const operations: Record<string, (set: SessionSet<Data>, id: string) => Promise<unknown>> = {
    size: (set) => set.size(),
    list: (set) => set.list(),
    "a page of the list": (set) => set.list({ limit: 50 }),
    ids: (set) => set.ids(),
    iterating: iterate,
    set: (set) => set.set({ theme: "dark" }),
    unset: (set) => set.unset(["theme"]),
    "clear but one": (set, except) => set.clear({ except }),
    clear: (set) => set.clear(),
  };

  test.each(Object.entries(operations))("%s", async (_name, work) => {
    const prefix = freshPrefix();
    const [id = ""] = await fill(prefix);
    const set = open(storeAt(prefix, 64), { user_id: {} }).by("user_id", 1);
    await set.size(); // the servers' times
    const runs = (await recordRuns(() => work(set, id))).flat();
    const keys = runs.filter(({ script }) => NAMES.has(script)).map(({ key }) => key);
    const expected = Array.from({ length: 64 }, (_, k) => `{${prefix}:${k}}:r:user_id:1`);
    expect(keys.sort()).toEqual(expected.sort());
  });

  test.each(Object.entries(clusterClients))(
    "all shards are asked at once: those of other nodes do not wait for one that hangs, %s",
    async (_kind, connect) => {
      const [hanging, ...others] = cluster.masters;
      const opened = await connect(hanging?.port ?? 0);
      const prefix = freshPrefix();
      await fill(prefix);
      const sessions = createSessions<Data>({
        store: redisStore(opened.client, { prefix, timeout: "20 seconds" }),
        references: { user_id: {} },
        idleTimeout: "1 hour",
      });
      const set = sessions.by("user_id", 1);
      await set.clear(); // the scripts' texts, the servers' times and the client's connections
      const ids = await fill(prefix);
      const admins = others.map(({ port }) => new Redis(port));
      const left = async () => {
        const keys = await Promise.all(admins.map((admin) => admin.keys(`{${prefix}:*`)));
        return omitMarks(keys.flat()).length;
      };
      expect(await left()).toBeGreaterThan(0);
      let clearing: Promise<number>;
      hanging?.pause();
      try {
        clearing = set.clear();
        await expect.poll(left, { interval: 5 }).toBe(0);
      } finally {
        hanging?.resume();
        for (const admin of admins) admin.disconnect();
      }
      expect(await clearing).toBe(ids.length);
      await opened.close();
    },
  );
});
