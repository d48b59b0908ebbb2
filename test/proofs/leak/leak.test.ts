/* I3, no leak, at length: what expires is gone with nobody running, and does not pile up meanwhile. */
import { setTimeout as sleep } from "node:timers/promises";
import { Redis } from "ioredis";
import { createSessions, type Session } from "session-sets";
import { redisStore } from "session-sets/redis";
import { afterAll, beforeAll, expect, test } from "vitest";
import { compileProgram, type Program } from "../../support/programs/processes.ts";
import { type RedisServer, startRedis } from "../../support/redis/server.ts";
import { elapseOn } from "../../support/stores/stores.ts";
import type { Filling } from "./filler.ts";

const PROCESSES = 2;
const USERS = 20_000;
const SESSIONS = 200_000;
const LONGEST = 8000;
const SHORT = 3000;

let server: RedisServer;
let client: Redis;
let filler: Program;
beforeAll(async () => {
  // Expired keys go ten times a second by default, a bounded part of them; here more quickly.
  server = await startRedis({ args: ["--hz", "100", "--active-expire-effort", "10"] });
  client = new Redis(server.socket);
  filler = await compileProgram("test/proofs/leak/filler.ts");
});
afterAll(async () => {
  await filler?.close();
  client?.disconnect();
  await server?.stop();
});

test("200,000 sessions of 20,000 users leave no key behind, with every process stopped", async () => {
  await client.set("not the library's", "1");
  const baseline = await client.dbsize();
  const each = USERS / PROCESSES;
  const programs = Array.from({ length: PROCESSES }, (_, i) =>
    filler.start({
      url: server.socket,
      prefix: "leak",
      from: i * each,
      to: (i + 1) * each,
      sessions: SESSIONS / USERS,
      longest: LONGEST,
    } satisfies Filling),
  );
  const began = performance.now();
  let [isFilling, peak] = [true, 0];
  const filled = Promise.all(programs.map(({ ended }) => ended)).finally(() => {
    isFilling = false;
  });
  while (isFilling) {
    peak = Math.max(peak, await client.dbsize());
    await sleep(10);
  }
  await filled;
  const seconds = (performance.now() - began) / 1000;
  const made = programs.flatMap(({ messages }) => messages as { made: number }[]);
  expect(made.reduce((sum, one) => sum + one.made, 0)).toBe(SESSIONS);
  // They pile up: the programs are making at most a thousand sessions at any one moment.
  expect(peak).toBeGreaterThan(baseline + 3000);
  console.log(`${SESSIONS} sessions made in ${seconds.toFixed(1)} s, at most ${peak} keys then`);
  await expect.poll(() => client.dbsize(), { interval: 100 }).toBe(baseline);
});

test("the pointers to 5,000 rotated sessions are as many as these, and gone with them", async () => {
  const sessions = createSessions<{ user_id?: number }>({
    store: redisStore(client, { prefix: "pointers", timeout: "20 seconds" }),
    references: { user_id: {} },
    idleTimeout: "10 minutes",
    rotationGrace: 0,
  });
  const keys = async (kind: string) => (await client.keys(`{pointers:0}:${kind}:*`)).length;
  const [count, atATime, users] = [5000, 500, 50];
  const made: { token: string; lineage: string }[] = [];
  for (let from = 0; from < count; from += atATime) {
    const batch = Array.from({ length: atATime }, async (_, i) => {
      const short = i % 5 === 0 ? { absoluteTimeout: SHORT } : {};
      const { token, session } = await sessions.create({ user_id: i % users }, short);
      const rotated = await sessions.rotate(token);
      made.push({ token: rotated?.token ?? "", lineage: session.lineage });
    });
    await Promise.all(batch);
  }
  const ends: ((one: (typeof made)[number]) => Promise<unknown>)[] = [
    ({ token }) => sessions.delete(token),
    ({ lineage }) => sessions.byId(lineage).delete(),
    ({ token }) => sessions.signIn(token, { user_id: 1 }),
    ({ token }) => sessions.rotate(token, { user_id: 404 }),
    ({ token }) => sessions.rotate(token, {}),
  ];
  for (let from = 0; from < count / 2; from += atATime) {
    const batch = made.slice(from, from + atATime);
    await Promise.all(batch.map((one, i) => ends[i % ends.length]?.(one)));
  }
  await elapseOn(client, SHORT + 10);
  // Each that lives on, under whatever id, and is no new one, has one pointer.
  const ids = (await client.keys("{pointers:0}:s:*")).map((key) => key.split(":s:")[1]);
  const first = await Promise.all(ids.map((id) => client.hget(`{pointers:0}:s:${id}`, "@l")));
  const rotated = first.filter((lineage) => lineage !== null);
  expect(rotated.length).toBeGreaterThan(1000);
  expect(await keys("l")).toBe(rotated.length);
  for (let user = 0; user < users; user++) await sessions.by("user_id", user).clear();
  await sessions.by("user_id", 404).clear();
  expect([await keys("l"), await keys("s"), await keys("r")]).toEqual([0, 0, 0]);
});

test("a set never has more entries than it has had live sessions at one time", async () => {
  const [users, most, each] = [40, 10, 1000];
  const sessions = createSessions<{ user_id?: number; n?: number }>({
    store: redisStore(client, { prefix: "busy", timeout: "20 seconds" }),
    references: { user_id: {} },
    idleTimeout: "10 minutes",
  });

  /** Makes sessions of a user, but none while this many of them may be alive. */
  async function use(user_id: number): Promise<void> {
    // One that stays, or the whole key would expire and take everything along.
    await sessions.create({ user_id });
    let alive: Session<object>[] = [];
    for (let n = 0; n < each; n++) {
      while (alive.length >= most - 1) {
        await sleep(1);
        alive = alive.filter(({ expiresAt }) => expiresAt.getTime() >= Date.now());
      }
      const absoluteTimeout = 1 + ((n * 7) % 40); // which no use puts off
      const { token, session } = await sessions.create({ user_id, n }, { absoluteTimeout });
      alive.push(session);
      if (n % 5 === 0) await sessions.set(token, { n: -n });
    }
  }

  let busy = true;
  const traffic = Promise.all(Array.from({ length: users }, (_, user) => use(user)));
  const done = traffic.finally(() => {
    busy = false;
  });
  let [looks, largest, stalest] = [0, 0, 0];
  while (busy) {
    for (let user = 0; user < users; user++) {
      const key = `{busy:0}:r:user_id:${user}`;
      const [[, size], [, stale]] = (await client
        .multi()
        .zcard(key)
        .zcount(key, "-inf", Date.now() - 1)
        .exec()) as [[null, number], [null, number]];
      largest = Math.max(largest, size);
      stalest = Math.max(stalest, stale);
      looks++;
    }
  }
  await done;
  console.log(
    `${users * each} sessions, at most ${most} of a user at a time: ${looks} looks at the sets, at most ${largest} entries, of which ${stalest} stale`,
  );
  expect(largest).toBeGreaterThan(1);
  expect(largest).toBeLessThanOrEqual(most);
});
