import type { Session } from "../sessions/types.ts";
import type { CookieConfig } from "./cookie-options.ts";
import type { Cookies } from "./cookies.ts";

const DAY = 86_400_000;
/** RFC 6265bis, section 4.1.2.2: user agents limit Max-Age to 400 days. */
const LONGEST = 400 * DAY;

/** The cookie that carries a session's token in one exchange. */
export class SessionCookie {
  readonly #cookies: Cookies;
  readonly #config: CookieConfig;

  constructor(cookies: Cookies, config: CookieConfig) {
    this.#cookies = cookies;
    this.#config = config;
  }

  get(): string | null {
    return this.#cookies.get(this.#config.name);
  }

  /** @throws SessionError ERR_COOKIE where the cookie cannot be set now. */
  check(): void {
    this.#cookies.check();
  }

  /** Sends a token: for as long as its session can last, or until the browser is closed. */
  set(token: string, session: Session<object>): void {
    const { absoluteDeadline, lastSeenAt } = session;
    const lifetime = absoluteDeadline
      ? absoluteDeadline.getTime() - lastSeenAt.getTime()
      : Number.POSITIVE_INFINITY;
    const maxAge = Math.floor(Math.min(lifetime, LONGEST) / 1000);
    this.#cookies.set(this.#config.name, token, this.#isPersistent(session) ? maxAge : null);
  }

  /**
   * Sends the token of a used session once more where the session would outlive the cookie: it has
   * no absolute deadline, and is in the second half of the cookie's 400 days, or beyond.
   */
  renew(token: string, session: Session<object>): void {
    const age = session.lastSeenAt.getTime() - session.createdAt.getTime();
    if (session.absoluteDeadline !== null || age <= LONGEST / 2) return;
    if (this.#cookies.fault === null && this.#isPersistent(session)) this.set(token, session);
  }

  clear(): void {
    this.#cookies.clear(this.#config.name);
  }

  #isPersistent(session: Session<object>): boolean {
    return this.#config.persistent(session as Session<never>);
  }
}
