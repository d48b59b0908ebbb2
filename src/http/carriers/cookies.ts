import { stringifySetCookie } from "cookie";
import { SessionError } from "../../shared/errors.ts";
import { warnOnce } from "../../shared/warnings.ts";
import type { Exchange, SetCookieAttributes } from "../exchange/exchange.ts";
import { isForwardedAsHTTPS, showsHTTPS } from "../exchange/request-origin.ts";
import type { CookieConfig } from "./cookie-options.ts";
import type { Signer } from "./signer.ts";

/** Of so many cookies of one kind that are well formed the rest is not looked at. */
export const MAX_COOKIES_READ = 8;

/** A cookie of a request: its name, and its value without a signature. */
export interface ReadCookie {
  readonly name: string;
  readonly value: string;
}

/** The same, with its value as it was sent. */
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

  /** The name that a cookie is set under: with the prefix, where it is Secure. */
  toFullName(name: string): string {
    return this.#setsSecure ? this.#config.prefix + name : name;
  }

  /**
   * The names that a cookie is read under, the likeliest first. Where cookies are Secure only the
   * prefixed one, for any page of the domain can set the other. Where they are not, both: internal hops
   * forward a Secure one.
   */
  listReadNames(name: string): string[] {
    const { prefix } = this.#config;
    if (prefix === "") return [name];
    return this.#secure ? [prefix + name] : [prefix + name, name];
  }

  /**
   * The cookies of these names whose values are `wellFormed`, and rightly signed, in the order of the
   * names; the first eight are looked at, so that those of a likelier name are crowded out by no other.
   * A browser may send a name several times, for several paths and domains, and does not say which is
   * whose.
   */
  read(names: readonly string[], wellFormed: (value: string) => boolean): ReadCookie[] {
    const sent = this.#readSent((name) => names.includes(name), wellFormed);
    const inOrder = sent.sort((a, b) => names.indexOf(a.name) - names.indexOf(b.name));
    return this.#filterSigned(inOrder.slice(0, MAX_COOKIES_READ));
  }

  /** The same of all names with these beginnings; the last eight of the header are looked at. */
  readLast(beginnings: readonly string[], wellFormed: (value: string) => boolean): ReadCookie[] {
    const isNamed = (name: string) => beginnings.some((start) => name.startsWith(start));
    return this.#filterSigned(this.#readSent(isNamed, wellFormed).slice(-MAX_COOKIES_READ));
  }

  #readSent(
    isNamed: (name: string) => boolean,
    wellFormed: (value: string) => boolean,
  ): SentCookie[] {
    const found: SentCookie[] = [];
    for (const [name, sent] of parseCookieHeader(
      this.#exchange.requestHeader("cookie") ?? "",
      isNamed,
    )) {
      const value = this.#signer ? stripSignature(sent) : sent;
      // The form first: it costs next to nothing, and a flood of made-up values no HMAC.
      if (wellFormed(value)) found.push({ name, value, sent });
    }
    return found;
  }

  #filterSigned(cookies: readonly SentCookie[]): ReadCookie[] {
    const signer = this.#signer;
    return cookies.filter(
      ({ name, value, sent }) => signer === null || isSigned(signer, name, sent, value),
    );
  }

  /**
   * @param name the whole name of the cookie to be set, if it is not the session's.
   * @throws SessionError ERR_COOKIE where no cookie can be set now.
   */
  check(name = this.toFullName(this.#config.name)): void {
    const fault = this.fault;
    if (!fault) return;
    throw new SessionError("ERR_COOKIE", `The cookie cannot be set: ${fault}`, { cookie: name });
  }

  /** Whether the response can carry cookies still. */
  get isOpen(): boolean {
    return this.#exchange.fault === null;
  }

  /** Why no cookie can be set now, or null. */
  get fault(): string | null {
    if (this.#exchange.fault !== null) return this.#exchange.fault;
    if (this.#secure && !this.#exchange.secure) {
      return `it is Secure and the connection does not look secure; behind a proxy that ends TLS, say so with ${this.#exchange.proxySetting}, and for development over HTTP leave secure out`;
    }
    return null;
  }

  /** Sets a cookie: for `maxAge` seconds, or, where that is null, until the browser is closed. */
  set(name: string, value: string, maxAge: number | null): void {
    this.check(name);
    this.#warnIfUntold();
    this.#send(name, name, signValue(this.#signer, name, value), this.#config.attributes, maxAge);
  }

  /** Makes the browser forget a cookie that it has under this whole name. */
  expire(name: string): void {
    if (this.#exchange.fault !== null) return;
    const { domain: _, ...ofHost } = this.#config.attributes;
    const attributes = name.startsWith("__Host-")
      ? { ...ofHost, path: "/" }
      : this.#config.attributes;
    this.#send(name, name, "", attributes, 0);
  }

  /** The same for a cookie of this host alone, where the library's own is that of a domain. */
  expireHostOnlyTwin(name: string): void {
    const { domain, ...ofHost } = this.#config.attributes;
    if (domain === undefined || this.#exchange.fault !== null) return;
    this.#send(`${name} of the host`, name, "", ofHost, 0);
  }

  /** Takes back what was to be set in this response. */
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

  /** Whether cookies are set with Secure: also where the browser alone knows that it is on HTTPS. */
  get #setsSecure(): boolean {
    return this.#config.secure ?? (this.#exchange.secure || this.#showsHTTPS);
  }

  get #showsHTTPS(): boolean {
    return showsHTTPS((name) => this.#exchange.requestHeader(name));
  }

  #warnIfUntold(): void {
    if (this.#secure || this.#config.secure !== null || process.env.NODE_ENV !== "production")
      return;
    if (!this.#showsHTTPS && !isForwardedAsHTTPS((name) => this.#exchange.requestHeader(name)))
      return;
    warnOnce(
      "SESSION_SETS_INSECURE_COOKIE",
      `The framework was not told of the proxy that ends TLS, though the browser is on HTTPS: the session cookie is set without Secure where Origin and Sec-Fetch-Site do not show that. Say so with ${this.#exchange.proxySetting}, and set cookie: { secure: true } in production`,
    );
  }
}

/** The cookies of a request whose names are wanted, as they were sent. */
function* parseCookieHeader(
  header: string,
  isNamed: (name: string) => boolean,
): Generator<readonly [name: string, value: string]> {
  let equals = -1;
  for (let at = 0; at < header.length; ) {
    const semicolon = header.indexOf(";", at);
    const end = semicolon < 0 ? header.length : semicolon;
    // Looked for once for all pairs that have none, or many of these would take quadratic time.
    if (equals < at) equals = header.indexOf("=", at);
    if (equals < 0) return;
    if (equals < end) {
      const name = header.slice(at, equals).trim();
      if (isNamed(name)) yield [name, header.slice(equals + 1, end).trim()];
    }
    at = end + 1;
  }
}

/** The value of a cookie as it is sent, with its signature if it has one. */
export function signValue(signer: Signer | null, name: string, value: string): string {
  return signer ? `${value}.${signer.sign(`${name}=${value}`)}` : value;
}

/** What stands before a signature. */
function stripSignature(sent: string): string {
  return sent.slice(0, Math.max(sent.lastIndexOf("."), 0));
}

function isSigned(signer: Signer, name: string, sent: string, value: string): boolean {
  return signer.verify(`${name}=${value}`, sent.slice(value.length + 1));
}
