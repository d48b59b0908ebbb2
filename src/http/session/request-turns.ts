import {
  type EndingOptions,
  parseEndingOptions,
  type ReadArguments,
} from "../../sessions/options/verb-options.ts";
import type { Session } from "../../sessions/types.ts";
import { readOptions } from "../../shared/given.ts";
import { Queue } from "../../shared/queue.ts";
import type { Reference } from "../../store/contract.ts";
import { createNoIdentityError, createNotSignedInError } from "../errors.ts";
import type { HeldSession } from "./held-session.ts";
import type { RequestSessionContext } from "./request-context.ts";
import { SIGN_OUT_OPTIONS, type SignOutOptions } from "./request-options.ts";

/** The calls of a request about its session. They run one after the other, in the order in which they were made. */
export class RequestTurns<Data extends object> {
  readonly #context: RequestSessionContext;
  readonly #held: HeldSession<Data>;
  readonly #queue = new Queue();

  constructor(context: RequestSessionContext, held: HeldSession<Data>) {
    this.#context = context;
    this.#held = held;
  }

  /**
   * Runs `work` when all calls before it have ended. First it decides which token counts. With
   * `decides: false` that is left to `work`, which begins with a read.
   */
  run<T>(
    work: () => Promise<T>,
    { decides = true }: { readonly decides?: boolean } = {},
  ): Promise<T> {
    return this.#queue.run(async () => {
      this.#context.admit();
      if (decides && this.#held.isUndecided) await this.#held.decide([]);
      return work();
    });
  }

  async load(reading: ReadArguments): Promise<Session<Partial<Data>> | null> {
    this.restrictCaching();
    return this.run(() => this.#held.load(reading), { decides: false });
  }

  /** Runs `work` with the reference of the session's user. */
  async runForUser<Value, T>(
    verb: string,
    field: string,
    options: SignOutOptions<Value>,
    work: (user: Reference, how: EndingOptions) => Promise<T>,
  ): Promise<T> {
    const { core } = this.#context;
    const { value, ...rest } = readOptions(verb, options, SIGN_OUT_OPTIONS);
    const how = parseEndingOptions(rest);
    core.checkReference(field);
    if (core.filterIdentities([field]).length === 0) throw createNoIdentityError(verb, field);
    return this.run(
      async () => {
        const user = await this.#held.findOwnReference(field, value);
        if (user === null) throw createNotSignedInError(verb, field);
        return work(user, how);
      },
      { decides: false },
    );
  }

  /** Tells caches that the response depends on the session and, if a token came, is for one user. */
  restrictCaching(): void {
    const { exchange, tokens, carrier, varies } = this.#context;
    const isOfUser = tokens.length > 0;
    const kind = isOfUser ? "private" : "vary";
    exchange.restrictCaching({ kind, vary: isOfUser ? [carrier.vary] : [...varies], yields: true });
  }

  /** The token, if the application has to answer with it; null if a cookie carries it. */
  revealToken(token: string): string | null {
    return this.#held.carrier.sends ? null : token;
  }
}
