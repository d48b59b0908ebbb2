/* Orders of calls, and the outcome of each: run on a memory store, one call after the other. */
import { memoryStore } from "session-sets/memory";
import type { SessionStore } from "../../../src/store/contract.ts";
import type { Actor, Step } from "./actors.ts";
import { type Cast, readState, type Scene, type State, setScene } from "./scene.ts";
import type { Fault } from "./scheduler.ts";

/** An outcome: the answers of each actor's calls (null: it died), and the state at the end. */
export interface Outcome {
  readonly answers: readonly (readonly unknown[] | null)[];
  readonly state: State;
}

/** When the calls of each actor sent their first and their last command, among all commands. */
export type Spans = readonly (readonly (Span | undefined)[])[];

export interface Span {
  readonly first: number;
  readonly last: number;
}

/** The calls that each actor makes. A call whose write runs twice is listed twice. */
export interface Plan {
  readonly steps: readonly (readonly number[])[];
  readonly dead: number | null;
  readonly twice: { readonly actor: number; readonly step: number; readonly write: number } | null;
}

export const me = (actor: number) => `by ${actor}`;

/** The answer of one call. */
export async function readAnswer(step: Step): Promise<unknown> {
  try {
    return await step();
  } catch (error) {
    return { threw: (error as { code?: unknown }).code ?? String(error) };
  }
}

/** Forgets the answers of an actor that died: no order has to explain them. */
export function forget(scene: Scene, answers: (unknown[] | null)[], dead: number): void {
  answers[dead] = null;
  scene.tokens.delete(me(dead));
  scene.tokens.delete(`new ${me(dead)}`);
}

/** How many calls each of the actors makes. */
export async function countCalls(actors: readonly Actor[], cast: Cast): Promise<number[]> {
  const store = memoryStore();
  const scene = await setScene(store, store, cast);
  return actors.map((actor, i) => actor.start(scene, me(i)).length);
}

/** The plans that the actors may carry out, by how many calls each of them makes. */
export function listPlans(
  actors: readonly Actor[],
  lengths: readonly number[],
  fault: Fault | null,
): Plan[] {
  const all = lengths.map((length) => Array.from({ length }, (_, i) => i));
  const plain: Plan = { steps: all, dead: null, twice: null };
  if (fault === null) return [plain];
  const { actor, kind } = fault;
  const own = all[actor] ?? [];
  const instead = (steps: readonly number[]) => all.with(actor, [...steps]);
  if (kind === "resends") {
    // A request that finds its session gone makes another one: it writes twice.
    const writes = actors[actor]?.request ? [0, 1] : [0];
    const doubled = own.flatMap((step) =>
      writes.map((write) => ({
        steps: instead([...own.slice(0, step + 1), ...own.slice(step)]),
        dead: null,
        twice: { actor, step, write },
      })),
    );
    return [plain, ...doubled];
  }
  const parts = own.map((i) => own.slice(0, i));
  // A call whose only command is late is not carried out.
  if (kind !== "late" || actors[actor]?.ofSet) parts.push(own);
  return [plain, ...parts.map((steps) => ({ steps: instead(steps), dead: actor, twice: null }))];
}

/** How many orders there are of the actors' calls, given how many each makes. */
export function countOrders(lengths: readonly number[]): number {
  let [calls, orders] = [0, 1];
  for (const length of lengths) {
    for (let i = 1; i <= length; i++) orders = (orders * ++calls) / i;
  }
  return orders;
}

/** The orders of a plan's calls that the spans allow, the likeliest first: one actor for each call. */
export function* listOrders(
  plan: Plan,
  spans: Spans,
  at = plan.steps.map(() => 0),
): Generator<number[]> {
  const next = plan.steps.flatMap((steps, actor) => {
    const step = steps[at[actor] ?? 0];
    return step === undefined ? [] : [{ actor, span: spans[actor]?.[step] }];
  });
  if (next.length === 0) yield [];
  const allowed = next.filter(
    ({ span }) => !next.some((other) => span && other.span && other.span.last < span.first),
  );
  allowed.sort((a, b) => (a.span?.last ?? 0) - (b.span?.last ?? 0));
  for (const { actor } of allowed) {
    const after = at.with(actor, (at[actor] ?? 0) + 1);
    for (const order of listOrders(plan, spans, after)) yield [actor, ...order];
  }
}

/** Where calls are carried out: a memory store, or a server with sessions that were made before. */
export interface Place {
  /** Sets the scene; its operations go through `over`. */
  set(over: (store: SessionStore) => SessionStore): Promise<Scene>;
  read(scene: Scene): Promise<{ readonly state: State }>;
}

function inMemory(cast: Cast): Place {
  const store = memoryStore();
  return { set: (over) => setScene(store, over(store), cast), read: readState };
}

/** Carries out a plan in an order. */
export async function runInOrder(
  actors: readonly Actor[],
  plan: Plan,
  order: readonly number[],
  cast: Cast,
  place = inMemory(cast),
): Promise<Outcome> {
  const resending = new Resending();
  const scene = await place.set((store) => resending.over(store));
  const calls = actors.map((actor, i) => actor.start(scene, me(i)));
  const at = actors.map(() => 0);
  const answers: unknown[][] = actors.map(() => []);
  for (const i of order) {
    const step = plan.steps[i]?.[at[i] ?? 0] ?? 0;
    at[i] = (at[i] ?? 0) + 1;
    const call = () => readAnswer(calls[i]?.[step] as Step);
    const twice = plan.twice?.actor === i && plan.twice.step === step ? plan.twice : null;
    if (twice && !resending.stopped) await resending.stop(call, twice.write);
    else (answers[i] as unknown[])[step] = await (twice ? resending.goOn() : call());
  }
  const told: (unknown[] | null)[] = answers;
  if (plan.dead !== null) forget(scene, told, plan.dead);
  return { answers: told, state: (await place.read(scene)).state };
}

const WRITES = ["create", "signIn", "change", "update", "end", "changeAll", "endAll"];

/** Carries out one write of a call, stops, and carries it out once more, later. */
class Resending {
  /** How many writes there are before the one to be stopped after; -1 for none. */
  #before = -1;
  #reached = () => {};
  #release = () => {};
  #released: Promise<void> = Promise.resolve();
  #answer: Promise<unknown> = Promise.resolve();
  /** Whether the call was stopped. */
  stopped = false;

  over(store: SessionStore): SessionStore {
    return new Proxy(store, {
      get: (target, name) => {
        const member: unknown = Reflect.get(target, name, target);
        if (typeof member !== "function") return member;
        if (!WRITES.includes(String(name))) return member.bind(target);
        return async (...args: unknown[]) => {
          const reply: unknown = await Reflect.apply(member, target, args);
          if (this.#before < 0 || this.#before-- > 0) return reply;
          this.#reached();
          await this.#released;
          return Reflect.apply(member, target, args);
        };
      },
    });
  }

  /** Starts a call, until it has carried out that write or is at its end. */
  async stop(call: () => Promise<unknown>, write: number): Promise<void> {
    this.stopped = true;
    this.#before = write;
    this.#released = new Promise((resolve) => {
      this.#release = resolve;
    });
    const reached = new Promise<void>((resolve) => {
      this.#reached = resolve;
    });
    this.#answer = call();
    await Promise.race([reached, this.#answer]);
    this.#before = -1;
  }

  /** Carries out the rest of the call; gives its answer. */
  goOn(): Promise<unknown> {
    this.#release();
    return this.#answer;
  }
}
