import { stringifySetCookie } from "cookie";
import { SessionError } from "../../shared/errors.ts";
import { isProduction, warnOnce } from "../../shared/warnings.ts";
import type { Exchange, SetCookieAttributes } from "../exchange/exchange.ts";
import { isForwardedAsHTTPS, showsHTTPS } from "../exchange/request-origin.ts";
import type { CookieConfig } from "./cookie-options.ts";
import type { Signer } from "./signer.ts";

/** At most this many well-formed cookies of one kind are checked. The rest are ignored. */
export const MAX_COOKIES_READ = 8;

/** A cookie of a request: its name, and its value without a signature. */
export interface ReadCookie {
  readonly name: string;
  readonly value: string;
}

/** A cookie of a request, with its value as it was sent. */
interface SentCookie extends ReadCookie {
  readonly sent: string;
}

/** Reads and sets the library's cookies in one exchange. */
export class Cookies {
  readonly #config: CookieConfig;
  readonly #signer: Signer | null;
  readonly #exchange: Exchange;

  constructor(config: CookieConfig, signer: Signer | null, exchange: Exchange) {
    this.#config = config;
    this.#signer = signer;
    this.#exchange = exchange;
  }

  /** The name under which a cookie is set. A Secure cookie has the prefix. */
  toFullName(name: string): string {
    return this.#setsSecure ? this.#config.prefix + name : name;
  }

  /**
   * The names under which a cookie is read, the likeliest first. Where cookies are Secure, only the
   * prefixed name counts, because any page of the domain can set the other. Where they are not, both
   * count: internal hops forward a Secure cookie, too.
   */
  listReadNames(name: string): string[] {
    const { prefix } = this.#config;
    if (prefix === "") return [name];
    return this.#secure ? [prefix + name] : [prefix + name, name];
  }

  /**
   * The cookies of these names with `wellFormed` values and valid signatures, in the order of the names.
   * Only the first eight are checked, so no other name can crowd out a likelier one. A browser may send
   * one name several times, for several paths and domains. It does not say which cookie is for which.
   */
  read(names: readonly string[], wellFormed: (value: string) => boolean): ReadCookie[] {
    const sent = this.#readSent((name) => names.includes(name), wellFormed);
    if (sent.length > 1) sent.sort((a, b) => names.indexOf(a.name) - names.indexOf(b.name));
    return this.#filterSigned(sent.slice(0, MAX_COOKIES_READ));
  }

  /** The cookies whose names begin like this, read as above. Only the last eight are checked. */
  readLast(beginnings: readonly string[], wellFormed: (value: string) => boolean): ReadCookie[] {
    const isNamed = (name: string) => beginnings.some((start) => name.startsWith(start));
    return this.#filterSigned(this.#readSent(isNamed, wellFormed).slice(-MAX_COOKIES_READ));
  }

