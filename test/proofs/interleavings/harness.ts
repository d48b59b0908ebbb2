/* Tries actors side by side on a Redis server, in every order or in a given one. */
import assert from "node:assert/strict";
import type { SessionStore } from "session-sets";
import { type RedisClient, redisStore } from "session-sets/redis";
import { sources } from "../../../generated/scripts.js";
import { type InterceptedClient, intercepted } from "../../support/intercept.ts";
import { type Mutation, mutatedClient, mutatedSources } from "../../support/proofs/mutations.ts";
import { everyChoice } from "../../support/proofs/turnstile.ts";
import { sendTogether } from "../../support/redis/send-together.ts";
import { type RedisServer, startRedis } from "../../support/redis/server.ts";
import type { Layout } from "../../support/stores/invariants.ts";
import { type Client, clients } from "../../support/stores/stores.ts";
import type { Actor } from "./actors.ts";
import { Oracle, type Setting } from "./oracle.ts";
import {
  countCalls,
  forget,
  listOrders,
  listPlans,
  me,
  type Outcome,
  type Place,
  type Plan,
  readAnswer,
  runInOrder,
  type Span,
} from "./orders.ts";
import { findName, REFERENCES, type readState, type Scene, toCanonical } from "./scene.ts";
import { type Chooser, Scheduler } from "./scheduler.ts";
import { Stage } from "./stage.ts";

const PREFIX = "orders";

/** None of the references is kept as a plain set, too. */
function toLayout(shards: number): Layout {
  const references = Object.fromEntries(Object.keys(REFERENCES).map((field) => [field, {}]));
  return { prefix: PREFIX, shards, references };
}

/** A store for setting up and looking, and two for the actors: with pages of one session, and whole. */
interface Stores {
  readonly direct: SessionStore;
  readonly paged: SessionStore;
  readonly whole: SessionStore;
}

/** Asserts what must hold in every order. */
export type Check = (outcome: Outcome) => void;

export class Harness {
  readonly client: Client;
  readonly #server: RedisServer;
  readonly #scheduler = new Scheduler();
  readonly #mutation: Mutation | null;
  readonly #stage: Stage;
  readonly #stores = new Map<number, Stores>();
  /** How many schedules were tried. */
  schedules = 0;

  private constructor(
    server: RedisServer,
    client: Client,
    stage: Stage,
    mutation: Mutation | null,
  ) {
    this.#server = server;
    this.client = client;
    this.#mutation = mutation;
    this.#stage = stage;
  }

  static async open(): Promise<Harness> {
    const server = await startRedis();
    const client = sendTogether(clients["ioredis 6"](server.socket));
    const harness = new Harness(server, client, new Stage(client), null);
    await harness.#load(sources);
    return harness;
  }

  /** The same server with a store that is wrong. */
  async mutated(mutation: Mutation): Promise<Harness> {
    const harness = new Harness(this.#server, this.client, this.#stage, mutation);
    await harness.#load(mutatedSources(mutation));
    return harness;
  }

  async close(): Promise<void> {
    this.client.disconnect();
    await this.#server.stop();
  }

  async #load(scripts: Partial<Record<string, string>>): Promise<void> {
    const all = Object.values(scripts).map((text = "") => text);
    await Promise.all(all.map((text) => this.client.call("SCRIPT", ["LOAD", text])));
  }

  /** Tries every order of the actors' commands, and every moment of the fault. */
  async inEveryOrder(actors: readonly Actor[], setting: Setting, check?: Check): Promise<number> {
    const oracle = await Oracle.of(actors, setting);
    return everyChoice((choices) => this.once(actors, setting, choices, oracle, check));
  }

