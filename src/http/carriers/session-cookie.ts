import type { Session } from "../../sessions/types.ts";
import { SessionError } from "../../shared/errors.ts";
import type { Times } from "../../store/contract.ts";
import type { Carrier } from "./carriers.ts";
import type { CookieConfig } from "./cookie-options.ts";
import type { Cookies } from "./cookies.ts";

const DAY_MS = 86_400_000;
/** RFC 6265bis, section 4.1.2.2: user agents limit Max-Age to 400 days. */
export const MAX_COOKIE_LIFETIME_MS = 400 * DAY_MS;

/** The cookie that carries a session's token in one exchange. */
export class SessionCookie implements Carrier {
  readonly sends = true;
  readonly vary = "Cookie";
  readonly #cookies: Cookies;
  readonly #config: CookieConfig;
  /** The whole names of the cookies that came. */
  readonly #receivedNames = new Set<string>();

  constructor(cookies: Cookies, config: CookieConfig) {
    this.#cookies = cookies;
    this.#config = config;
  }

  /** The values that are formed as tokens, each once: of the present names first, then of former ones. */
  get(isToken: (value: string) => boolean): string[] {
    const names = [...this.#cookies.listReadNames(this.#config.name), ...this.#config.formerNames];
    const read = this.#cookies.read(names, isToken);
    for (const { name } of read) this.#receivedNames.add(name);
    return [...new Set(read.map(({ value }) => value))];
  }

  /** @throws SessionError ERR_COOKIE where the cookie cannot be set now. */
  check(): void {
    this.#cookies.check();
  }

  /** Where the response can carry no cookie, the session is ended all the same: its cookie leads nowhere. */
  checkClear(): void {
    if (this.#cookies.isOpen) this.#cookies.check();
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
    if (!this.#isPersistent(session)) return;
    try {
      this.#send(token, session, true);
    } catch (error) {
      // A framework may refuse cookies while it renders a page, which only reads.
      if (!(error instanceof SessionError && error.code === "ERR_COOKIE")) throw error;
    }
  }

  /**
   * Whether a session that is used would outlive its cookie: it has no absolute deadline, and is in
   * the second half of the cookie's 400 days, or beyond. Its token is to be set once more, then.
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

  #send(token: string, { absoluteDeadline, lastSeenAt }: Session<object>, persistent: boolean) {
    const lifetime = absoluteDeadline
      ? absoluteDeadline.getTime() - lastSeenAt.getTime()
      : Number.POSITIVE_INFINITY;
    const maxAge = Math.floor(Math.min(lifetime, MAX_COOKIE_LIFETIME_MS) / 1000);
    const name = this.#cookies.toFullName(this.#config.name);
    this.#cookies.set(name, token, persistent ? maxAge : null);
    // A former name's cookie goes, and one under the other of the two names that are read.
    for (const one of this.#receivedNames) if (one !== name) this.#cookies.expire(one);
  }
}
