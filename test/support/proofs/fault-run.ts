/* Checks after each fault under load, whatever the fault was. */
import { Redis } from "ioredis";
import { type RedisClient, redisStore } from "session-sets/redis";
import { expect } from "vitest";
import { checkInvariants, type Layout } from "../stores/invariants.ts";
import { freshPrefix } from "../stores/stores.ts";
import { LOAD_REFERENCES, Load, type Losses, loadedSessions, SLACK_MS, summary } from "./load.ts";
import { createSessionsOn, runAll } from "./operations.ts";

export interface Outcome extends Losses {
  /** Sessions that are there though their making was refused. */
  readonly unheard: number;
}

export interface FaultRun {
  readonly load: Load;
  /** Of the keys. */
  readonly prefix: string;
  /**
   * Ends the load; asserts that no call took longer than the timeout and the slack, that each that
   * was refused was so for one of these reasons, that every session is whole and in its sets, that no
   * ending is lost that replicas have acknowledged, and that everything works with the same client.
   *
   * @param delay how much later than due keys may expire (ms), as after a MIGRATE.
   */
  finish(masters: readonly number[], reasons: readonly RegExp[], delay?: number): Promise<Outcome>;
}

export interface FaultRunOptions {
  readonly timeout: number;
  /** @default 1 */
  readonly shards?: number;
  /** How many replicas endings wait for. */
  readonly replicas?: number | undefined;
}

/** Nobody answered: the server is down, frozen, or not reached. */
const NO_ANSWER = /^no answer (within \d+ ms|in time)\. Check/;
/** Its answer came when the caller was about to give up. */
const TOO_LATE = /^the server was reached too late, and has done nothing\. Check the server/;
/** In the words of a client, and what to check. */
const LOST_CONNECTION =
  /(ECONNRESET|ECONNREFUSED|EPIPE|ETIMEDOUT|Connection timeout|closed|lost|reconnect|disconnect).*\. Check the server and the client's connection to it$/i;

export const LOADING =
  /^the server is still loading its data; it will answer when it has finished$/;
/** The reasons for which calls may be refused while a server answers late, and while it is down. */
export const LATE = [NO_ANSWER, TOO_LATE];
export const DOWN = [...LATE, LOST_CONNECTION, LOADING];
/** A slot that has moved, or moves, where the client follows it no further. */
export const MOVING =
  /^the slot of the key is being moved to another node of the cluster; try again$/;
/** A cluster that knows no master of the slot until a replica has been promoted. */
export const NO_SLOTS = /^the cluster has no master for the key now.*; try again/;
/** Ended on the master, and not known to be ended on a replica. */
export const NO_REPLICA =
  /could not end a session( set)? on a replica: the master has nothing left to end, but no replica has acknowledged that in time.* Call it again to wait again, and check that the replicas/;

/** Loads a store on a client that a fault is about to hit. */
export function underLoad(
  what: string,
  client: RedisClient,
  { timeout, shards = 1, replicas }: FaultRunOptions,
): FaultRun {
  const prefix = freshPrefix();
  const sessions = (limit: number) =>
    loadedSessions(redisStore(client, { prefix, shards, timeout: limit }));
  const load = new Load(sessions(timeout), { patient: sessions(20_000), replicas });
  return {
    load,
    prefix,
    async finish(masters, reasons, delay = 0) {
      const layout = { prefix, shards, delay, references: LOAD_REFERENCES };
      await load.until("done", 100); // it works again before anything else is done
      await load.stop();
      expect(load.counts.longest, what).toBeLessThan(timeout + SLACK_MS);
      await expectWhole(layout, masters);
      const losses = await load.losses();
      const unheard = await load.unheard();
      console.log(summary(what, load, losses));
      for (const reason of load.counts.reasons.keys()) {
        const expected = reasons.some((one) => one.test(reason));
        expect(expected, `${what}: refused for a reason of its kind: ${reason}`).toBe(true);
      }
      if (replicas !== undefined) expect(losses.ends, `${what}: endings lost`).toBe(0);
      await load.clearAll();
      await expectEverythingWorks(client);
      await expectWhole(layout, masters);
      return { ...losses, unheard };
    },
  };
}

/** All keys of a shard are on one master, so each master can be scanned by itself. */
async function expectWhole(layout: Layout, masters: readonly number[]): Promise<void> {
  for (const port of masters) {
    const admin = new Redis(port);
    try {
      await checkInvariants(admin, layout);
    } finally {
      admin.disconnect();
    }
  }
}

/** Every operation, on a prefix of its own. */
export async function expectEverythingWorks(client: RedisClient): Promise<void> {
  const sessions = createSessionsOn(
    redisStore(client, { prefix: freshPrefix(), timeout: "20 seconds" }),
  );
  for (const [name, result] of await runAll(sessions)) {
    expect([false, null], `${name} gave ${result}`).not.toContain(result);
  }
}
