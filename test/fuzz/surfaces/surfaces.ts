/*
 * A surface is an object that a program gets from the library and calls: what its methods take, and
 * what they promise. A round opens one in a world of its own, and makes a few calls.
 */
import { fc } from "../../support/properties.ts";
import { findFaults, type Outcome, type Rules } from "../runs/checks.ts";
import type { Traffic } from "../runs/traffic.ts";
import type { Watch } from "../runs/watch.ts";
import { hostile, make, measureRecipe, type Recipe, show } from "../values/recipes.ts";

/** Where calls are made: a store with sessions in it, and what calls may be given of them. */
export interface World {
  /** Tokens, and all else that gives access. */
  readonly secrets: Set<string>;
  /** The prefix of all keys. */
  readonly prefixes: readonly string[];
  /** The commands that the server gets; for a store in memory, the calls of the store. */
  readonly traffic: Pick<Traffic, "since"> & Partial<Pick<Traffic, "own">>;
  /** Whether sets have entries that have expired. */
  readonly expires?: boolean;
  /**
   * How many entries its sets may have.
   * @default a few
   */
  readonly entries?: number;
  /** The value that a name stands for. */
  of(name: string): unknown;
  close(): Promise<void>;
}

export interface Method {
  /** Its arguments, as a program should give them or not. */
  readonly args: readonly fc.Arbitrary<Recipe>[];
  /**
   * Its documented result; `steps`: what a program goes through with `for await`; `either`: a
   * value or a promise.
   * @default "promise"
   */
  readonly gives?: "promise" | "value" | "steps" | "either";
  /** Whether a framework calls it, and so with all that it takes. */
  readonly byFramework?: boolean;
  /** Which argument it calls back, where that is a function; it returns nothing then. */
  readonly callsBack?: number;
  /** @default false: it writes */
  readonly reads?: Rules["reads"];
}

export interface Surface<Where extends World, Setting = undefined> {
  readonly name: string;
  /** In what ways it is got. */
  readonly settings: fc.Arbitrary<Setting>;
  readonly open: (world: Where, setting: Setting) => object | Promise<object>;
  /** By name; `()` is a call of the object itself. */
  readonly methods: Readonly<Record<string, Method>>;
  /** Methods that are left alone, and why. */
  readonly skipped?: Readonly<Record<string, string>>;
}

export interface Call {
  readonly method: string;
  readonly args: readonly Recipe[];
}

export interface Round<Setting> {
  readonly setting: Setting;
  readonly calls: readonly Call[];
}

const MAX_CALLS = 4;
/** How many steps of something endless are enough to say so. */
const MAX_STEPS = 200;
/** How often a call is waited for, with a round trip to the server each time. */
const MAX_POLLS = 5000;

export function createRounds<Where extends World, Setting>({
  settings,
  methods,
}: Surface<Where, Setting>): fc.Arbitrary<Round<Setting>> {
  const call = fc
    .constantFrom(...Object.keys(methods))
    .chain((method) =>
      fc.record({ method: fc.constant(method), args: pickArguments(methods[method] as Method) }),
    );
  const calls = fc.array(call, { minLength: 1, maxLength: MAX_CALLS });
  return fc.record({ setting: settings, calls });
}

/** As many arguments as are taken, or fewer, or one more. */
function pickArguments({ args, byFramework }: Method): fc.Arbitrary<readonly Recipe[]> {
  if (byFramework) return fc.tuple(...args);
  const all = fc.tuple(...args, hostile);
  return fc
    .tuple(all, fc.nat(args.length + 3))
    .map(([given, count]) => given.slice(0, count > args.length + 1 ? args.length : count));
}

export function showRound<Setting>(surface: string, { setting, calls }: Round<Setting>): string {
  const how = setting === undefined ? "" : ` (${JSON.stringify(setting)})`;
  const lines = calls.map(({ method, args }) => `${method}(${args.map(show).join(", ")})`);
  return `${surface}${how}: ${lines.join("; ")}`;
}

/** Makes the calls of a round, each when the one before has ended. */
export async function play<Where extends World, Setting>(
  surface: Surface<Where, Setting>,
  world: Where,
  { setting, calls }: Round<Setting>,
  watch: Watch,
): Promise<string[]> {
  const sample = await surface.open(world, setting);
  const faults: string[] = [];
  for (const { method, args } of calls) {
    const spec = surface.methods[method] as Method;
    const found = await findCallFaults(world, watch, spec, args, (given) =>
      invoke(sample, method, given),
    );
    faults.push(...found.map((fault) => `${surface.name}.${method}: ${fault}`));
  }
  return faults;
}

