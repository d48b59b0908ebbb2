import type { Session } from "../../sessions/types.ts";
import { createConfigError, quote } from "../../shared/errors.ts";
import { readElements, readSafely } from "../../shared/given.ts";
import type { Times } from "../../store/contract.ts";
import type { Exchange } from "../exchange/exchange.ts";

/**
 * How a token travels: `"cookie"`; `"bearer"`, in `Authorization: Bearer …` (RFC 6750); or in another
 * header, such as `{ header: "X-Session-Token" }`, which counts as a bearer header.
 */
export type CarrierName = "cookie" | "bearer" | { readonly header: string };

/** A carrier in one exchange. */
export interface Carrier {
  /** Whether it brings the client a new token by itself, as a cookie does. */
  readonly sends: boolean;
  /** The request header that it reads. */
  readonly vary: string;
  /** The well-formed tokens that the request brings in it, at most eight. */
  get(isToken: (value: string) => boolean): string[];
  /** @throws SessionError ERR_COOKIE if it sends tokens, and cannot send one now. */
  check(): void;
  /** @throws SessionError ERR_COOKIE if the response is open, but cannot clear the token. */
  checkClear(): void;
  /** Gives the client this token. */
  set(token: string, session: Session<object>): void;
  /** Sends the client a token that it already has, so that it keeps the token longer. */
  renew(token: string, session: Session<object>): void;
  /** Whether the client may forget the token of a session with these times before it ends. */
  mayRunOut(times: Times): boolean;
  /** Makes the client forget its token, if the response can still say so. */
  clear(): void;
  /** Takes back a token that this response was going to bring. */
  takeBack(): void;
  /** Makes the client forget other cookies of the same name, which it may send instead of the token. */
  replaceTwins(): void;
}

/**
 * Finds the first carrier that brings a token, and its tokens. If none does, a new token goes out by the
 * first carrier that sends one by itself, or else by the first carrier.
 */
export function findTokens(
  carriers: readonly Carrier[],
  isToken: (value: string) => boolean,
): { readonly carrier: Carrier; readonly tokens: readonly string[] } {
  for (const carrier of carriers) {
    const tokens = carrier.get(isToken);
    if (tokens.length > 0) return { carrier, tokens };
  }
  const carrier = carriers.find(({ sends }) => sends) ?? (carriers[0] as Carrier);
  return { carrier, tokens: [] };
}

/** A header that programs put their token into. The application answers with a new one itself. */
export class BearerHeader implements Carrier {
  readonly sends = false;
  readonly vary: string;
  readonly #exchange: Exchange;
  readonly #header: string;

  /** @param header in lower case. */
  constructor(header: string, exchange: Exchange) {
    this.#header = header;
    this.vary = header;
    this.#exchange = exchange;
  }

  get(isToken: (value: string) => boolean): string[] {
    const sent = this.#exchange.requestHeader(this.#header)?.trim() ?? "";
    if (sent.length > MAX_HEADER_LENGTH) return [];
    const token = this.#header === AUTHORIZATION ? (BEARER_PATTERN.exec(sent)?.[1] ?? "") : sent;
    return isToken(token) ? [token] : [];
  }

  check(): void {}

  checkClear(): void {}

  set(): void {
    // RFC 6750, section 5.3: the response body holds the token.
    this.#exchange.restrictCaching({ kind: "no-store", vary: [this.vary], yields: false });
  }

  renew(): void {}

  mayRunOut(): boolean {
    return false;
  }

  clear(): void {}

  takeBack(): void {}

  replaceTwins(): void {}
}

/** The carrier of RFC 6750: `Authorization: Bearer …`. */
export function createBearer(exchange: Exchange): Carrier {
  return new BearerHeader(AUTHORIZATION, exchange);
}

const AUTHORIZATION = "authorization";
/** In characters. A header with a token of this library is far shorter. */
const MAX_HEADER_LENGTH = 1024;
// RFC 6750, section 2.1, and RFC 9110, section 11.1: the case of the scheme does not matter.
const BEARER_PATTERN = /^Bearer +([A-Za-z0-9._~+/-]+=*)$/i;
// RFC 9110, section 5.1.
const HEADER_PATTERN = /^[!#$%&'*+.^_`|~0-9a-z-]+$/;
/**
 * Headers that a page of another site may set, or that browsers send by themselves. A token in one of
 * them would not prove that the application's own program sent the request.
 */
const OPEN_HEADERS_PATTERN =
  /^(?:accept|accept-(?:charset|encoding|language)|cache-control|pragma|content-(?:language|type|length|dpr)|range|if-.*|last-event-id|ping-(?:from|to)|cookie2?|host|origin|referer|user-agent|te|trailer|transfer-encoding|connection|keep-alive|upgrade|upgrade-insecure-requests|date|dnt|dpr|device-memory|width|viewport-width|downlink|ect|rtt|save-data|early-data|service-worker|alt-used|available-dictionary|dictionary-id|expect|via|priority|purpose|attribution-.*|(?:sec|proxy|access-control|x-forwarded)-.*|forwarded)$/;

/** The names of the carriers, in order: "cookie", or the header in lower case. */
export type CarrierConfig = readonly ("cookie" | { readonly header: string })[];

/** @throws SessionError ERR_SESSION_CONFIG for anything that isn't a list of carriers. */
export function parseCarriers(carriers: readonly CarrierName[] = ["cookie"]): CarrierConfig {
  const list = readElements("ERR_SESSION_CONFIG", "carriers", carriers);
  if (list === null || list.length === 0) {
    throw createConfigError('carriers is a list such as ["bearer", "cookie"]', {
      option: "carriers",
    });
  }
  const names = readSafely("ERR_SESSION_CONFIG", "A carrier", () => list.map(parseCarrier));
  if (new Set(names).size < names.length) {
    throw createConfigError("carriers names the same carrier twice", { option: "carriers" });
  }
  return names.map((name) => (name === "cookie" ? name : { header: name }));
}

/** The header of a carrier in lower case, or "cookie". */
function parseCarrier(carrier: unknown): string {
  if (carrier === "cookie") return carrier;
  if (carrier === "bearer") return AUTHORIZATION;
  const header = Object(carrier).header;
  const name = typeof header === "string" ? header.toLowerCase() : "";
  if (!HEADER_PATTERN.test(name) || OPEN_HEADERS_PATTERN.test(name) || name === AUTHORIZATION) {
    throw createConfigError(
      `A carrier is "cookie", "bearer" or { header: "X-Session-Token" }, with a header of your own: one that browsers do not send by themselves, and other sites may not set; got ${quote(header ?? carrier)}`,
      { option: "carriers" },
    );
  }
  return name;
}
