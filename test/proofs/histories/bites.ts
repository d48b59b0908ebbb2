/* Histories fail on a store that breaks a rule: without that they would show nothing. */
import { randomInt } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { AnyMutationName } from "../../support/proofs/all-mutations.ts";
import { type RedisServer, startRedis } from "../../support/redis/server.ts";
import { runHistories } from "./campaign.ts";
import { Crew } from "./crew.ts";
import { TIME_LIMIT } from "./expecting.ts";
import type { Kind } from "./plan.ts";

/** As a rule one of the first few hundred fails. */
export const MOST = 10_000;
/** The errors that say a rule is broken, by the calls' answers or by the keys that they left. */
const BROKEN =
  /^(order|count|twice|stranger|lineage|ending|cleared|limit|trim): |^Before or at SEED=.*: AssertionError/;

/** Faults of a store. One that shows where one thing is done often names that. */
type Faults = Readonly<Partial<Record<AnyMutationName, Kind | "mixed">>>;

/** Defines tests, one for each fault. */
export function testBites(faults: Faults): void {
  const crew = new Crew();
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis();
  });
  afterAll(async () => {
    await crew.stop();
    await server.stop();
  });

  test.each(Object.entries(faults) as [AnyMutationName, Kind | "mixed"][])(
    "histories of a store with this are refused: %s",
    async (mutation, often) => {
      const seed = randomInt(1_000_000_000);
      const servers = { addresses: [server.socket], cluster: false };
      const kind = often === "mixed" ? undefined : often;
      const campaign = { seed, count: MOST, mutation, kind, shrink: false };
      const { failure, ...numbers } = await runHistories(crew, servers, campaign);
      console.log(`${mutation}, SEED=${seed}: ${JSON.stringify(numbers)}`);
      expect(failure).toMatch(BROKEN);
    },
    TIME_LIMIT,
  );
}
