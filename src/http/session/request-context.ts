import type { SessionCore } from "../../sessions/session-core.ts";
import {
  BearerHeader,
  type Carrier,
  type CarrierConfig,
  createBearer,
  findTokens,
} from "../carriers/carriers.ts";
import type { CookieConfig } from "../carriers/cookie-options.ts";
import { Cookies } from "../carriers/cookies.ts";
import { SessionCookie } from "../carriers/session-cookie.ts";
import type { Signer } from "../carriers/signer.ts";
import { CSRFTokens } from "../csrf-tokens.ts";
import { createForeignPageError, createPassedAsBearerError } from "../errors.ts";
import type { Exchange } from "../exchange/exchange.ts";
import { isForeign, isSafe } from "../foreign.ts";
import type { RequestNotes } from "../request-notes.ts";

/** The options of an adapter, checked. */
export interface Binding {
  readonly core: SessionCore;
  readonly carriers: CarrierConfig;
  readonly cookie: CookieConfig;
}

/**
 * The parts of the application and the request that the request's session uses. The parts of the request
 * are made when they are first asked for: most requests need few of them, and many need none.
 */
export class RequestContext {
  readonly exchange: Exchange;
  readonly #binding: Binding;
  readonly #notes: RequestNotes;
  readonly #cookies: Cookies;
  #carriers: readonly Carrier[] | null = null;
  #found: ReturnType<typeof findTokens> | null = null;
  #varies: Set<string> | null = null;
  #csrf: CSRFTokens | null = null;

  constructor(binding: Binding, notes: RequestNotes, exchange: Exchange, signer: Signer | null) {
    this.#binding = binding;
    this.#notes = notes;
    this.exchange = exchange;
    this.#cookies = new Cookies(binding.cookie, signer, exchange);
  }

  get core(): SessionCore {
    return this.#binding.core;
  }

  /** The carriers, in order. */
  get #all(): readonly Carrier[] {
    this.#carriers ??= this.#binding.carriers.map((carrier) =>
      carrier === "cookie"
        ? new SessionCookie(this.#cookies, this.#binding.cookie)
        : new BearerHeader(carrier.header, this.exchange),
    );
    return this.#carriers;
  }

  get #sent(): ReturnType<typeof findTokens> {
    this.#found ??= findTokens(this.#all, this.core.isToken);
    return this.#found;
  }

  /** The carrier that brought the token, and brings the client a new one. */
  get carrier(): Carrier {
    return this.#sent.carrier;
  }

  /** The well-formed tokens of the request, at most eight. */
  get tokens(): readonly string[] {
    return this.#sent.tokens;
  }

  /** Whether the token came in the cookie, or would go out in it. */
  get isByCookie(): boolean {
    return this.carrier.sends;
  }

  /** Whether the token came in a header that no browser sends by itself. */
  get isByBearer(): boolean {
    return this.tokens.length > 0 && !this.carrier.sends;
  }

  /** The request headers that may bring a token. */
  get varies(): Set<string> {
    this.#varies ??= new Set(this.#all.map(({ vary }) => vary));
    return this.#varies;
  }

  /** A carrier that sends no token, so that the application answers with it. */
  get bearer(): Carrier {
    return this.#all.find(({ sends }) => !sends) ?? createBearer(this.exchange);
  }

  get csrf(): CSRFTokens {
    this.#csrf ??= new CSRFTokens(this.#cookies, this.#binding.cookie.name, this.exchange);
    return this.#csrf;
  }

  /** Throws if the request may not use this session: see the two errors of ERR_CSRF in http/errors.ts. */
  admit(): void {
    if (this.#notes.passedByBearer && !this.isByBearer) throw createPassedAsBearerError();
    const bringsCookie = this.isByCookie && this.tokens.length > 0;
    if (bringsCookie && !this.#notes.isAdmitted && isForged(this.exchange)) {
      throw createForeignPageError();
    }
  }
}

/** Whether a request may change something, and the browser says that a page of another origin sent it. */
function isForged(exchange: Exchange): boolean {
  const header = (name: string) => exchange.requestHeader(name);
  if (exchange.method === undefined || isSafe(exchange.method, header)) return false;
  return isForeign(header) ?? false;
}
