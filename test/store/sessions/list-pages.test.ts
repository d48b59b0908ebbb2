/* Paging through a set by `list({ limit, after })`: the order, every set that has it, and its work. */
import { createSessions, type Session } from "session-sets";
import { SessionSetsStore } from "session-sets/compat/express-session";
import { fetchSessions } from "session-sets/fetch";
import { memoryStore } from "session-sets/memory";
import { redisStore } from "session-sets/redis";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type ScriptWatch, watchScripts } from "../../support/redis/script-watch.ts";
import { type RedisServer, startRedis } from "../../support/redis/server.ts";
import {
  createMember,
  openPagedSet,
  type PagedSet,
  range,
  tie,
  USER,
} from "../../support/stores/paged-sets.ts";
import { type Client, clients, freshPrefix } from "../../support/stores/stores.ts";

const HOUR = 3_600_000;

// A server of its own: the watch sees all that a server does, and other tests use the shared one.
let server: RedisServer;
let client: Client;
let watch: ScriptWatch;
beforeAll(async () => {
  server = await startRedis();
  client = clients["ioredis 6"](server.url);
  watch = await watchScripts(server.url);
});
afterAll(async () => {
  watch?.stop();
  await client?.quit();
  await server?.stop();
});

interface Data {
  user_id?: number;
  n?: number;
}

const STORES = {
  "the memory store": () => memoryStore(),
  "Redis with one shard": () =>
    redisStore(client, { prefix: freshPrefix(), timeout: "20 seconds" }),
  "Redis with four shards": () =>
    redisStore(client, { prefix: freshPrefix(), shards: 4, timeout: "20 seconds" }),
};

describe.each(Object.entries(STORES))("on %s", (_, open) => {
  /** Sessions of user 1 whose number is that of their place by deadlines; 0 was seen last. */
  async function opened(count = 9) {
    const sessions = createSessions<Data>({ references: ["user_id"], store: open() });
    const tokens: string[] = [];
    for (let n = count; n-- > 0; ) {
      const idleTimeout = (count - n) * HOUR;
      tokens[n] = (await sessions.create({ user_id: 1, n }, { idleTimeout })).token;
      await new Promise((resolve) => setTimeout(resolve, 2)); // seen one after the other
    }
    const last = tokens.at(-1);
    await sessions.touch(last);
    return { sessions, set: sessions.by("user_id", 1), last };
  }
  const numbers = (sessions: readonly Session<Data>[]) => sessions.map(({ data }) => data.n);

  test("list goes by when sessions were seen, and with limit or after by deadlines", async () => {
    const { set } = await opened();
    expect(numbers(await set.list())).toEqual([8, 0, 1, 2, 3, 4, 5, 6, 7]);
    expect(numbers(await set.list({}))).toEqual([8, 0, 1, 2, 3, 4, 5, 6, 7]);
    expect(numbers(await set.list({ limit: 9 }))).toEqual(range(9));
    expect(numbers(await set.list({ limit: 4 }))).toEqual(range(4));
    for (const after of [undefined, null]) {
      expect(numbers(await set.list({ after }))).toEqual(range(9));
    }
    const [first] = await set.list({ limit: 1 });
    expect(numbers(await set.list({ after: first }))).toEqual(range(9).slice(1));
  });

  test("a loop over pages is an array at a time, and ends", async () => {
    const { set } = await opened();
    const pages: (readonly (number | undefined)[])[] = [];
    let after: Session<Data> | undefined;
    do {
      const page = await set.list({ limit: 4, after });
      expect(Array.isArray(page)).toBe(true);
      pages.push(numbers(page));
      after = page.at(-1);
    } while (after);
    expect(pages).toEqual([[0, 1, 2, 3], [4, 5, 6, 7], [8], []]);
  });

  test("a place may have been to a client and back, and be of a session that has ended", async () => {
    const { set, sessions } = await opened();
    const last = (await set.list({ limit: 3 })).at(-1) as Session<Data>;
    const { id, expiresAt } = JSON.parse(JSON.stringify(last));
    await sessions.byId(id).delete();
    const next = await set.list({ limit: 3, after: { id, expiresAt: new Date(expiresAt) } });
    expect(numbers(next)).toEqual([3, 4, 5]);
  });

  test("the peers of a request's session are paged likewise", async () => {
    const { sessions, last } = await opened();
    const headers = { cookie: `__Host-session=${last}` };
    const session = fetchSessions(sessions).of(new Request("https://shop.example/", { headers }));
    const peers = await session.peers("user_id");
    const page = await peers?.list({ limit: 5 });
    expect(numbers(page ?? [])).toEqual(range(5));
    expect(numbers((await peers?.list({ limit: 5, after: page?.at(-1) })) ?? [])).toEqual([
      5, 6, 7, 8,
    ]);
  });

  test("the sets of the store for express-session are, too", async () => {
    const store = new SessionSetsStore({ store: open(), references: { user_id: {} } });
    for (const n of range(5)) {
      const cookie = { originalMaxAge: (9 - n) * HOUR };
      await store.set(`sid ${n}`, { cookie, user_id: 1, n } as never);
    }
    const set = store.by("user_id", 1);
    const first = await set.list({ limit: 3 });
    const rest = await set.list({ limit: 3, after: first.at(-1) });
    expect([first, rest].map((page) => page.map(({ data }) => Reflect.get(data, "n")))).toEqual([
      [0, 1, 2],
      [3, 4],
    ]);
    const wrong = { after: first[0]?.id } as object;
    await expect(set.list(wrong)).rejects.toMatchObject({ code: "ERR_SESSION_CONFIG" });
  });
});

