/*
 * Random sequences of what programs may do, against a plain model. After each step all invariants are
 * checked (docs/design.md, "Invariants"). A failure prints the seed and the shortest sequence that
 * still fails: see test/support/properties.ts for how to repeat it.
 */
import assert from "node:assert/strict";
import {
  createSessions,
  type ReferenceOptions,
  type SessionStore,
  type Sessions,
} from "session-sets";
import { memoryStore } from "session-sets/memory";
import { redisStore } from "session-sets/redis";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type FeedStore, isFeedStore } from "../../../src/store/feed.ts";
import { type AnyMutationName, allMutations } from "../../support/proofs/all-mutations.ts";
import type { Limits } from "../../support/proofs/model/entering.ts";
import type { Data } from "../../support/proofs/model/model.ts";
import { Run, type World } from "../../support/proofs/model/run.ts";
import { anyStep, type Step } from "../../support/proofs/model/steps.ts";
import { mutatedClient } from "../../support/proofs/mutations.ts";
import { fc, runs } from "../../support/properties.ts";
import { type RedisServer, startRedis } from "../../support/redis/server.ts";
import { checkInvariants } from "../../support/stores/invariants.ts";
import {
  type Client,
  clients,
  freshPrefix,
  passUntil,
  serverTime,
} from "../../support/stores/stores.ts";
import { parseTimes } from "../../support/stores/times.ts";

type Timeouts = World["timeouts"];
type OpenWorld = (timeouts: Timeouts, limits: Limits) => Promise<World>;

const HOUR = 3_600_000;
const SHORT = 80;
const TIMEOUTS: readonly Timeouts[] = [
  { idle: HOUR, absolute: 24 * HOUR, rotationGrace: HOUR },
  { idle: HOUR, absolute: null, rotationGrace: SHORT },
  { idle: null, absolute: 24 * HOUR, rotationGrace: 0 },
];
const lengths = { default: HOUR, short: SHORT, long: 2 * HOUR };

/** Which sets may be full: none, or those of some fields. */
const LIMITS: readonly Limits[] = [
  {},
  { user_id: { limit: 2, whenFull: "end-oldest" }, team_ids: { limit: 2, whenFull: "reject" } },
  { user_id: { limit: 2, whenFull: "reject" }, team_ids: { limit: 1, whenFull: "end-oldest" } },
];

function referencesFor(shards: number, limits: Limits = {}): Record<string, ReferenceOptions> {
  return {
    user_id: { ...limits.user_id },
    team_ids: { identity: false, ...limits.team_ids },
    tag: shards === 1 ? { identity: false, as: "set" } : { identity: false },
  };
}

function programOn(
  store: ReturnType<typeof memoryStore>,
  { idle, absolute, rotationGrace }: Timeouts,
  limits: Limits,
): Sessions<Data> {
  return createSessions<Data>({
    store,
    references: referencesFor(store.shards, limits),
    idleTimeout: idle,
    absoluteTimeout: absolute,
    rotationGrace,
  });
}

async function memoryWorld(timeouts: Timeouts, limits: Limits): Promise<World> {
  let now = 1_700_000_000_000;
  const store = memoryStore({ now: () => now });
  return {
    programs: [programOn(store, timeouts, limits), programOn(store, timeouts, limits)],
    timeouts,
    limits,
    isOneShard: true,
    byLineage: [],
    lengths,
    patience: 0,
    slack: 0,
    now: async () => now,
    async passUntil(moment) {
      now = Math.max(now, moment);
    },
    readBirth: async (id) => {
      const found = await store.find(id, { names: [] });
      return found.state === "live" ? found.session.createdAt : Number.POSITIVE_INFINITY;
    },
    listen: (listener) => requireFeed(store).subscribe(null, listener),
    settleFeed: () => new Promise((resolve) => setImmediate(resolve)),
    readsAreCheap: true,
  };
}