  #readSent(
    isNamed: (name: string) => boolean,
    wellFormed: (value: string) => boolean,
  ): SentCookie[] {
    const found: SentCookie[] = [];
    for (const { name, sent } of parseCookieHeader(
      this.#exchange.requestHeader("cookie"),
      isNamed,
    )) {
      const value = this.#signer ? stripSignature(sent) : sent;
      // The form is checked first, because that is cheap: a flood of made-up values costs no HMAC.
      if (wellFormed(value)) found.push({ name, value, sent });
    }
    return found;
  }

  #filterSigned(cookies: readonly SentCookie[]): ReadCookie[] {
    const signer = this.#signer;
    if (signer === null) return [...cookies];
    return cookies.filter(({ name, value, sent }) => isSigned(signer, name, sent, value));
  }

  /**
   * @param name the full name of the cookie to set. By default that of the session.
   * @throws SessionError ERR_COOKIE if no cookie can be set now.
   */
  check(name = this.toFullName(this.#config.name)): void {
    const fault = this.fault;
    if (!fault) return;
    throw new SessionError("ERR_COOKIE", `The cookie cannot be set: ${fault}`, { cookie: name });
  }

  /** Whether the response can still carry cookies. */
  get isOpen(): boolean {
    return this.#exchange.fault === null;
  }

  /** Why no cookie can be set now, or null. */
  get fault(): string | null {
    if (this.#exchange.fault !== null) return this.#exchange.fault;
    if (this.#secure && !this.#exchange.secure) {
      return `it is Secure, but the connection does not look secure. Behind a proxy that ends TLS, tell the framework of the proxy: ${this.#exchange.proxySetting}. For development over HTTP, leave secure out`;
    }
    return null;
  }

  /** Sets a cookie for `maxAge` seconds. If that is null, the cookie ends with the browser. */
  set(name: string, value: string, maxAge: number | null): void {
    this.check(name);
    this.#warnIfUntold();
    this.#send(name, name, signValue(this.#signer, name, value), this.#config.attributes, maxAge);
  }

  /** Makes the browser forget a cookie of this full name. */
  expire(name: string): void {
    if (this.#exchange.fault !== null) return;
    const { domain: _, ...ofHost } = this.#config.attributes;
    const attributes = name.startsWith("__Host-")
      ? { ...ofHost, path: "/" }
      : this.#config.attributes;
    this.#send(name, name, "", attributes, 0);
  }

  /** Makes the browser forget a cookie that is for this host alone, if the library's own is for a domain. */
  expireHostOnlyTwin(name: string): void {
    const { domain, ...ofHost } = this.#config.attributes;
    if (domain === undefined || this.#exchange.fault !== null) return;
    this.#send(`${name} of the host`, name, "", ofHost, 0);
  }

  /** Takes back a cookie that this response was going to set. */
  takeBack(name: string): void {
    if (this.#exchange.fault === null) this.#exchange.sendCookie(name, null);
  }

  #send(
    key: string,
    name: string,
    value: string,
    own: CookieConfig["attributes"],
    maxAge: number | null,
  ): void {
    const attributes: SetCookieAttributes = {
      ...own,
      httpOnly: true,
      secure: this.#setsSecure || /^__(?:Host|Secure)-/.test(name),
      ...(maxAge === null ? {} : { maxAge }),
    };
    const header = stringifySetCookie({ ...attributes, name, value }, { encode: (text) => text });
    this.#exchange.sendCookie(key, { name, value, header, attributes });
    // A shared cache must not give one user's cookie to another.
    const yields = this.#config.cacheable;
    this.#exchange.restrictCaching({ kind: "no-store", vary: ["Cookie"], yields });
  }

  get #secure(): boolean {
    return this.#config.secure ?? this.#exchange.secure;
  }

  /** Whether cookies are set with Secure. They are, too, if only the browser knows that it is on HTTPS. */
  get #setsSecure(): boolean {
    return this.#config.secure ?? (this.#exchange.secure || this.#showsHTTPS);
  }

  get #showsHTTPS(): boolean {
    return showsHTTPS((name) => this.#exchange.requestHeader(name));
  }

  #warnIfUntold(): void {
    if (this.#secure || this.#config.secure !== null || !isProduction()) return;
    if (!this.#showsHTTPS && !isForwardedAsHTTPS((name) => this.#exchange.requestHeader(name)))
      return;
    warnOnce(
      "SESSION_SETS_INSECURE_COOKIE",
      `The browser is on HTTPS, but the framework was not told of the proxy that ends TLS. So the session cookie is set without Secure where Origin and Sec-Fetch-Site do not show HTTPS. Tell the framework of the proxy: ${this.#exchange.proxySetting}. In production, also set cookie: { secure: true }`,
    );
  }
}

/** Parses the cookies of a request that have a wanted name. Their values are as they were sent. */
function parseCookieHeader(header = "", isNamed: (name: string) => boolean) {
  const found: Omit<SentCookie, "value">[] = [];
  for (let at = 0, equals = -1; at < header.length; ) {
    const semicolon = header.indexOf(";", at);
    const end = semicolon < 0 ? header.length : semicolon;
    // One search serves all pairs without "=": a search for each would take quadratic time.
    if (equals < at) equals = header.indexOf("=", at);
    if (equals < 0) break;
    if (equals < end) {
      const name = header.slice(at, equals).trim();
      if (isNamed(name)) found.push({ name, sent: header.slice(equals + 1, end).trim() });
    }
    at = end + 1;
  }
  return found;
}

/** The value of a cookie as it is sent: with its signature, if cookies are signed. */
export function signValue(signer: Signer | null, name: string, value: string): string {
  return signer ? `${value}.${signer.sign(`${name}=${value}`)}` : value;
}

/** The part of a value before its signature. */
function stripSignature(sent: string): string {
  return sent.slice(0, Math.max(sent.lastIndexOf("."), 0));
}

function isSigned(signer: Signer, name: string, sent: string, value: string): boolean {
  return signer.verify(`${name}=${value}`, sent.slice(value.length + 1));
}
