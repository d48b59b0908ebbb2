import { misconfigured, optionNames, quote, refuseUnknownKeys } from "../../errors.ts";

/** How tokens are written: encodings that keep every bit. */
export type TokenEncoding = "base64" | "base64url" | "hex" | "latin1" | "binary";

/** Where the sessions are kept, and how tokens look. */
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
   * How many random bytes a token has: 20 (160 bits) or more.
   * @default 128
   */
  tokenSize?: number;
}

const ENCODINGS: readonly TokenEncoding[] = ["base64", "base64url", "hex", "latin1", "binary"];
const FEWEST_BYTES = 20;

const OPTIONS = optionNames<SpotsSessionsOptions>({
  connectionString: true,
  tokenEncoding: true,
  tokenSize: true,
});

/** The options, checked and filled in. */
export interface Settings {
  readonly connectionString: string | undefined;
  readonly tokenEncoding: TokenEncoding;
  readonly tokenSize: number;
}

/** @throws SessionError ERR_SESSION_CONFIG for an option that is unknown or cannot work. */
export function settingsOf(options: string | SpotsSessionsOptions): Settings {
  const chosen = typeof options === "string" ? { connectionString: options } : options;
  refuseUnknownKeys("SpotsSessions", chosen, OPTIONS);
  const { connectionString, tokenEncoding = "base64", tokenSize = 128 } = chosen;
  if (!ENCODINGS.includes(tokenEncoding)) {
    throw misconfigured(
      `tokenEncoding must be one of ${ENCODINGS.join(", ")}, which keep every bit of a token; got ${quote(tokenEncoding)}`,
    );
  }
  if (!(Number.isInteger(tokenSize) && tokenSize >= FEWEST_BYTES)) {
    throw misconfigured(
      `tokenSize must be a whole number of ${FEWEST_BYTES} bytes or more: a token with less can be guessed`,
    );
  }
  return { connectionString, tokenEncoding, tokenSize };
}
