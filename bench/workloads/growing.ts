/*
 * Sessions that become more and more, to see whether an operation on one of them, or on the set of one
 * user, costs more for it.
 */
import { type Able, makeMany, type Run } from "./workload.ts";

export const GROWTH_VERBS = ["get", "set", "touch", "create, end", "size", "list"] as const;
export type GrowthVerb = (typeof GROWTH_VERBS)[number] | "clear";

/** Enough to reach all parts of the server's memory, and few enough for this process's own. */
const MAX_TOKENS = 50_000;

export class GrowingSessions {
  readonly #subject: Able;
  readonly #sessionsEach: number;
  readonly #tokens: string[] = [];
  #count = 0;

  /** `sessionsEach` is how many sessions a user has: Infinity if all are of one. */
  constructor(subject: Able, sessionsEach: number) {
    this.#subject = subject;
    this.#sessionsEach = sessionsEach;
  }

  #userOf(index: number): number {
    return Math.floor(index / this.#sessionsEach) + 1;
  }

  async growTo(count: number): Promise<void> {
    const begin = this.#count;
    await makeMany(count - begin, async (index) => {
      const token = await this.#subject.create(this.#userOf(begin + index));
      // A sample in which every session is as likely as any other.
      const slot = Math.floor(Math.random() * (begin + index + 1));
      if (this.#tokens.length < MAX_TOKENS) this.#tokens.push(token);
      else if (slot < MAX_TOKENS) this.#tokens[slot] = token;
    });
    this.#count = count;
  }

  toRun(verb: GrowthVerb): Run {
    const users = this.#userOf(this.#count - 1);
    const limit = verb === "clear" ? users : Number.POSITIVE_INFINITY;
    return { operate: (index) => this.#operate(verb, index, users), limit };
  }

  #operate(verb: GrowthVerb, index: number, users: number): Promise<unknown> {
    const token = this.#tokens[(index * 7919) % this.#tokens.length] ?? "";
    const subject = this.#subject;
    switch (verb) {
      case "get":
      case "touch":
        return subject[verb](token);
      case "set":
        return subject.set(token, `theme ${index % 10}`);
      case "create, end":
        return this.#createAndEnd((index % users) + 1);
      case "size":
      case "list":
      case "clear":
        return subject[verb]((index % users) + 1);
    }
  }

  /** A session that comes and goes, so that there are as many as before. */
  async #createAndEnd(user: number): Promise<void> {
    await this.#subject.end(await this.#subject.create(user));
  }
}