/** Pages through a set by this many, and gives the numbers of its sessions; fails if it does not end. */
async function pagedBy(limit: number, { other }: PagedSet): Promise<number[]> {
  const all: number[] = [];
  for (let pages = 0, after = null as Parameters<typeof list>[1]; pages < 2000; pages++) {
    const page = await list(limit, after);
    all.push(...page.map(({ fields }) => Number(fields.get("n"))));
    after = page.at(-1) ?? null;
    if (after === null) return all;
  }
  throw new Error("the pages do not end");

  function list(most: number, behind: { id: string; expiresAt: number } | null) {
    return other.list(USER, { limit: most, order: "deadline", after: behind });
  }
}

describe("sessions that share one deadline", () => {
  const TIED = 1200;

  test.each([37, 500])("are given once each, by id, in pages of %i", async (limit) => {
    const set = await openPagedSet(client, TIED);
    await tie(client, set);
    const byId = range(TIED).sort((a, b) =>
      (set.ids[a] as string) < (set.ids[b] as string) ? -1 : 1,
    );
    expect(await pagedBy(limit, set)).toEqual(byId);
  });

  test("cost a page no more than its sessions, wherever it begins", async () => {
    const set = await openPagedSet(client, TIED);
    const expiresAt = await tie(client, set);
    await createMember(set.other, TIED, 200 * HOUR);
    for (const id of [set.ids[0], set.ids[TIED / 2], `AA${"z".repeat(22)}`]) {
      const after = { id: id as string, expiresAt };
      const options = { limit: 5, order: "deadline", after } as const;
      const [run] = await watch.recordRuns(() => set.other.list(USER, options));
      // Two for each session; finding the place takes the logarithm of how many share it: 11 of 1,200.
      expect(run?.commands.length).toBeLessThanOrEqual(2 * 5 + 11 + 10);
    }
  });
});

test("a page of a large set looks at its own sessions alone", async () => {
  const set = await openPagedSet(client, 700);
  const [first] = await set.other.list(USER, { limit: 1, order: "deadline" });
  const options = { limit: 10, order: "deadline", after: first ?? null } as const;
  const [run] = await watch.recordRuns(() => set.other.list(USER, options));
  const read = run?.commands.filter(([name]) => name === "HGETALL");
  expect(read?.length).toBe(10);
  expect(run?.commands.length).toBeLessThanOrEqual(2 * 10 + 10);
});

describe("what was damaged by hand", () => {
  test("entries without a session leave no gap in a page", async () => {
    const set = await openPagedSet(client, 300);
    const gone = range(300).filter((n) => n % 3 !== 0);
    await client.del(gone.map((n) => set.other.sessionKey(set.ids[n] as string)));
    const page = await set.other.list(USER, { limit: 60, order: "deadline" });
    expect(page).toHaveLength(60);
    expect(await pagedBy(60, set)).toEqual(range(100).map((i) => 297 - 3 * i));
  });

  test("however many there are, a page looks at a bounded number of them", async () => {
    const set = await openPagedSet(client, 2500);
    const keys = set.ids.map((id) => set.other.sessionKey(id));
    await client.del(keys.slice(100));
    const [run] = await watch.recordRuns(() =>
      set.other.list(USER, { limit: 100, order: "deadline" }),
    );
    const read = run?.commands.filter(([name]) => name === "HGETALL");
    expect(read?.length).toBeLessThanOrEqual(1000);
  });

  test("pages go on and end where the scores of some are not their deadlines", async () => {
    const set = await openPagedSet(client, 30);
    const key = set.other.setKey(USER);
    for (const n of [3, 11, 12]) await client.zincrby(key, -40, set.ids[n] as string);
    for (const n of [20, 21]) await client.zincrby(key, 55, set.ids[n] as string);
    for (const limit of [1, 2, 7, 30]) {
      const whole = range(30).filter((n) => ![3, 11, 12, 20, 21].includes(n));
      expect(await pagedBy(limit, set)).toEqual(whole.reverse());
    }
  });
});
