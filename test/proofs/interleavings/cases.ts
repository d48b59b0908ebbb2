/* Random interleavings, each of them a text that repeats it, and the smallest that fails as well. */
import { ACTORS, type Actor, LONG } from "./actors.ts";
import { BROWSER } from "./browser.ts";
import type { Harness } from "./harness.ts";
import { Oracle, type Setting } from "./oracle.ts";
import { REQUESTS } from "./requests.ts";
import { type Chooser, FAULTS } from "./scheduler.ts";

/** One case: its actors, their setting, and every choice that was made. */
export interface Case extends Setting {
  readonly actors: readonly string[];
  readonly choices: readonly number[];
}

export type Random = () => number;

/** Numbers from 0 below 1 (mulberry32): the same ones for the same seed. */
export function createRandom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function pickOne<T>(random: Random, list: readonly T[]): T {
  return list[Math.floor(random() * list.length)] as T;
}

/** A group has at most this many orders of its calls, because all of them may have to be tried. */
const MOST_ORDERS = 600;

export interface Group {
  readonly actors: readonly Actor[];
  readonly setting: Setting;
  readonly oracle: Oracle;
}

export function findActor(name: string): Actor {
  const found = [...ACTORS, ...LONG, ...REQUESTS, ...BROWSER].find((one) => one.name === name);
  if (!found) throw new Error(`there is no actor "${name}"`);
  return found;
}

export async function createGroup({ actors, ...setting }: Omit<Case, "choices">): Promise<Group> {
  const found = actors.map((name) => findActor(name));
  return { actors: found, setting, oracle: await Oracle.of(found, setting) };
}

/** A request that goes by the set it is in sees one that is changed by half, as no order of calls does. */
function isClear({ actors }: Group): boolean {
  const sets = actors.filter((actor) => actor.ofSet);
  return sets.length < 2 || !sets.some((actor) => actor.request);
}

/** Three to five operations, or requests, in one to three shards; often with a fault. */
export async function pickGroup(random: Random): Promise<Group> {
  for (;;) {
    const count = 3 + Math.floor(random() * 3);
    const names = Array.from({ length: count }, () => {
      return pickOne(random, random() < 0.3 ? REQUESTS : ACTORS).name;
    });
    const fault = { actor: Math.floor(random() * count), kind: pickOne(random, FAULTS) };
    const group = await createGroup({
      actors: names,
      shards: 1 + Math.floor(random() * 3),
      crowded: random() < 0.3,
      fault: random() < 0.5 ? fault : null,
    });
    if (group.oracle.orders <= MOST_ORDERS && isClear(group)) return group;
  }
}

/** Chooses at random, or as `choices` say for as long as there are some, and keeps what it chose. */
export class Recorded implements Chooser {
  readonly made: number[] = [];
  readonly #choose: (at: number) => number;

  private constructor(choose: (at: number) => number) {
    this.#choose = choose;
  }

  static random(random: Random): Recorded {
    return new Recorded(() => Math.floor(random() * 2 ** 30));
  }

  static of(choices: readonly number[]): Recorded {
    return new Recorded((at) => choices[at] ?? 0);
  }

  pick(options: number): number {
    const choice = this.#choose(this.made.length) % options;
    this.made.push(choice);
    return choice;
  }
}

/** A case that fails, and how. */
export interface Failure {
  readonly case: Case;
  readonly error: Error;
}

/** Tries a group once; null where all is well. */
export async function attempt(
  harness: Harness,
  { actors, setting, oracle }: Group,
  chooser: Recorded,
): Promise<Failure | null> {
  try {
    await harness.once(actors, setting, chooser, oracle);
    return null;
  } catch (error) {
    const names = actors.map(({ name }) => name);
    const failed = { ...setting, actors: names, choices: dropLastZeros(chooser.made) };
    return { case: failed, error: error as Error };
  }
}

function dropLastZeros(choices: readonly number[]): number[] {
  return choices.slice(0, choices.findLastIndex((choice) => choice !== 0) + 1);
}

/** How often a smaller group is tried before it is taken to be well. */
const TRIES = 60;
/** How many schedules are spent on making a case smaller. */
const EFFORT = 4000;

/** The smallest case that is found to fail, beginning with one that does. */
export async function shrink(harness: Harness, failure: Failure): Promise<Failure> {
  const most = harness.schedules + EFFORT;
  let least = failure;
  for (;;) {
    const smaller = await findFirstSmaller(harness, least.case, () => harness.schedules < most);
    if (smaller === null) return least;
    least = smaller;
  }
}

async function findFirstSmaller(
  harness: Harness,
  least: Case,
  goesOn: () => boolean,
): Promise<Failure | null> {
  return (await findSmaller(harness, least, goesOn)) ?? shorten(harness, least, goesOn);
}

/** With less of something, in the same order or in any other. */
async function findSmaller(harness: Harness, { choices, ...group }: Case, goesOn: () => boolean) {
  for (const smaller of listSmallerGroups(group)) {
    const made = await createGroup(smaller);
    const random = createRandom(1);
    for (let i = 0; i < TRIES && goesOn(); i++) {
      const chooser = i === 0 ? Recorded.of(choices) : Recorded.random(random);
      const failure = await attempt(harness, made, chooser);
      if (failure) return failure;
    }
  }
  return null;
}

/** With fewer or smaller choices. */
async function shorten(harness: Harness, { choices, ...group }: Case, goesOn: () => boolean) {
  const same = await createGroup(group);
  for (const smaller of listSmallerChoices(choices)) {
    const failure = goesOn() ? await attempt(harness, same, Recorded.of(smaller)) : null;
    if (failure && isSmaller(failure.case.choices, choices)) return failure;
  }
  return null;
}

function* listSmallerGroups(group: Omit<Case, "choices">): Generator<Omit<Case, "choices">> {
  const { actors, shards, crowded, fault } = group;
  for (const at of actors.keys()) {
    const left = actors.toSpliced(at, 1);
    if (left.length === 0) continue;
    if (!fault) yield { ...group, actors: left };
    else if (fault.actor !== at) {
      const moved = fault.actor - (fault.actor > at ? 1 : 0);
      yield { ...group, actors: left, fault: { ...fault, actor: moved } };
    }
  }
  if (fault) yield { ...group, fault: null };
  if (crowded) yield { ...group, crowded: false };
  if (shards > 1) yield { ...group, shards: shards - 1 };
}

function* listSmallerChoices(choices: readonly number[]): Generator<number[]> {
  for (const [at, choice] of choices.entries()) {
    if (choice > 0) {
      yield choices.slice(0, at);
      yield choices.with(at, choice - 1);
    }
    yield choices.toSpliced(at, 1);
  }
}

function isSmaller(one: readonly number[], other: readonly number[]): boolean {
  const weight = (list: readonly number[]) => list.reduce((sum, choice) => sum + choice, 0);
  return one.length < other.length || (one.length === other.length && weight(one) < weight(other));
}
