/*
 * Runs rounds of random input. SEED chooses the run and ROUNDS how long it is; a failure tells the
 * seed, the round and the shortest input that fails, and how to do it again:
 *
 *   SEED=1 ROUNDS=1000 npm run fuzz            another run, and a longer one
 *   SEED=1 ROUND=16 npm run fuzz -- -t <name>  one round of it, and shorter inputs while these fail
 *   SEED=1 ROUND=16:0:2 …                      one of these
 */
import { createHash, randomInt } from "node:crypto";
import { fc } from "../../support/properties.ts";
import { isHang } from "./checks.ts";

const { SEED, ROUNDS, ROUND } = process.env;

/** The seed of this run. */
export const seed = SEED ? Number(SEED) : randomInt(2 ** 31);

export interface Run<Input> {
  /** Its name in a report. */
  readonly name: string;
  readonly inputs: fc.Arbitrary<Input>;
  /** Resolves to what is wrong with an input. */
  readonly faults: (input: Input) => Promise<readonly string[]>;
  readonly show: (input: Input) => string;
  /** How many rounds where ROUNDS says nothing. */
  readonly rounds: number;
}

const MOST_TRIES = 3;

/**
 * The faults that `find` resolves to. A machine that stalls gives no answer for a while, either: so a call
 * hangs only if it has no answer the next times as well.
 */
export async function findLasting(
  find: () => Promise<readonly string[]>,
): Promise<readonly string[]> {
  let faults = await find();
  for (let tries = 1; tries < MOST_TRIES && faults.some(isHang); tries++) {
    faults = [...faults.filter((one) => !isHang(one)), ...(await find())];
  }
  return faults;
}

/** @throws Error that tells how to repeat a round in which something is wrong. */
export async function fuzz<Input>(
  run: Run<Input>,
  {
    from = seed,
    path = ROUND,
    rounds = ROUNDS,
  }: { from?: number; path?: string | undefined; rounds?: string | undefined } = {},
): Promise<void> {
  let isFound = false;
  const property = fc.asyncProperty(run.inputs, async (input) => {
    const find = () => run.faults(input);
    // Each shorter input that hangs takes its time, once.
    const faults = await (isFound ? find() : findLasting(find));
    if (faults.length === 0) return;
    isFound = true;
    throw new Faults(faults);
  });
  const result = await fc.check(property, {
    seed: deriveSeed(from, run.name),
    numRuns: path !== undefined ? 1 : Number(rounds ?? run.rounds),
    ...(path === undefined ? {} : { path }),
  });
  if (!result.failed) return;
  const { counterexample, counterexamplePath, errorInstance, numShrinks } = result;
  const found = counterexamplePath ?? "";
  const [round] = found.split(":");
  throw new Error(
    [
      `${run.name}: round ${round} of seed ${from} fails`,
      `The shortest input that was found, in ${numShrinks} steps:`,
      counterexample ? `  ${run.show(counterexample[0])}` : "",
      ...(errorInstance instanceof Faults ? errorInstance.faults : [String(errorInstance)]).map(
        (fault) => `  ${fault}`,
      ),
      `To repeat it: SEED=${from} ROUND=${found} npm run fuzz -- -t "${run.name}"`,
    ].join("\n"),
  );
}

/** Each run has a seed of its own, so that no two of them try the same. */
function deriveSeed(from: number, name: string): number {
  return createHash("sha256").update(`${from} ${name}`).digest().readInt32BE();
}

class Faults extends Error {
  readonly faults: readonly string[];

  constructor(faults: readonly string[]) {
    super(faults.join("\n"));
    this.faults = faults;
  }
}
