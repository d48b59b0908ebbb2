/* Tries actors side by side on a Redis server, in every order or in a given one. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import type { SessionStore } from "session-sets";
import { type RedisClient, redisStore } from "session-sets/redis";
import { sources } from "../../src/store/redis/scripts.generated.ts";
import type { Sent } from "../support/intercept.ts";
import { checkInvariants } from "../support/invariants.ts";
import { type RedisServer, startRedis } from "../support/redis-server.ts";
import { type Client, clients } from "../support/stores.ts";
import { everyChoice } from "../support/turnstile.ts";
import type { Actor } from "./actors.ts";
import { answerOf, assertExplained, type Explanations, explain, forget, me } from "./oracle.ts";
import { nameOf, REFERENCES, type Scene, setScene, stateOf } from "./scene.ts";
import { type Chooser, type Fault, Scheduler } from "./scheduler.ts";

export type Sources = Partial<Record<keyof typeof sources, string>>;

/** What is wrong with a store, on purpose. */
export interface Mutation {
  /** Other texts for some of the scripts. */
  readonly scripts?: Sources;
  /** Another store around the store. */
  readonly store?: (store: SessionStore, client: Client) => SessionStore;
}

const PREFIX = "orders";
/** None of them is kept as a plain set, too. */
const LAYOUT = Object.fromEntries(Object.keys(REFERENCES).map((field) => [field, {}]));

export class Harness {
  readonly client: Client;
  readonly #server: RedisServer;
  readonly #scheduler = new Scheduler();
  readonly #mutation: Mutation;
  readonly #stores = new Map<number, { direct: SessionStore; used: SessionStore }>();
  /** How many schedules were tried. */
  schedules = 0;

  private constructor(server: RedisServer, client: Client, mutation: Mutation) {
    this.#server = server;
    this.client = client;
    this.#mutation = mutation;
  }

  static async open(mutation: Mutation = {}): Promise<Harness> {
    const server = await startRedis();
    const harness = new Harness(server, clients["ioredis 6"](server.url), mutation);
    await harness.#load();
    return harness;
  }

  /** The same server with a store that is wrong. */
  async mutated(mutation: Mutation): Promise<Harness> {
    const harness = new Harness(this.#server, this.client, mutation);
    await harness.#load();
    return harness;
  }

  async close(): Promise<void> {
    this.client.disconnect();
    await this.#server.stop();
  }

  async #load(): Promise<void> {
    const all = [...Object.values(sources), ...Object.values(this.#mutation.scripts ?? {})];
    await Promise.all(all.map((source) => this.client.call("SCRIPT", ["LOAD", source])));
  }

  /** Every order of what the actors send, and every moment of the fault. */
  async inEveryOrder(actors: readonly Actor[], shards: number, fault: Fault | null = null) {
    const explanations = await explain(actors, fault);
    return everyChoice((choices) => this.once(actors, shards, choices, fault, explanations));
  }

  /** One schedule. */
  async once(
    actors: readonly Actor[],
    shards: number,
    chooser: Chooser,
    fault: Fault | null,
    explanations: Explanations,
  ): Promise<void> {
    this.schedules++;
    const { direct, used } = this.#open(shards);
    await this.client.flushall();
    const scene = await setScene(direct, used);
    const answers: (unknown[] | null)[] = actors.map(() => []);
    const work = actors.map((actor, i) => async () => {
      for (const step of actor.start(scene, me(i))) {
        const answer = await answerOf(step);
        answers[i]?.push(answer);
      }
    });
    const dead = await this.#scheduler.drive(work, chooser, fault);
    if (dead !== null) forget(scene, answers, dead);
    try {
      const [{ state, kept }] = await Promise.all([
        stateOf(scene),
        checkInvariants(this.client, { prefix: PREFIX, shards, references: LAYOUT }),
      ]);
      assertExplained({ answers, state }, explanations);
      assertDeadlines(scene, kept);
    } catch (error) {
      const what = actors.map(({ name }, i) => `${i}: ${name}`).join(", ");
      throw new Error(`${what}, by ${this.#scheduler.log}: ${(error as Error).message}`, {
        cause: error,
      });
    }
  }

  #open(shards: number) {
    const open = this.#stores.get(shards);
    if (open) return open;
    const { store: wrap = (store: SessionStore) => store } = this.#mutation;
    const over = (client: RedisClient) =>
      redisStore(client, { prefix: PREFIX, shards, timeout: "20 seconds" });
    const scheduled = this.#scheduler.client(this.client, (sent) =>
      withScript(smallPages(sent), this.#mutation.scripts?.[sent.script ?? "count"]),
    );
    const stores = { direct: over(this.client), used: wrap(over(scheduled), this.client) };
    this.#stores.set(shards, stores);
    return stores;
  }
}

/** Where the numbers stand that bound a page; the first of all is the digest. */
const BOUNDS: Readonly<Record<string, readonly number[]>> = {
  endAll: [7],
  scan: [7],
  changeAll: [8, 9],
};

/** Makes every page one session. */
function smallPages({ script, args }: Sent): readonly string[] {
  const bounds = BOUNDS[script ?? ""] ?? [];
  return args.map((arg, i) => (bounds.includes(i) ? "1" : arg));
}

function withScript(args: readonly string[], source: string | undefined): readonly string[] {
  if (source === undefined) return args;
  return [createHash("sha1").update(source).digest("hex"), ...args.slice(1)];
}

/** I6, and that a set's operations move no deadline. */
function assertDeadlines(scene: Scene, kept: Awaited<ReturnType<typeof stateOf>>["kept"]): void {
  for (const session of kept) {
    const name = nameOf(session);
    const first = scene.first.get(name);
    if (!first) continue;
    assert.equal(session.createdAt, first.createdAt, `when ${name} was made`);
    assert.equal(session.absoluteDeadline, first.absoluteDeadline, `the last moment of ${name}`);
    if (name !== "T") assert.equal(session.lastSeenAt, first.lastSeenAt, `${name} was not used`);
  }
}
