/*
 * Over several shards: parallel logins at a limit, and logins in flight beside a clear. Their commands are
 * let through one by one, in random orders. A failure prints the seed of its order.
 */
import { setImmediate } from "node:timers/promises";
import { redisStore } from "session-sets/redis";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Limit } from "../../../src/store/entering.ts";
import { newId } from "../../../src/testing/ids.ts";
import {
  assertMembers,
  create,
  createChange,
  createDraft,
  createForUser,
  createSignIn,
  of,
  readTexts,
  toLimited,
} from "../../../src/testing/steps.ts";
import { type InterceptedClient, intercepted } from "../../support/intercept.ts";
import { reservationMutations } from "../../support/proofs/entering-mutations.ts";
import { listAllEdits, type Mutation, mutatedClient } from "../../support/proofs/mutations.ts";
import { type RedisServer, startRedis } from "../../support/redis/server.ts";
import { type Client, clients, freshPrefix, serverTime } from "../../support/stores/stores.ts";
import { createRandom, type Random } from "./cases.ts";

const SHARDS = 2;
const LOGINS = 3;
const ORDERS = 120;
const USER = of("user_id", "1");

let server: RedisServer;
let client: Client;
beforeAll(async () => {
  server = await startRedis();
  client = clients["ioredis 6"](server.socket);
});
afterAll(async () => {
  client.disconnect();
  await server.stop();
});

/** Scripts that find a set of four sessions too large to go through. */
const SMALL_PAGES: Mutation = {
  about: "a page is small",
  apply: listAllEdits("local MAX_READ_FOR_ROOM = 300", "local MAX_READ_FOR_ROOM = 3"),
};

/** Holds commands back, and lets one after the other through. */
class Gate {
  readonly #waiting: (() => Promise<unknown>)[] = [];
  #arrived = () => {};
  readonly client: ReturnType<typeof intercepted>;

  constructor(over: InterceptedClient = client) {
    this.client = intercepted(over, (_sent, pass) => {
      return new Promise((resolve, reject) => {
        this.#waiting.push(() => pass().then(resolve, reject));
        this.#arrived();
      });
    });
  }

  /** Lets all commands of this work through; `check` is called ahead of each. */
  async drive<T>(work: Promise<T>, random: Random, check: () => Promise<void>): Promise<T> {
    let isOver = false;
    const ended = work.finally(() => {
      isOver = true;
      this.#arrived();
    });
    ended.catch(() => {}); // told by the return
    for (;;) {
      for (let i = 0; i < 3; i++) await setImmediate(); // what a reply sets off may send commands
      if (isOver) return ended;
      if (this.#waiting.length === 0) {
        await new Promise<void>((resolve) => {
          this.#arrived = resolve;
        });
        continue;
      }
      await check();
      const [next] = this.#waiting.splice(Math.floor(random() * this.#waiting.length), 1);
      await next?.();
    }
  }
}

/** Lets logins in at once, into a set that has some sessions; returns the answers and who is left. */
async function logInAtOnce(limit: Limit, before: number, seed: number, over?: InterceptedClient) {
  const prefix = freshPrefix();
  const options = { prefix, shards: SHARDS, timeout: "20 seconds" } as const;
  const direct = redisStore(client, options);
  for (let i = 0; i < before; i++) await createForUser(direct, "1");
  const gate = new Gate(over);
  const store = redisStore(gate.client, options);
  const logins = Array.from({ length: LOGINS }, () => ({
    ...createDraft(store, { id: newId(SHARDS), fields: { user_id: "1" } }),
    references: toLimited({ user_id: ["1"] }, limit),
  }));
  let [fewest, most] = [before, before];
  const answers = await gate.drive(
    Promise.all(logins.map((login) => store.create(login))),
    createRandom(seed),
    async () => {
      const count = await direct.count(USER);
      [fewest, most] = [Math.min(fewest, count), Math.max(most, count)];
    },
  );
  const live = await Promise.all(logins.map(({ id }) => direct.has(USER, id)));
  return {
    answers: answers.map(({ state }) => state),
    live,
    fewest,
    most,
    left: await direct.count(USER),
  };
}

