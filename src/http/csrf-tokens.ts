import { createHmac, randomBytes } from "node:crypto";
import type { Cookies, ReadCookie } from "./carriers/cookies.ts";
import { isEqual } from "./carriers/signer.ts";
import type { Exchange } from "./exchange/exchange.ts";

/*
 * A CSRF token is a random salt and its HMAC-SHA-256 under a secret that only the user's browser sends
 * (OWASP CSRF Prevention, "signed double-submit cookie"). The secret is the session token. Without a
 * session, as for a sign-in form, it is a random pre-session cookie. The salt makes each token look
 * different, so that compressed pages do not give it away (BREACH). Nothing is stored.
 */
const SALT_PATTERN = /^[A-Za-z0-9_-]+$/;
const SALT_BYTES = 16;
const SECRET_PATTERN = /^[A-Za-z0-9_-]{32}$/;
const SECRET_BYTES = 24;
/** The header or the form field in which a request brings its CSRF token. */
const TOKEN_HEADER = "x-csrf-token";
const TOKEN_FIELD = "_csrf";

/** How many pre-session cookies count, and so how many sign-in forms can be open at the same time. */
const MAX_SECRETS = 4;
/** How many characters of a secret are in the name of its cookie. */
const SECRET_LENGTH_IN_NAME = 8;

/**
 * The CSRF tokens of one exchange. Each pre-session secret has a cookie with a name of its own, so that
 * forms served at the same time do not overwrite each other's cookies.
 */
export class CSRFTokens {
  readonly #cookies: Cookies;
  readonly #cookieName: string;
  readonly #exchange: Exchange;
  /** The pre-session secret of the cookie that this response sets. */
  #freshSecret: string | null = null;
  /** The pre-session cookies of the request that count, the oldest first. */
  #preSessionCookies: readonly ReadCookie[] | null = null;

  constructor(cookies: Cookies, sessionCookieName: string, exchange: Exchange) {
    this.#cookies = cookies;
    this.#cookieName = `${sessionCookieName}-csrf-`;
    this.#exchange = exchange;
  }

  /** The token that the request brings in its header, or else in its parsed form. */
  get sent(): unknown {
    const { body } = this.#exchange;
    return this.#exchange.requestHeader(TOKEN_HEADER) ?? Object(body)[TOKEN_FIELD];
  }

  /** Creates a token bound to the session token, or else to a pre-session cookie, which it sets if needed. */
  create(sessionToken: string | null): string {
    return createCSRFToken(
      sessionToken ?? this.#freshSecret ?? this.#findSentSecret() ?? this.#createSecret(),
    );
  }

  /** Whether a CSRF token is valid. With a session, only a token bound to that session is. */
  verify(sessionToken: string | null, token: unknown): boolean {
    const secrets =
      sessionToken === null
        ? [this.#freshSecret ?? [], this.#listSecrets()].flat()
        : [sessionToken];
    return secrets.some((secret) => verifyCSRFToken(secret, token));
  }

  /** Makes the browser forget the pre-session cookies, because there is a session now. */
  clear(): void {
    if (this.#freshSecret !== null) this.#cookies.takeBack(this.#toCookieName(this.#freshSecret));
    this.#freshSecret = null;
    this.#expire(this.#readCookies());
    this.#preSessionCookies = [];
  }

  /** The newest secret that the request brings. If it brings too many, the oldest cookies are expired. */
  #findSentSecret(): string | null {
    const read = this.#readCookies();
    this.#expire(read.slice(0, -MAX_SECRETS));
    this.#preSessionCookies = read.slice(-MAX_SECRETS);
    return this.#preSessionCookies.at(-1)?.value ?? null;
  }

  #listSecrets(): string[] {
    return this.#readCookies()
      .slice(-MAX_SECRETS)
      .map(({ value }) => value);
  }

  /** Reads the cookies, the oldest first: that is the order in which browsers send them. */
  #readCookies(): readonly ReadCookie[] {
    const names = this.#cookies.listReadNames(this.#cookieName);
    this.#preSessionCookies ??= this.#cookies
      .readLast(names, (value) => SECRET_PATTERN.test(value))
      .filter(({ name, value }) => name.endsWith(`-${value.slice(0, SECRET_LENGTH_IN_NAME)}`));
    return this.#preSessionCookies;
  }

  #expire(cookies: readonly ReadCookie[]): void {
    for (const { name } of cookies) this.#cookies.expire(name);
  }

  #createSecret(): string {
    const secret = randomBytes(SECRET_BYTES).toString("base64url");
    this.#cookies.set(this.#toCookieName(secret), secret, null);
    this.#freshSecret = secret;
    return secret;
  }

  #toCookieName(secret: string): string {
    return this.#cookies.toFullName(this.#cookieName) + secret.slice(0, SECRET_LENGTH_IN_NAME);
  }
}

/** Creates a token under a secret. */
export function createCSRFToken(secret: string, saltBytes = SALT_BYTES): string {
  const salt = randomBytes(saltBytes).toString("base64url");
  return `${salt}.${computeMAC(secret, salt)}`;
}

/** Whether a token was created under this secret, with a salt of this many bytes. */
export function verifyCSRFToken(secret: string, token: unknown, saltBytes = SALT_BYTES): boolean {
  if (typeof token !== "string") return false;
  const [salt = "", sent = "", ...more] = token.split(".", 3);
  const isSalt = SALT_PATTERN.test(salt) && salt.length === Math.ceil((saltBytes * 4) / 3);
  return more.length === 0 && isSalt && isEqual(computeMAC(secret, salt), sent);
}

function computeMAC(secret: string, salt: string): string {
  return createHmac("sha256", secret).update(salt).digest("base64url");
}
