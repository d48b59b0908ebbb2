import { randomInt } from "node:crypto";
import { expect } from "vitest";
import { runHistories } from "./campaign.ts";
import { Crew } from "./crew.ts";
import type { Servers } from "./runner.ts";

const { SEED, HISTORIES, COPIES = "1" } = process.env;

/** For a busy machine, and for making a failure short (ms). */
export const TIME_LIMIT = 600_000;

/**
 * Runs histories, and expects that each can be explained. `SEED` repeats those of an earlier run,
 * `HISTORIES` runs fewer or more of them, and `COPIES` how many of each seed.
 */
export async function expectExplained(
  where: string,
  servers: Servers,
  enough: number,
): Promise<void> {
  const seed = SEED ? Number(SEED) : randomInt(1_000_000_000);
  const count = HISTORIES ? Number(HISTORIES) : enough;
  console.log(`Histories on ${where}: SEED=${seed}`);
  const crew = new Crew();
  const campaign = { seed, count, copies: Number(COPIES) };
  const { failure, ...numbers } = await runHistories(crew, servers, campaign).finally(() =>
    crew.stop(),
  );
  console.log(`Histories on ${where}: ${JSON.stringify(numbers)}`);
  if (failure) console.error(failure);
  expect(failure).toBeNull();
}
