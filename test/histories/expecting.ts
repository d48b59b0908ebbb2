import { randomInt } from "node:crypto";
import { expect } from "vitest";
import { runHistories } from "./campaign.ts";
import type { Servers } from "./runner.ts";

const { SEED, HISTORIES } = process.env;

/** For a busy machine, and for making a failure short (ms). */
export const TIME_LIMIT = 300_000;

/**
 * Runs histories, and expects that each can be explained. SEED repeats those of an earlier run, and
 * HISTORIES runs fewer or more.
 */
export async function expectExplained(where: string, servers: Servers, enough: number) {
  const seed = SEED ? Number(SEED) : randomInt(1_000_000_000);
  const count = HISTORIES ? Number(HISTORIES) : enough;
  console.log(`Histories on ${where}: SEED=${seed} HISTORIES=${count}`);
  const { failure, ...numbers } = await runHistories(servers, { seed, count });
  console.log(`Histories on ${where}: ${JSON.stringify(numbers)}`);
  expect(failure).toBeNull();
}
