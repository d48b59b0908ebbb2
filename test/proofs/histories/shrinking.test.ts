/* A failure is made short, so that it can be read. */
import { randomInt } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type RedisServer, startRedis } from "../../support/redis/server.ts";
import { MOST } from "./bites.ts";
import { runHistories } from "./campaign.ts";
import { Crew, PROCESSES } from "./crew.ts";
import { TIME_LIMIT } from "./expecting.ts";
import { createPlan, type Plan } from "./plan.ts";

const crew = new Crew();
let server: RedisServer;
beforeAll(async () => {
  server = await startRedis();
});
afterAll(async () => {
  await crew.stop();
  await server.stop();
});

test(
  "what is refused is made short: the history, and the plan that it came from",
  async () => {
    const seed = randomInt(1_000_000_000);
    console.log(`SEED=${seed}`);
    const { failure } = await runHistories(
      crew,
      { addresses: [server.socket], cluster: false },
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
