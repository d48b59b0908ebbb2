/* What holds after each fault under load, whatever the fault was. */
import { Redis } from "ioredis";
import { type RedisClient, redisStore } from "session-sets/redis";
import { expect } from "vitest";
import { checkInvariants } from "./invariants.ts";
import { LOAD_REFERENCES, Load, type Losses, loadedSessions, SLACK, summary } from "./load.ts";
import { makeSession, operations, sessionsOn } from "./operations.ts";
import { freshPrefix } from "./stores.ts";

export interface FaultRun {
  readonly load: Load;
  /**
   * Ends the load; asserts that no call took longer than the timeout and the slack, that every
   * session is whole and in its sets, and that everything works with the same client.
   */
  finish(masters: readonly number[]): Promise<Losses>;
}

/** Loads a store on a client that a fault is about to hit. */
export function underLoad(
  what: string,
  client: RedisClient,
  { timeout, shards = 1 }: { readonly timeout: number; readonly shards?: number },
): FaultRun {
  const prefix = freshPrefix();
  const load = new Load(loadedSessions(redisStore(client, { prefix, shards, timeout })));
  return {
    load,
    async finish(masters) {
      await load.until("done", 100); // it works again before anything else is done
      await load.stop();
      expect(load.counts.longest, what).toBeLessThan(timeout + SLACK);
      await expectWhole(prefix, shards, masters);
      const losses = await load.losses();
      console.log(summary(what, load, losses));
      await load.clearAll();
      await expectEverythingWorks(client);
      await expectWhole(prefix, shards, masters);
      return losses;
    },
  };
}

/** All keys of a shard are on one master, so each master can be walked by itself. */
async function expectWhole(
  prefix: string,
  shards: number,
  masters: readonly number[],
): Promise<void> {
  for (const port of masters) {
    const admin = new Redis(port);
    try {
      await checkInvariants(admin, { prefix, shards, references: LOAD_REFERENCES });
    } finally {
      admin.disconnect();
    }
  }
}

/** Every operation, on a prefix of its own. */
export async function expectEverythingWorks(client: RedisClient): Promise<void> {
  const sessions = sessionsOn(redisStore(client, { prefix: freshPrefix(), timeout: "20 seconds" }));
  for (const name of Object.keys(operations(sessions, await makeSession(sessions)))) {
    const made = await makeSession(sessions);
    const result = await operations(sessions, made)[name]?.run();
    expect([false, null], `${name} gave ${result}`).not.toContain(result);
  }
}
