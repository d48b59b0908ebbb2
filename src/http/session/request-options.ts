import { type EndingOptions, parseEndingOptions } from "../../sessions/options/verb-options.ts";
import type { SessionCore } from "../../sessions/session-core.ts";
import type { DeleteOptions, Session, SignInOptions } from "../../sessions/types.ts";
import { createConfigError, listOptionNames } from "../../shared/errors.ts";
import { readElements, readOptions } from "../../shared/given.ts";
import type { Exchange } from "../exchange/exchange.ts";

/* Options and results of the methods of a request's session, beyond those without a request. */

/** Options of signing a user in by a request. */
export interface RequestSignInOptions<Keep extends string = never> extends SignInOptions<Keep> {
  /**
   * `"bearer"`: no cookie is sent, and `token` is given, for a client that sends it in a header.
   * @default the carrier of the request's own token
   */
  carrier?: "bearer";
}

/** A session with a new token. */
export interface GivenSession<Data> {
  /** The application answers with it. Null if a cookie carries it. */
  readonly token: string | null;
  readonly session: Session<Data>;
}

/** Options of ending the sessions of a user. */
export interface SignOutOptions<Value> extends DeleteOptions {
  /** The value whose sessions are ended, if the field is an array. */
  value?: Value;
}

/** The result of a change of password. */
export interface ChangedCredentials {
  /** How many other sessions were ended. */
  readonly ended: number;
  /** The application answers with it. Null if a cookie carries it. */
  readonly token: string | null;
}

/** Options of ending a session by its own request. */
export interface RequestDeleteOptions<Keep extends string = never> extends DeleteOptions {
  /**
   * The fields to keep, such as a theme, in a new session without a user and with a new token. None of them
   * may say who the user is. `keep` works only with a cookie, and not together with `replicas` or with
   * `"cookies"` in `clearSiteData`.
   * @default none: no session is made
   */
  keep?: readonly Keep[];
  /**
   * Other data of this origin that the browser should delete (Clear-Site-Data), such as
   * `["cache", "storage"]`.
   * @default nothing
   */
  clearSiteData?: readonly (typeof CLEARABLE)[number][];
}

/** The kinds of data that Clear-Site-Data can name. */
export const CLEARABLE = [
  "cache",
  "cookies",
  "storage",
  "clientHints",
  "executionContexts",
] as const;

/** @throws SessionError ERR_SESSION_CONFIG if it isn't a list of these kinds of data. */
function readClearSiteData(given: unknown): string[] {
  const what = readElements("ERR_SESSION_CONFIG", "clearSiteData", given);
  if (what?.every(isClearable)) return what;
  throw createConfigError(`clearSiteData must be a list of any of these: ${CLEARABLE.join(", ")}`, {
    option: "clearSiteData",
  });
}

function isClearable(one: unknown): one is string {
  return (CLEARABLE as readonly unknown[]).includes(one);
}

export const REQUEST_SIGN_IN_OPTIONS = listOptionNames<RequestSignInOptions>({
  idleTimeout: true,
  absoluteTimeout: true,
  asOf: true,
  keep: true,
  initiator: true,
  reason: true,
  carrier: true,
});
export const SIGN_OUT_OPTIONS = listOptionNames<SignOutOptions<unknown>>({
  value: true,
  replicas: true,
  initiator: true,
  reason: true,
});
const DELETE_OPTIONS = listOptionNames<RequestDeleteOptions>({
  replicas: true,
  initiator: true,
  reason: true,
  keep: true,
  clearSiteData: true,
});

/**
 * Reads the options of `delete` once.
 *
 * @throws SessionError ERR_SESSION_CONFIG for a wrong option, and for options that exclude each other.
 */
export function parseDeleteOptions(
  options: RequestDeleteOptions<string>,
  core: Pick<SessionCore, "readKeep">,
): { keep?: string[]; clearSiteData: string[]; how: EndingOptions } {
  const { keep, clearSiteData = [], ...rest } = readOptions("delete", options, DELETE_OPTIONS);
  const how = parseEndingOptions(rest);
  const cleared = readClearSiteData(clearSiteData);
  if (keep === undefined) return { clearSiteData: cleared, how };
  const kept = core.readKeep(keep);
  if (how.replicas !== undefined) {
    throw createConfigError(
      "keep and replicas exclude each other: call delete with replicas, and then set",
      {
        option: "keep",
      },
    );
  }
  if (cleared.includes("cookies")) {
    throw createConfigError(
      'keep and clearSiteData "cookies" exclude each other: the browser would delete the cookie of the new session',
      { option: "keep" },
    );
  }
  return { keep: kept, clearSiteData: cleared, how };
}

/** Tells the browser which data to delete, if the response can still carry headers. */
export function sendClearSiteData(exchange: Exchange, what: readonly string[]): void {
  if (what.length === 0 || exchange.fault !== null) return;
  exchange.sendHeader("Clear-Site-Data", what.map((one) => JSON.stringify(one)).join(", "));
}