  /** Every order of the actors' whole calls, which must come to the same on a memory store. */
  async inEveryOrderOfCalls(
    actors: readonly Actor[],
    setting: Setting,
    check: Check,
  ): Promise<number> {
    const { shards } = setting;
    const [plan] = listPlans(actors, await countCalls(actors, setting), null) as [Plan];
    let runs = 0;
    for (const order of listOrders(plan, [])) {
      runs++;
      this.schedules++;
      const { direct } = this.#open(shards);
      const onServer: Place = {
        set: (over) => this.#stage.set(direct, over(direct), setting),
        read: (scene) => this.#stage.read(scene, toLayout(shards)),
      };
      try {
        const outcome = await runInOrder(actors, plan, order, setting, onServer);
        const expected = await runInOrder(actors, plan, order, setting);
        assert.equal(toCanonical(outcome), toCanonical(expected), "as on a memory store");
        check(outcome);
      } catch (error) {
        const what = actors.map(({ name }, i) => `${i}: ${name}`).join(", ");
        throw new Error(`${what}, in the order ${order}: ${(error as Error).message}`, {
          cause: error,
        });
      }
    }
    return runs;
  }

  /** One schedule. */
  async once(
    actors: readonly Actor[],
    setting: Setting,
    chooser: Chooser,
    oracle: Oracle,
    check: Check = () => {},
  ): Promise<void> {
    this.schedules++;
    const { shards, fault = null, wholeSets = false } = setting;
    const { direct, paged, whole } = this.#open(shards);
    const scene = await this.#stage.set(direct, wholeSets ? whole : paged, setting);
    const answers: (unknown[] | null)[] = actors.map(() => []);
    const spans: (Span | undefined)[][] = actors.map(() => []);
    const work = actors.map((actor, i) => async () => {
      for (const step of actor.start(scene, me(i))) {
        const before = this.#scheduler.placesOf(i).length;
        const answer = await readAnswer(step);
        answers[i]?.push(answer);
        spans[i]?.push(toSpan(this.#scheduler.placesOf(i).slice(before)));
      }
    });
    const dead = await this.#scheduler.drive(work, chooser, fault);
    if (dead !== null) {
      forget(scene, answers, dead);
      spans[dead] = []; // its commands may arrive at any time
    }
    try {
      const { state, kept } = await this.#stage.read(scene, toLayout(shards));
      await oracle.assertExplained({ answers, state }, spans);
      assertDeadlines(scene, kept);
      check({ answers, state });
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
    const over = (client: RedisClient) =>
      redisStore(client, { prefix: PREFIX, shards, timeout: "20 seconds" });
    const scheduled = this.#scheduler.client(this.client);
    const sent = this.#mutation ? mutatedClient(scheduled, this.#mutation) : scheduled;
    const stores = {
      direct: over(this.client),
      paged: over(shrinkPages(sent)),
      whole: over(sent),
    };
    this.#stores.set(shards, stores);
    return stores;
  }
}

function toSpan(places: readonly number[]): Span | undefined {
  const [first, last] = [places[0], places.at(-1)];
  return first === undefined || last === undefined ? undefined : { first, last };
}

/** Where the numbers stand that bound a page; the first of all is the digest. */
const BOUNDS: Readonly<Record<string, readonly number[]>> = {
  endAll: [7],
  scan: [7],
  changeAll: [8, 9],
};

/** Makes every page one session. */
function shrinkPages(client: InterceptedClient): RedisClient {
  return intercepted(client, ({ script, args }, pass) => {
    const bounds = BOUNDS[script ?? ""] ?? [];
    return pass(args.map((arg, i) => (bounds.includes(i) ? "1" : arg)));
  });
}

/** I6, and that a set's operations move no deadline. */
function assertDeadlines(scene: Scene, kept: Awaited<ReturnType<typeof readState>>["kept"]): void {
  for (const session of kept) {
    const name = findName(session);
    const first = scene.first.get(name);
    if (!first) continue;
    assert.equal(session.createdAt, first.createdAt, `when ${name} was made`);
    assert.equal(session.absoluteDeadline, first.absoluteDeadline, `the last moment of ${name}`);
    if (name !== "T") assert.equal(session.lastSeenAt, first.lastSeenAt, `${name} was not used`);
  }
}
