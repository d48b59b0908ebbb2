import { createConfigError, listOptionNames, quote } from "../../shared/errors.ts";
import { readOptions } from "../../shared/given.ts";

/** How tokens are written: encodings that keep every bit. */
export type TokenEncoding = "base64" | "base64url" | "hex" | "latin1" | "binary";

/** Whether `get`, `refresh`, `update` and `kill` reject where there is no session. */
export type OnMissing = "reject" | undefined;

/** The value that a method resolves to where there is no session; none if it rejects. */
export type IfMissing<Missing extends OnMissing, Answer> = Missing extends "reject"
  ? never
  : Answer;

/** Where the sessions are kept, how tokens look, and what happens where there is no session. */
export interface SpotsSessionsOptions {
  /**
   * Where Redis is, such as `redis://localhost:6379`.
   * @default ioredis's: `redis://localhost:6379`
   */
  connectionString?: string;
  /**
   * How a token is written.
   * @default "base64"
   */
  tokenEncoding?: TokenEncoding;
  /**
   * How many random bytes a token has: from 20 (160 bits) to 65,536.
   * @default 128
   */
  tokenSize?: number;
  /**
   * With `"reject"` the methods `get`, `refresh`, `update` and `kill` reject with ERR_SESSION_GONE where
   * there is no session, as the code of @spots-tech/sessions does. Left out, they resolve to undefined or
   * false, as its documentation says.
   */
  missing?: OnMissing;
}

const ENCODINGS: readonly TokenEncoding[] = ["base64", "base64url", "hex", "latin1", "binary"];
const MIN_TOKEN_BYTES = 20;
const MAX_TOKEN_BYTES = 65_536;

const OPTIONS = listOptionNames<SpotsSessionsOptions>({
  connectionString: true,
  tokenEncoding: true,
  tokenSize: true,
  missing: true,
});

/** The options, checked and filled in. */
export interface Settings {
  readonly connectionString: string | undefined;
  readonly tokenEncoding: TokenEncoding;
  readonly tokenSize: number;
  /** Whether a missing session is an error. */
  readonly rejects: boolean;
}

/** @throws SessionError ERR_SESSION_CONFIG for an option that is unknown or cannot work. */
export function parseSettings(options: string | SpotsSessionsOptions): Settings {
  const chosen = typeof options === "string" ? { connectionString: options } : options;
  const given = readOptions("SpotsSessions", chosen, OPTIONS);
  const { connectionString, tokenEncoding = "base64", tokenSize = 128, missing } = given;
  if (connectionString !== undefined && typeof connectionString !== "string") {
    throw createConfigError(
      `connectionString must be a text such as "redis://localhost:6379"; got ${quote(connectionString)}`,
      { option: "connectionString" },
    );
  }
  if (!ENCODINGS.includes(tokenEncoding)) {
    throw createConfigError(
      `tokenEncoding must be one of ${ENCODINGS.join(", ")}, which keep every bit of a token; got ${quote(tokenEncoding)}`,
      { option: "tokenEncoding" },
    );
  }
  if (!Number.isInteger(tokenSize) || tokenSize < MIN_TOKEN_BYTES || tokenSize > MAX_TOKEN_BYTES) {
    throw createConfigError(
      `tokenSize must be a whole number of bytes from ${MIN_TOKEN_BYTES}, because a shorter token can be guessed, to ${MAX_TOKEN_BYTES}; got ${quote(tokenSize)}`,
      { option: "tokenSize" },
    );
  }
  if (missing !== undefined && missing !== "reject") {
    throw createConfigError(
      `missing must be "reject", or be left out for undefined and false where there is no session; got ${quote(missing)}`,
      { option: "missing" },
    );
  }
  return { connectionString, tokenEncoding, tokenSize, rejects: missing === "reject" };
}
