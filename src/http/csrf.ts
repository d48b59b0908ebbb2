import { createHmac, randomBytes } from "node:crypto";
import type { Cookies } from "./cookies.ts";
import type { Exchange } from "./exchange.ts";
import { equal } from "./signer.ts";

/*
 * A CSRF token is a random salt and the HMAC-SHA-256 of it under a secret that only the user's
 * browser sends: the session token, or, where there is no session yet (a sign-in form), a random
 * pre-session cookie. (OWASP CSRF Prevention, "signed double-submit cookie".) The salt makes each
 * token look different, so that compressed pages do not give it away (BREACH). Nothing is stored.
 */
const SALT = /^[A-Za-z0-9_-]+$/;
const SALT_BYTES = 16;
const SECRET = /^[A-Za-z0-9_-]{32}$/;
const SECRET_BYTES = 24;
/** Where a request may bring its token. */
const HEADER = "x-csrf-token";
const FIELD = "_csrf";

/** The CSRF tokens of one exchange. */
export class CSRFTokens {
  readonly #cookies: Cookies;
  readonly #cookieName: string;
  readonly #exchange: Exchange;
  /** The pre-session cookie that this response sets. */
  #secret: string | null = null;

  constructor(cookies: Cookies, sessionCookieName: string, exchange: Exchange) {
    this.#cookies = cookies;
    this.#cookieName = `${sessionCookieName}-csrf`;
    this.#exchange = exchange;
  }

  /** The token that the request brings: in its header, or else in its parsed form. */
  get sent(): unknown {
    const { body } = this.#exchange;
    return this.#exchange.requestHeader(HEADER) ?? Object(body)[FIELD];
  }

  /** A token bound to the session token, or to the pre-session cookie, which it sets if need be. */
  create(sessionToken: string | null): string {
    return createCSRFToken(sessionToken ?? this.#preSession() ?? this.#newPreSession());
  }

  verify(sessionToken: string | null, token: unknown): boolean {
    const secret = sessionToken ?? this.#preSession();
    return secret !== null && verifyCSRFToken(secret, token);
  }

  #preSession(): string | null {
    if (this.#secret !== null) return this.#secret;
    return this.#cookies.get(this.#cookieName, (value) => SECRET.test(value));
  }

  #newPreSession(): string {
    const secret = randomBytes(SECRET_BYTES).toString("base64url");
    this.#cookies.set(this.#cookieName, secret, null);
    this.#secret = secret;
    return secret;
  }
}

/** A token under a secret, with a salt of so many random bytes. */
export function createCSRFToken(secret: string, saltBytes = SALT_BYTES): string {
  const salt = randomBytes(saltBytes).toString("base64url");
  return `${salt}.${mac(secret, salt)}`;
}

/** Whether a token is one under this secret, with a salt of so many bytes. */
export function verifyCSRFToken(secret: string, token: unknown, saltBytes = SALT_BYTES): boolean {
  if (typeof token !== "string") return false;
  const [salt = "", sent = "", ...more] = token.split(".", 3);
  const isSalt = SALT.test(salt) && salt.length === Math.ceil((saltBytes * 4) / 3);
  return more.length === 0 && isSalt && equal(mac(secret, salt), sent);
}

function mac(secret: string, salt: string): string {
  return createHmac("sha256", secret).update(salt).digest("base64url");
}
