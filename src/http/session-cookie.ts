import type { Session } from "../sessions/types.ts";
import type { Times } from "../store/contract.ts";
import type { Carrier } from "./carriers.ts";
import type { CookieConfig } from "./cookie-options.ts";
import type { Cookies } from "./cookies.ts";

const DAY = 86_400_000;
/** RFC 6265bis, section 4.1.2.2: user agents limit Max-Age to 400 days. */
const LONGEST = 400 * DAY;

/** The cookie that carries a session's token in one exchange. */
export class SessionCookie implements Carrier {
  readonly sends = true;
  readonly #cookies: Cookies;
  readonly #config: CookieConfig;

  constructor(cookies: Cookies, config: CookieConfig) {
    this.#cookies = cookies;
    this.#config = config;
  }

  /** The first value that is formed as a token. */
  get(isToken: (value: string) => boolean): string | null {
    return this.#cookies.get(this.#config.name, isToken);
  }

  /** @throws SessionError ERR_COOKIE where the cookie cannot be set now. */
  check(): void {
    this.#cookies.check();
  }

  /** Sends a token: for as long as its session can last, or until the browser is closed. */
  set(token: string, session: Session<object>): void {
    let persistent = false;
    try {
      persistent = this.#isPersistent(session);
    } finally {
      // Whatever the application's function does, the browser must get the token: it is the only one.
      this.#send(token, session, persistent);
    }
  }

  /** Sends a token that the browser has once more, unless its cookie ends with the browser anyway. */
  renew(token: string, session: Session<object>): void {
    if (this.#cookies.fault !== null) return;
    if (this.#isPersistent(session)) this.#send(token, session, true);
  }

  /**
   * Whether a session that is used would outlive its cookie: it has no absolute deadline, and is in
   * the second half of the cookie's 400 days, or beyond. Its token is to be set once more, then.
   */
  mayRunOut({ createdAt, lastSeenAt, absoluteDeadline }: Times): boolean {
    if (absoluteDeadline !== null || this.#cookies.fault !== null) return false;
    return lastSeenAt - createdAt > LONGEST / 2;
  }

  clear(): void {
    this.#cookies.clear(this.#config.name);
  }

  #isPersistent(session: Session<object>): boolean {
    return this.#config.persistent(session as Session<never>) === true;
  }

  #send(token: string, { absoluteDeadline, lastSeenAt }: Session<object>, persistent: boolean) {
    const lifetime = absoluteDeadline
      ? absoluteDeadline.getTime() - lastSeenAt.getTime()
      : Number.POSITIVE_INFINITY;
    const maxAge = Math.floor(Math.min(lifetime, LONGEST) / 1000);
    this.#cookies.set(this.#config.name, token, persistent ? maxAge : null);
  }
}
