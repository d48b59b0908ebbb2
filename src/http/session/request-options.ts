import type { SessionCore } from "../../sessions/session-core.ts";
import type { DeleteOptions, Session, SignInOptions } from "../../sessions/types.ts";
import { parseReplicas } from "../../sessions/verb-options.ts";
import { createConfigError, listOptionNames } from "../../shared/errors.ts";
import { readElements, readOptions } from "../../shared/given.ts";
import type { Exchange } from "../exchange/exchange.ts";

/* What the verbs of a request's session take and give, beside those without a request. */

/** How a request signs a user in. */
export interface RequestSignInOptions<Keep extends string = never> extends SignInOptions<Keep> {
  /**
   * `"bearer"`: no cookie is sent, and the token is given, for a client that sends it in a header.
   * @default how the request's own token came
   */
  carrier?: "bearer";
}

/** A session with a new token. */
export interface GivenSession<Data> {
  /** For the application to answer with; null where a cookie carries it. */
  readonly token: string | null;
  readonly session: Session<Data>;
}

/** Of which of the user's values the sessions are ended, and whether it waits for replicas. */
export interface SignOutOptions<Value> extends DeleteOptions {
  /** Which of the values, where the field is an array. */
  value?: Value;
}

/** What a change of password has done. */
export interface ChangedCredentials {
  /** How many other sessions were ended. */
  readonly ended: number;
  /** For the application to answer with; null where a cookie carries it. */
  readonly token: string | null;
}

/** How a session is ended by its own request. */
export interface RequestDeleteOptions<Keep extends string = never> extends DeleteOptions {
  /**
   * The fields that are kept, such as a theme: in a new session of nobody, with a token of its own. None
   * of them says who the user is. It goes with a cookie, and without `replicas` and `"cookies"` of
   * `clearSiteData`.
   * @default none: no session is made
   */
  keep?: readonly Keep[];
  /**
   * What the browser is to throw away of this origin besides (Clear-Site-Data), such as
   * `["cache", "storage"]`.
   * @default nothing
   */
  clearSiteData?: readonly (typeof CLEARABLE)[number][];
}

/** What Clear-Site-Data names. */
export const CLEARABLE = [
  "cache",
  "cookies",
  "storage",
  "clientHints",
  "executionContexts",
] as const;

/** @throws SessionError ERR_SESSION_CONFIG for what is no list of what there is. */
function readClearSiteData(given: unknown): string[] {
  const what = readElements("ERR_SESSION_CONFIG", "clearSiteData", given);
  if (what?.every(isClearable)) return what;
  throw createConfigError(`clearSiteData is a list of what there is: ${CLEARABLE.join(", ")}`, {
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
  carrier: true,
});
export const SIGN_OUT_OPTIONS = listOptionNames<SignOutOptions<unknown>>({
  value: true,
  replicas: true,
});
const DELETE_OPTIONS = listOptionNames<RequestDeleteOptions>({
  replicas: true,
  keep: true,
  clearSiteData: true,
});

/**
 * The options of `delete`, read once.
 *
 * @throws SessionError ERR_SESSION_CONFIG for one that is wrong, and for those that do not go together.
 */
export function deleteOptions(
  options: RequestDeleteOptions<string>,
  engine: Pick<SessionCore, "readKeep">,
): { keep?: string[]; clearSiteData: string[]; replicas: number | undefined } {
  const { keep, clearSiteData = [], ...rest } = readOptions("delete", options, DELETE_OPTIONS);
  const replicas = parseReplicas(rest);
  const cleared = readClearSiteData(clearSiteData);
  if (keep === undefined) return { clearSiteData: cleared, replicas };
  const kept = engine.readKeep(keep);
  if (replicas !== undefined) {
    throw createConfigError(
      "keep and replicas do not go together: delete with replicas, then set",
      {
        option: "keep",
      },
    );
  }
  if (cleared.includes("cookies")) {
    throw createConfigError(
      'keep and clearSiteData "cookies" do not go together: the browser would throw the new session\'s cookie away',
      { option: "keep" },
    );
  }
  return { keep: kept, clearSiteData: cleared, replicas };
}

/** Tells the browser what to throw away, where the response can carry headers still. */
export function sendClearSiteData(exchange: Exchange, what: readonly string[]): void {
  if (what.length === 0 || exchange.fault !== null) return;
  exchange.sendHeader("Clear-Site-Data", what.map((one) => JSON.stringify(one)).join(", "));
}