/** Three programs with a client each, one of them of the older version, and one client to look. */
function redisWorld(
  server: Client,
  others: readonly Parameters<typeof redisStore>[0][],
  shards: number,
): OpenWorld {
  return async (timeouts, limits) => {
    await server.flushall(); // the server is this file's own
    const prefix = freshPrefix();
    const stores = others.map((client) =>
      redisStore(client, { prefix, shards, timeout: "20 seconds" }),
    );
    const [store] = stores as [SessionStore];
    const layout = { prefix, shards, references: referencesFor(shards) };
    return {
      programs: stores.map((one) => programOn(one, timeouts, limits)),
      timeouts,
      limits,
      isOneShard: shards === 1,
      byLineage: shards === 1 ? ["trim"] : ["trim", "limit"],
      lengths,
      patience: SHORT / 2,
      slack: 1000,
      now: () => serverTime(server),
      async passUntil(moment) {
        const tooLong = moment - (await serverTime(server)) > 1000;
        if (!tooLong) await passUntil(server, moment);
      },
      async readBirth(id) {
        const times = parseTimes(await server.hget(store.sessionKey(id), "@"));
        return times ? Number(times.created) : Number.POSITIVE_INFINITY;
      },
      listen: (listener) => requireFeed(store).subscribe(null, listener),
      // Who subscribes later is let in by a message that comes after all others.
      async settleFeed() {
        const stop = await requireFeed(store).subscribe(null, { onEvent() {}, onGap() {} });
        await stop();
      },
      checkKept: (model) => checkInvariants(server, layout, model),
      readsAreCheap: false,
    };
  };
}

function requireFeed(store: SessionStore): FeedStore {
  assert.ok(isFeedStore(store));
  return store;
}

async function checkSequences(
  open: OpenWorld,
  numRuns: number,
  { shrinks = true }: { readonly shrinks?: boolean } = {},
): Promise<void> {
  const sequence = fc.array(anyStep, { minLength: 1, maxLength: 40, size: "max" });
  const one = async (timeouts: Timeouts, limits: Limits, steps: readonly Step[]) => {
    const run = new Run(await open(timeouts, limits));
    const stop = await run.listen();
    try {
      // One that a deadline breaks off, on a slow machine, does not count: another is run instead.
      for (const step of steps) fc.pre(await run.step(step));
      fc.pre(await run.finish());
    } finally {
      await stop();
    }
  };
  const property = fc.asyncProperty(
    fc.constantFrom(...TIMEOUTS),
    fc.constantFrom(...LIMITS),
    sequence,
    one,
  );
  await fc.assert(property, { ...runs(numRuns), endOnFailure: !shrinks });
}

/** On the memory store. */
export function describeMemory(): void {
  describe("the memory store does as the model", () => {
    test("whatever happens", () => checkSequences(memoryWorld, 300));
  });
}

interface Servers {
  readonly server: Client;
  readonly others: readonly Client[];
}

/** A server of the file's own, with clients for the programs and one to look. */
function useServer(): () => Servers {
  let redis: RedisServer;
  let servers: Servers;

  beforeAll(async () => {
    redis = await startRedis();
    const versions = [clients["ioredis 6"], clients["ioredis 5"], clients["ioredis 6"]];
    servers = {
      server: clients["ioredis 5"](redis.socket),
      others: versions.map((connect) => connect(redis.socket)),
    };
  });

  afterAll(async () => {
    for (const client of [servers.server, ...servers.others]) client.disconnect();
    await redis.stop();
  });

  return () => servers;
}

/** On a server of the file's own, which each sequence empties: so there is a file for each number of shards. */
export function describeRedis(shards: number): void {
  describe("the Redis store does as the model, and its keys fit together", () => {
    const use = useServer();

    test(`whatever happens on ${shards} shard(s)`, async () => {
      const { server, others } = use();
      await checkSequences(redisWorld(server, others, shards), 60);
    });
  });
}

/** Stores that break a rule do not do as the model: without that, it would show nothing. */
export function describeBites(names: readonly AnyMutationName[]): void {
  describe("a store is found that has this fault", () => {
    const use = useServer();

    test.each(names)("%s", async (name) => {
      const { server, others } = use();
      const mutated = others.map((client) => mutatedClient(client, allMutations[name]));
      const found = checkSequences(redisWorld(server, mutated, 1), 2000, { shrinks: false });
      // It fails as a rule that is broken does, not as a script that cannot run.
      await expect(found).rejects.toMatchObject({ cause: { code: "ERR_ASSERTION" } });
    });
  });
}