test.each([
  ["end-oldest", 2],
  ["end-oldest", 1],
  ["reject", 0],
  ["reject", 1],
  ["reject", 2],
] as const)(
  "%s, with two allowed and %i there: exactly two are left in each order",
  async (whenFull, before) => {
    const first = Math.floor(Math.random() * 2 ** 30);
    for (let seed = first; seed < first + ORDERS; seed++) {
      const { answers, live, fewest, most, left } = await logInAtOnce(
        { most: 2, whenFull },
        before,
        seed,
      );
      expect({ left, fewest }, `seed ${seed}`).toEqual({ left: 2, fewest: before });
      if (whenFull === "reject") expect(most, `seed ${seed}`).toBe(2);
      // Who is told that there is no room has no session; who is let in under "reject" has one.
      for (const [i, state] of answers.entries()) {
        if (state === "full") expect(live[i], `seed ${seed}`).toBe(false);
        else if (whenFull === "reject") expect(live[i], `seed ${seed}`).toBe(true);
        else expect(state).toBe("created");
      }
    }
  },
);

const REJECT: Limit = { most: 2, whenFull: "reject" };

test.each([0, 1, 2])(
  "sessions that are older than the %i in a set that rejects end nobody in any order",
  async (before) => {
    const first = Math.floor(Math.random() * 2 ** 30);
    for (let seed = first; seed < first + ORDERS; seed++) {
      const options = { prefix: freshPrefix(), shards: SHARDS, timeout: "20 seconds" } as const;
      const direct = redisStore(client, options);
      const older = await Promise.all([1, 2].map(() => createForUser(direct, "9")));
      const members = await Promise.all(
        Array.from({ length: before }, () => createForUser(direct, "1")),
      );
      const gate = new Gate();
      const store = redisStore(gate.client, options);
      const references = toLimited({ user_id: ["1"] }, REJECT);
      const login = { ...createDraft(store), references };
      const enter = { ...createChange({ set: { user_id: "1" } }), references };
      const work = Promise.all([
        ...older.map((id) => store.change(id, enter)),
        store.create(login),
      ]);
      const answers = await gate.drive(work, createRandom(seed), async () => {
        expect(await direct.count(USER), `seed ${seed}`).toBeLessThanOrEqual(2);
      });
      const ids = [...older, login.id];
      const entered = ids.filter((_, i) => answers[i]?.state !== "full");
      await assertMembers(direct, USER, [...members, ...entered]);
      expect(entered, `seed ${seed}`).toHaveLength(2 - before);
      for (const id of older) {
        const user = (await readTexts(direct, id)).user_id;
        expect(user, `seed ${seed}`).toBe(entered.includes(id) ? "1" : "9");
      }
    }
  },
);

/** Lets two sessions at once into two sets that have one place each; returns the answers. */
async function enterBothSets(seed: number, over?: InterceptedClient) {
  const one: Limit = { most: 1, whenFull: "reject" };
  const gate = new Gate(over);
  const options = { prefix: freshPrefix(), shards: SHARDS, timeout: "20 seconds" } as const;
  const store = redisStore(gate.client, options);
  const drafts = [
    ["a", "b"],
    ["b", "a"],
  ].map((texts) => ({
    ...createDraft(store),
    references: toLimited({ team: texts }, one),
  }));
  const work = Promise.all(drafts.map((made) => store.create(made)));
  const answers = await gate.drive(work, createRandom(seed), async () => {});
  return answers.map(({ state }) => state).sort();
}

test("of two sessions that need the same two last places one gets both, in any order", async () => {
  const first = Math.floor(Math.random() * 2 ** 30);
  for (let seed = first; seed < first + ORDERS; seed++) {
    expect(await enterBothSets(seed), `seed ${seed}`).toEqual(["created", "full"]);
  }
});

