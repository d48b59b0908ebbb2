/* Histories fail on a store that breaks a rule: without that they would show nothing. */
import { randomInt } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type RedisServer, startRedis } from "../../support/redis/server.ts";
import { runHistories } from "./campaign.ts";
import { TIME_LIMIT } from "./expecting.ts";
import { createPlan, type Plan } from "./plan.ts";
import { PROCESSES } from "./runner.ts";

/** As a rule one of the first few hundred fails. */
const MOST = 10_000;
/** The errors that say a rule is broken, by the calls' answers or by the keys that they left. */
const BROKEN = /^(order|count|twice|stranger|lineage): |^Before or at SEED=.*: AssertionError/;

let server: RedisServer;
beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server.stop());

test.each([
  "upsert in set",
  "forgotten index removal",
  "rotation in two commands",
  "clear that does not follow a rotation",
  "no not-after moment",
  "rotation that extends the absolute deadline",
  "login that leaves an alias",
  "except that does not follow an alias",
  "except that forgets a rotation",
  "change of a set that is made again",
  "sign-in that keeps another user's",
  "sign-in that keeps nothing",
  "sign-in that carries everything over",
  "sign-in that forgets the entries of what it keeps",
  "sign-in that ends nothing",
  "sign-in that is done again",
  "replacement that merges",
  "rotation of the same user that leaves an alias",
  "ending over three aliases",
  "pointer that stays behind",
  "pointer that outlives its session",
  "pointer that a token follows",
] as const)(
  "histories of a store with this are refused: %s",
  async (mutation) => {
    const seed = randomInt(1_000_000_000);
    const servers = { ports: [server.port], cluster: false };
    const campaign = { seed, count: MOST, mutation, shrink: false };
    const { failure, ...numbers } = await runHistories(servers, campaign);
    console.log(`${mutation}, SEED=${seed}: ${JSON.stringify(numbers)}`);
    expect(failure).toMatch(BROKEN);
  },
  TIME_LIMIT,
);

test(
  "what is refused is made short: the history, and the plan that it came from",
  async () => {
    const seed = randomInt(1_000_000_000);
    console.log(`SEED=${seed}`);
    const { failure } = await runHistories(
      { ports: [server.port], cluster: false },
      { seed, count: MOST, mutation: "rotation that extends the absolute deadline" },
    );
    const [rule, repeat, , calls = "", , text = ""] = failure?.split("\n\n") ?? [];
    expect(rule).toMatch(/^order: no order explains/);
    const first = Number(/^SEED=(\d+) /.exec(repeat ?? "")?.[1]);
    const plan = JSON.parse(text) as Plan;
    expect(listSteps(plan)).toBeLessThanOrEqual(listSteps(createPlan(first, PROCESSES)));
    // The session is made, and rotates. Nothing more could be left out.
    expect(calls).toMatch(/create .*\n.*rotate /);
  },
  TIME_LIMIT,
);

function listSteps({ programs }: Plan): number {
  return programs.flat().length;
}
