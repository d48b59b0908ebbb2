/*
 * Calls in parts: one that also ends other sessions of the user does that after what it does to its
 * own, and others may come between. All orders of the parts are carried out on a memory store.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import { memoryStore } from "session-sets/memory";
import type { SessionStore } from "../../../src/store/contract.ts";
import { everyChoice } from "../../support/proofs/turnstile.ts";
import type { Actor, Step } from "./actors.ts";
import { me, type Outcome, readAnswer, type Spans } from "./orders.ts";
import { type Cast, readState, setScene } from "./scene.ts";

/** The outcome of one order, and when the calls began and ended in it. */
export interface PartedRun {
  readonly outcome: Outcome;
  readonly spans: Spans;
}

/** Carries out the actors' calls in every order of their parts. */
export async function runAllParts(actors: readonly Actor[], cast: Cast): Promise<PartedRun[]> {
  const runs: PartedRun[] = [];
  await everyChoice(async (choices) => {
    const store = memoryStore();
    const parts = new Parts();
    const scene = await setScene(store, parts.over(store), cast);
    const work = actors.map((actor, i) => ({
      calls: actor.start(scene, me(i)),
      answers: [] as unknown[],
      spans: [] as { first: number; last: number }[],
      i,
    }));
    for (let at = 0; ; at++) {
      const left = work.filter(({ calls, answers }) => answers.length < calls.length);
      const next = left[left.length > 1 ? choices.pick(left.length) : 0];
      if (!next) break;
      const { calls, answers, spans, i } = next;
      const step = answers.length;
      spans[step] = { first: at, ...spans[step], last: at };
      const last = await parts.next(`${i}: ${step}`, () => readAnswer(calls[step] as Step));
      if (last) answers.push(last.answer);
    }
    const { state } = await readState(scene);
    const answers = work.map((one) => one.answers);
    runs.push({ outcome: { answers, state }, spans: work.map((one) => one.spans) });
  });
  return runs;
}

/** Whether calls that came one after the other, as they were seen, did so in a run, too. */
export function agrees(run: Spans, seen: Spans): boolean {
  const pairs = seen.flatMap((steps, actor) =>
    steps.flatMap((span, step) => (span ? [{ span, in: run[actor]?.[step] }] : [])),
  );
  return !pairs.some((one) =>
    pairs.some(
      (other) => one.span.last < other.span.first && (one.in?.last ?? 0) >= (other.in?.first ?? 0),
    ),
  );
}

/** A call that is under way, and stops ahead of its parts. */
interface Parted {
  endsOthers: boolean;
  reached: () => void;
  release: () => void;
  answer: Promise<unknown>;
}

/** One storage for all runs: each that was ever used would have Node do some work for every promise. */
const current = new AsyncLocalStorage<Parted>();

/** Carries out calls part by part. */
class Parts {
  /** By actor and step. */
  readonly #begun = new Map<string, Parted>();

  /** A store at which calls stop ahead of ending others, and of what they end after that. */
  over(store: SessionStore): SessionStore {
    return new Proxy(store, {
      get: (target, name) => {
        const member: unknown = Reflect.get(target, name, target);
        if (typeof member !== "function") return member;
        if (name !== "endAll" && name !== "end") return member.bind(target);
        return async (...args: unknown[]) => {
          const call = current.getStore();
          if (call) call.endsOthers ||= name === "endAll";
          if (call?.endsOthers) await this.#stop(call);
          return Reflect.apply(member, target, args);
        };
      },
    });
  }

  /** Carries out the next part of a call; gives its answer where it was the last. */
  async next(
    name: string,
    call: () => Promise<unknown>,
  ): Promise<{ readonly answer: unknown } | null> {
    const begun = this.#begun.get(name);
    const parted = begun ?? {
      endsOthers: false,
      reached() {},
      release() {},
      answer: waitForever(),
    };
    const reached = new Promise<null>((resolve) => {
      parted.reached = () => resolve(null);
    });
    if (begun) begun.release();
    else {
      this.#begun.set(name, parted);
      parted.answer = current.run(parted, call);
    }
    return Promise.race([reached, parted.answer.then((answer) => ({ answer }))]);
  }

  async #stop(call: Parted): Promise<void> {
    const released = new Promise<void>((resolve) => {
      call.release = resolve;
    });
    call.reached();
    await released;
  }
}

function waitForever(): Promise<never> {
  return new Promise(() => {});
}