test("stores that get reservations wrong are caught by some order", async () => {
  const careless = mutatedClient(client, reservationMutations["reservation that counts nobody"]);
  const hasty = mutatedClient(client, reservationMutations["place of another taken for none"]);
  let [tooMany, tooFew] = [false, false];
  for (let seed = 1; seed <= ORDERS; seed++) {
    tooMany ||= (await logInAtOnce(REJECT, 1, seed, careless)).most > 2;
    tooFew ||= !(await enterBothSets(seed, hasty)).includes("created");
    if (tooMany && tooFew) break;
  }
  expect({ tooMany, tooFew }).toEqual({ tooMany: true, tooFew: true });
});

test("a login beside one whose caller ends another session gets no place of it, in any order", async () => {
  const first = Math.floor(Math.random() * 2 ** 30);
  for (let seed = first; seed < first + ORDERS; seed++) {
    const options = { prefix: freshPrefix(), shards: SHARDS, timeout: "20 seconds" } as const;
    const direct = redisStore(client, options);
    const [twin = "", other = ""] = await Promise.all([1, 2].map(() => createForUser(direct, "1")));
    const visitor = await create(direct);
    const gate = new Gate();
    const store = redisStore(gate.client, options);
    const references = toLimited({ user_id: ["1"] }, REJECT);
    const sent = { ...createSignIn(visitor, "1"), references, leaving: [twin] };
    const signIn = async () => {
      const { state } = await store.signIn(visitor, sent);
      await store.end(twin);
      return state;
    };
    const login = { ...createDraft(store), references };
    const work = Promise.all([signIn(), store.create(login).then(({ state }) => state)]);
    const answers = await gate.drive(work, createRandom(seed), async () => {});
    expect(answers, `seed ${seed}`).toEqual(["signed-in", "full"]);
    await assertMembers(direct, USER, [other, sent.id]);
  }
});

test("a set far beyond its limit on one shard is brought to it in any order", async () => {
  const first = Math.floor(Math.random() * 2 ** 30);
  const limit: Limit = { most: 2, whenFull: "end-oldest" };
  for (let seed = first; seed < first + ORDERS; seed++) {
    const options = { prefix: freshPrefix(), timeout: "20 seconds" } as const;
    const direct = redisStore(client, options);
    for (let i = 0; i < 6; i++) await createForUser(direct, "1");
    const gate = new Gate(mutatedClient(client, SMALL_PAGES));
    const store = redisStore(gate.client, options);
    const logins = Array.from({ length: LOGINS }, () => ({
      ...createDraft(store),
      references: toLimited({ user_id: ["1"] }, limit),
    }));
    const work = Promise.all(logins.map((login) => store.create(login)));
    const answers = await gate.drive(work, createRandom(seed), async () => {
      expect(await direct.count(USER), `seed ${seed}`).toBeGreaterThanOrEqual(2);
    });
    expect(answers.map(({ state }) => state)).toEqual(logins.map(() => "created"));
    expect(await direct.count(USER), `seed ${seed}`).toBe(2);
  }
});

test.each([1, SHARDS])(
  "beside a clear on %i shard(s), a login with an older asOf leaves no session in any order",
  async (shards) => {
    const first = Math.floor(Math.random() * 2 ** 30);
    const seen = new Set<string>();
    for (let seed = first; seed < first + ORDERS; seed++) {
      const options = { prefix: freshPrefix(), shards, timeout: "20 seconds" } as const;
      const direct = redisStore(client, options);
      await createForUser(direct, "1");
      const visitors = await Promise.all(Array.from({ length: LOGINS }, () => create(direct)));
      const asOf = await serverTime(client);
      const gate = new Gate();
      const store = redisStore(gate.client, options);
      const work = Promise.all([
        store.endAll(USER),
        ...visitors.map((id) => store.signIn(id, createSignIn(id, "1", { asOf }))),
      ]);
      const [, ...answers] = await gate.drive(work, createRandom(seed), async () => {});
      expect(await direct.count(USER), `seed ${seed}`).toBe(0);
      for (const [i, { state }] of answers.entries()) {
        seen.add(state);
        const visitor = await direct.find(visitors[i] as string);
        expect(visitor.state, `seed ${seed}`).toBe(state === "cleared" ? "live" : "superseded");
      }
    }
    expect([...seen].sort()).toEqual(["cleared", "signed-in"]);
  },
);
