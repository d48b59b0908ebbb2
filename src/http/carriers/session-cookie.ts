import type { Session } from "../../sessions/types.ts";
import { DAY_MS } from "../../shared/durations.ts";
import { SessionError } from "../../shared/errors.ts";
import type { Times } from "../../store/contract.ts";
import type { Carrier } from "./carriers.ts";
import type { CookieConfig } from "./cookie-options.ts";
import type { Cookies } from "./cookies.ts";

/** RFC 6265bis, section 4.1.2.2: user agents limit Max-Age to 400 days. */
export const MAX_COOKIE_LIFETIME_MS = 400 * DAY_MS;

/** The cookie that carries a session's token in one exchange. */
export class SessionCookie implements Carrier {
  readonly sends = true;
  readonly vary = "Cookie";
  readonly #cookies: Cookies;
  readonly #config: CookieConfig;
  /** The full names of the session cookies in the request. */
  #receivedNames: readonly string[] = [];

  constructor(cookies: Cookies, config: CookieConfig) {
    this.#cookies = cookies;
    this.#config = config;
  }

  /** The well-formed tokens, each once: those under the present names first, then those under former names. */
  get(isToken: (value: string) => boolean): string[] {
    const names = [...this.#cookies.listReadNames(this.#config.name), ...this.#config.formerNames];
    const read = this.#cookies.read(names, isToken);
    this.#receivedNames = read.map(({ name }) => name);
    const tokens = read.map(({ value }) => value);
    return tokens.length > 1 ? [...new Set(tokens)] : tokens;
  }

  /** @throws SessionError ERR_COOKIE if the cookie cannot be set now. */
  check(): void {
    this.#cookies.check();
  }

  /** If the response can carry no cookie, the session ends anyway. Its cookie then leads nowhere. */
  checkClear(): void {
    if (this.#cookies.isOpen) this.#cookies.check();
  }

  /** Sends a token. Its cookie lasts as long as the session can, or until the browser is closed. */
  set(token: string, session: Session<object>): void {
    let persistent = false;
    try {
      persistent = this.#isPersistent(session);
    } finally {
      // Even if the application's function throws, the browser must get its only token.
      this.#send(token, session, { persistent });
    }
  }

  /** Sends the browser a token that it already has, unless the cookie ends with the browser anyway. */
  renew(token: string, session: Session<object>): void {
    if (this.#cookies.fault !== null) return;
    if (!this.#isPersistent(session)) return;
    try {
      this.#send(token, session, { persistent: true });
    } catch (error) {
      // A framework may refuse cookies while it renders a page, and that only reads the session.
      if (!(error instanceof SessionError && error.code === "ERR_COOKIE")) throw error;
    }
  }

  /**
   * Whether a session in use may outlive its cookie, so that its token must be set again: it has no
   * absolute deadline, and the first half of the cookie's 400 days is over.
   */
  mayRunOut({ createdAt, lastSeenAt, absoluteDeadline }: Times): boolean {
    if (absoluteDeadline !== null || this.#cookies.fault !== null) return false;
    return lastSeenAt - createdAt > MAX_COOKIE_LIFETIME_MS / 2;
  }

  clear(): void {
    const name = this.#cookies.toFullName(this.#config.name);
    for (const one of new Set([name, ...this.#receivedNames])) this.#cookies.expire(one);
  }

  takeBack(): void {
    this.#cookies.takeBack(this.#cookies.toFullName(this.#config.name));
  }

  replaceTwins(): void {
    this.#cookies.expireHostOnlyTwin(this.#cookies.toFullName(this.#config.name));
  }

  #isPersistent(session: Session<object>): boolean {
    const { persistent } = this.#config;
    return (
      (typeof persistent === "function" ? persistent(session as Session<never>) : persistent) ===
      true
    );
  }

  #send(
    token: string,
    { absoluteDeadline, lastSeenAt }: Session<object>,
    { persistent }: { readonly persistent: boolean },
  ): void {
    const lifetime = absoluteDeadline
      ? absoluteDeadline.getTime() - lastSeenAt.getTime()
      : Number.POSITIVE_INFINITY;
    const maxAge = Math.floor(Math.min(lifetime, MAX_COOKIE_LIFETIME_MS) / 1000);
    const name = this.#cookies.toFullName(this.#config.name);
    this.#cookies.set(name, token, persistent ? maxAge : null);
    // Cookies under former names go, and so does one under the other of the two names that are read.
    for (const one of new Set(this.#receivedNames)) if (one !== name) this.#cookies.expire(one);
  }
}
