import { misconfigured, quote } from "../errors.ts";
import type { Session } from "../sessions/types.ts";
import type { Times } from "../store/contract.ts";
import type { Exchange } from "./exchange.ts";

/**
 * How a token travels: `"cookie"`; `"bearer"`, in `Authorization: Bearer …` (RFC 6750); or in a
 * header of this name, such as `{ header: "X-Session-Token" }`, which is bearer, too.
 */
export type CarrierName = "cookie" | "bearer" | { readonly header: string };

/** A carrier in one exchange. */
export interface Carrier {
  /** Whether it gives the client a new token by itself, as a cookie does. */
  readonly sends: boolean;
  /** The token that the request brings by it; null where there is none that is well formed. */
  get(isToken: (value: string) => boolean): string | null;
  /** @throws SessionError ERR_COOKIE where it sends tokens, and cannot now. */
  check(): void;
  /** The client is to have this token from now on. */
  set(token: string, session: Session<object>): void;
  /** Sends a token that the client has once more, where it would be forgotten else. */
  renew(token: string, session: Session<object>): void;
  /** Whether the client may forget the token of a session with these times before it ends. */
  mayRunOut(times: Times): boolean;
  /** The client is to forget its token. */
  clear(): void;
}

/**
 * The first carrier that brings a token, and the token; where none does, what sends one by itself
 * comes before what does not, for a token that is made now.
 */
export function broughtBy(
  carriers: readonly Carrier[],
  isToken: (value: string) => boolean,
): { readonly carrier: Carrier; readonly token: string | null } {
  for (const carrier of carriers) {
    const token = carrier.get(isToken);
    if (token !== null) return { carrier, token };
  }
  const carrier = carriers.find(({ sends }) => sends) ?? (carriers[0] as Carrier);
  return { carrier, token: null };
}

/** A header that programs put their token into; they are given a new one by the application. */
export class BearerHeader implements Carrier {
  readonly sends = false;
  readonly #exchange: Exchange;
  readonly #header: string;

  /** @param header in lower case. */
  constructor(header: string, exchange: Exchange) {
    this.#header = header;
    this.#exchange = exchange;
  }

  get(isToken: (value: string) => boolean): string | null {
    const sent = this.#exchange.requestHeader(this.#header)?.trim() ?? "";
    const token = this.#header === AUTHORIZATION ? (BEARER.exec(sent)?.[1] ?? "") : sent;
    return isToken(token) ? token : null;
  }

  check(): void {}

  set(): void {
    // RFC 6750, section 5.3: the response has the token in its body.
    if (!this.#exchange.headersSent) this.#exchange.forbidCaching();
  }

  renew(): void {}

  mayRunOut(): boolean {
    return false;
  }

  clear(): void {}
}

/** The carrier of RFC 6750: `Authorization: Bearer …`. */
export function bearerOf(exchange: Exchange): Carrier {
  return new BearerHeader(AUTHORIZATION, exchange);
}

const AUTHORIZATION = "authorization";
// RFC 6750, section 2.1, and RFC 9110, section 11.1: the scheme's case does not matter.
const BEARER = /^Bearer +([A-Za-z0-9._~+/-]+=*)$/i;
// RFC 9110, section 5.1.
const HEADER = /^[!#$%&'*+.^_`|~0-9a-z-]+$/;
/**
 * Headers that a page of another site may set, or a browser sends by itself: a token in one of them
 * would not show that the application's own program has sent the request.
 */
const OPEN =
  /^(?:accept|accept-language|content-language|content-type|range|cookie|host|origin|referer|user-agent|te|date|dnt|expect|via|(?:sec|proxy|access-control)-.*)$/;

/** The carriers' names, in order: "cookie", or the header in lower case. */
export type CarrierConfig = readonly ("cookie" | { readonly header: string })[];

/** @throws SessionError ERR_SESSION_CONFIG for what is no list of carriers. */
export function carrierConfig(carriers: readonly CarrierName[] = ["cookie"]): CarrierConfig {
  if (!Array.isArray(carriers) || carriers.length === 0) {
    throw misconfigured('carriers is a list such as ["bearer", "cookie"]');
  }
  const names = carriers.map(nameOf);
  if (new Set(names).size < names.length) throw misconfigured("carriers names one of them twice");
  return names.map((name) => (name === "cookie" ? name : { header: name }));
}

/** The header of a carrier in lower case, or "cookie". */
function nameOf(carrier: CarrierName): string {
  if (carrier === "cookie") return carrier;
  if (carrier === "bearer") return AUTHORIZATION;
  const header = Object(carrier).header;
  const name = typeof header === "string" ? header.toLowerCase() : "";
  if (!HEADER.test(name) || OPEN.test(name) || name === AUTHORIZATION) {
    throw misconfigured(
      `A carrier is "cookie", "bearer" or a header of your own, { header: "X-Session-Token" }, that no browser sends by itself and no other site may set; got ${quote(header ?? carrier)}`,
    );
  }
  return name;
}