/** Makes one call and says what is wrong with what comes of it. */
export async function findCallFaults(
  world: World,
  watch: Watch,
  { gives = "promise", reads = false, callsBack }: Omit<Method, "args">,
  args: readonly Recipe[],
  call: (given: readonly unknown[]) => unknown,
): Promise<string[]> {
  const given = args.map((one) => make(one, (name) => world.of(name)));
  await Promise.all([world.traffic.since(), watch.since()]);
  const answer = callsBack === undefined ? undefined : answers.get(Object(given[callsBack]));
  const outcome = await catchOutcome(() => call(given), gives, { ...world, answer });
  keepSecret(world, outcome);
  const outlets = await watch.since();
  const commands = await world.traffic.since();
  const size = args.reduce((sum, one) => sum + measureRecipe(one), world.entries ?? 0);
  return findFaults(outcome, outlets, commands, {
    gives: gives === "promise" ? gives : "value",
    secrets: world.secrets,
    prefixes: world.prefixes,
    reads,
    expires: world.expires ?? false,
    most: { commands: 50 + size, byScripts: 2000 + 50 * size },
  });
}

function invoke(sample: object, method: string, given: readonly unknown[]): unknown {
  if (method === "()") return Reflect.apply(sample as () => unknown, undefined, given);
  if (method === "[Symbol.asyncIterator]") return sample;
  const member: unknown = Reflect.get(sample, method);
  return typeof member === "function" ? Reflect.apply(member, sample, given) : member;
}

export async function catchOutcome(
  call: () => unknown,
  gives: Method["gives"],
  { traffic, answer }: Pick<World, "traffic"> & { answer?: Promise<unknown> | undefined },
): Promise<Outcome> {
  let returned: unknown;
  try {
    returned = call();
  } catch (error) {
    return { ended: "thrown", error };
  }
  const isDone = gives === "value" || (gives === "either" && !(returned instanceof Promise));
  if (answer === undefined && isDone) return { ended: "given", value: returned };
  if (answer === undefined && gives === "promise" && !(returned instanceof Promise)) {
    return { ended: "at once", value: returned };
  }
  const work = gives === "steps" ? steps(returned) : (answer ?? Promise.resolve(returned));
  let outcome: Outcome | undefined;
  work.then(
    (value) => {
      outcome = { ended: "given", value };
    },
    (error: unknown) => {
      outcome = { ended: "rejected", error };
    },
  );
  for (let poll = 0; poll < MAX_POLLS && outcome === undefined; poll++) {
    await (traffic.own && poll > 3 ? traffic.own.ping() : new Promise(setImmediate));
  }
  return outcome ?? { ended: "never" };
}

/** The arguments of a test's callbacks. */
const answers = new WeakMap<object, Promise<unknown>>();

/** A callback whose answer is waited for. */
export function callback(then: () => void = () => {}): (error?: unknown, value?: unknown) => void {
  let tell = (_: (() => unknown) | null) => {};
  const answer = new Promise<(() => unknown) | null>((resolve) => {
    tell = resolve;
  }).then((one) => one?.());
  answer.catch(() => {});
  const called = (error?: unknown, value?: unknown) => {
    tell(() => {
      if (error) throw error;
      return value;
    });
    then();
  };
  answers.set(called, answer);
  return called;
}

async function steps(returned: unknown): Promise<unknown> {
  let count = 0;
  for await (const _ of returned as AsyncIterable<unknown>) {
    if (++count > MAX_STEPS) return new Promise(() => {}); // it does not end
  }
  return count;
}

/** A token that a call has given is no one else's business. */
function keepSecret({ secrets }: World, outcome: Outcome): void {
  if (outcome.ended !== "given") return;
  for (const one of [outcome.value, readToken(outcome.value)]) {
    if (typeof one === "string" && one.length > 30) secrets.add(one);
  }
}

/** The given value may be hostile input, such as a Proxy that was revoked. */
function readToken(given: unknown): unknown {
  try {
    return Object(given).token;
  } catch {
    return undefined;
  }
}
