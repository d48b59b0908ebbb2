import {
  type EndingOptions,
  parseEndingOptions,
  type ReadArguments,
} from "../../sessions/options/verb-options.ts";
import { decodeValue } from "../../shared/codec.ts";
import { readOptions } from "../../shared/given.ts";
import { Queue } from "../../shared/queue.ts";
import type { Reference, StoredSession } from "../../store/contract.ts";
import { createNoIdentityError, createNotSignedInError } from "../errors.ts";
import { findSharedValue } from "./answers.ts";
import { HeldSession } from "./held-session.ts";
import type { RequestContext } from "./request-context.ts";
import { SIGN_OUT_OPTIONS, type SignOutOptions } from "./request-options.ts";

/** The calls of a request about its session. They run one after the other, in the order in which they were made. */
export class RequestTurns<Data extends object> {
  readonly context: RequestContext;
  #held: HeldSession<Data> | null = null;
  readonly #queue = new Queue();

  constructor(context: RequestContext) {
    this.context = context;
  }

  /** The state of the session. Only the calls look at it, in their turns. */
  get held(): HeldSession<Data> {
    this.#held ??= new HeldSession<Data>(this.context);
    return this.#held;
  }

  /** Runs `work` when all calls before it have ended. First it decides which token counts. */
  run<T>(work: () => Promise<T>): Promise<T> {
    return this.runRead(async () => {
      if (this.held.isUndecided) await this.held.decide([]);
      return work();
    });
  }

  /** Runs `work` that begins with a read, which decides which token counts. */
  runRead<T>(work: () => Promise<T>): Promise<T> {
    return this.#queue.run(() => {
      this.context.admit();
      return work();
    });
  }

  load(reading: ReadArguments): Promise<StoredSession | null> {
    this.restrictCaching();
    return this.runRead(() => this.held.load(reading));
  }

  /** Runs `work` with the reference of the session's user. */
  async runForUser<Value, T>(
    verb: string,
    field: string,
    options: SignOutOptions<Value>,
    work: (user: Reference, how: EndingOptions) => Promise<T>,
  ): Promise<T> {
    const { core } = this.context;
    const { value, ...rest } = readOptions(verb, options, SIGN_OUT_OPTIONS);
    const how = parseEndingOptions(rest);
    core.checkReference(field, verb);
    if (core.filterIdentities([field]).length === 0) throw createNoIdentityError(verb, field);
    return this.runRead(async () => {
      const user = await this.findOwnReference(field, value);
      if (user === null) throw createNotSignedInError(verb, field);
      return work(user, how);
    });
  }

  /** Finds a value that the session has of a reference; null if it has none, or not this one. */
  async findOwnReference(field: string, value: unknown): Promise<Reference | null> {
    const stored = await this.held.load({ fields: [field], touch: true });
    const text = stored?.fields.get(field);
    const values = text === undefined ? undefined : decodeValue(text);
    const shared = findSharedValue(field, values, value);
    return shared === undefined ? null : this.context.core.createReference(field, shared);
  }

  /** Tells caches that the response depends on the session and, if a token came, is for one user. */
  restrictCaching(): void {
    const { exchange, tokens, carrier } = this.context;
    exchange.restrictCaching(
      tokens.length > 0
        ? { kind: "private", vary: [carrier.vary], yields: true }
        : { kind: "vary", vary: [...this.context.varies], yields: true },
    );
  }

  /** The token, if the application has to answer with it; null if a cookie carries it. */
  revealToken(token: string): string | null {
    return this.held.carrier.sends ? null : token;
  }
}
