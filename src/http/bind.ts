import { findCore, type Sessions } from "../sessions/create-sessions.ts";
import { createConfigError, listOptionNames, quote } from "../shared/errors.ts";
import { readElements, readOptions } from "../shared/given.ts";
import { type CarrierName, parseCarriers } from "./carriers/carriers.ts";
import { type CookieOptions, parseCookieOptions } from "./carriers/cookie-options.ts";
import { createSigner, type Signer } from "./carriers/signer.ts";
import type { Exchange } from "./exchange/exchange.ts";
import { notesOf } from "./request-notes.ts";
import { type Binding, RequestContext } from "./session/request-context.ts";
import { RequestSession } from "./session/request-session.ts";
import type { AdapterCookie } from "./test-cookie.ts";

/** How requests bring and get their session tokens. */
export interface RequestSessionsOptions<Data> {
  /** The session cookie. */
  cookie?: CookieOptions<Data>;
  /**
   * How tokens travel, in order. The first carrier that brings a well-formed token counts, and the others
   * are ignored. `["bearer"]` suits an API, `["bearer", "cookie"]` an API that pages also use.
   * @default ["cookie"]
   */
  carriers?: readonly CarrierName[];
}

const OPTIONS = listOptionNames<RequestSessionsOptions<object>>({ cookie: true, carriers: true });

/** Lists the names of the options that an adapter adds. */
export function listAddedOptions<Options extends RequestSessionsOptions<never>>(
  names: Record<Exclude<keyof Options, keyof RequestSessionsOptions<never>>, true>,
): readonly string[] {
  return Object.keys(names);
}

/** The options of an adapter whose framework has no signing keys of its own. */
export interface SignedSessionsOptions<Data> extends RequestSessionsOptions<Data> {
  /**
   * Secrets that sign the cookies. The first one signs, and signatures made with any of them are valid,
   * so that keys can be replaced. Tokens cannot be guessed, so signing adds little: forged ones are
   * refused without a round trip.
   * @default none: cookies are not signed
   */
  keys?: readonly string[];
}

/** The type of a request's session: `SessionOf<typeof sessions>`. */
export type SessionOf<AppSessions> =
  AppSessions extends Sessions<infer Data, infer Reference>
    ? RequestSession<Data, Reference>
    : never;

/** Gets the session of a request, the same object each time. Without a signer, cookies are not signed. */
export interface GetRequestSession<Data extends object, Reference extends string> {
  (request: object, exchange: Exchange, signer: Signer | null): RequestSession<Data, Reference>;
  /** The cookie that brings the token of its requests. */
  readonly adapterCookie: AdapterCookie;
}

/** The options of an adapter, in the form in which those of two adapters are compared. */
interface ComparableBinding extends Binding {
  readonly carriersText: string;
  /** The cookie's name and options; null if no cookie carries tokens. */
  readonly adapterCookie: { readonly name: string; readonly options: string } | null;
}

/** A session of a request. */
export interface BoundSession {
  readonly session: RequestSession<object>;
  readonly context: RequestContext;
  readonly binding: ComparableBinding;
}

/**
 * Reads the options of an adapter once. All functions below take the result.
 *
 * @param what the adapter's function, for error messages.
 * @param more the names of the options that the adapter adds.
 * @throws SessionError ERR_SESSION_CONFIG for an unknown option.
 */
export function readAdapterOptions<Options extends RequestSessionsOptions<never>>(
  what: string,
  options: Options,
  more: readonly string[],
): Options {
  const given = readOptions(what, options, [...OPTIONS, ...more]);
  const { keys } = given as { keys?: unknown };
  return { ...given, ...(keys === undefined ? {} : { keys: readKeys(keys) }) };
}

/**
 * Makes the function that gets the session of a request.
 *
 * @param what the adapter's function, for error messages.
 * @param more the names of the options that the adapter adds. Their values make cookies differ.
 * @throws SessionError ERR_SESSION_CONFIG for an option that is unknown or cannot work.
 */
export function bindSessions<Data extends object, Reference extends string>(
  what: string,
  sessions: Sessions<Data, Reference>,
  options: RequestSessionsOptions<Data>,
  more: readonly string[],
): GetRequestSession<Data, Reference> {
  const cookie = parseCookieOptions(options.cookie);
  const carriers = parseCarriers(options.carriers);
  const core = findCore(Object(sessions));
  if (!core) {
    throw createConfigError(
      `${what} takes the sessions that createSessions returned. It was given something else, or sessions that another copy of session-sets made`,
    );
  }

  const hasCookie = carriers.includes("cookie");
  // An option that is off counts as left out, for another adapter may not even have it.
  const others = Object.fromEntries(more.map((key) => [key, Object(options)[key] || undefined]));
  const binding: ComparableBinding = {
    core,
    carriers,
    cookie,
    carriersText: toText(carriers),
    adapterCookie: hasCookie ? { name: cookie.name, options: toText([cookie, others]) } : null,
  };

  const getSession = (request: object, exchange: Exchange, signer: Signer | null) => {
    const notes = notesOf(request);
    const candidates = notes.sessions.filter((one) => isAlike(one.binding, binding));
    const present = candidates.find((one) => one.binding.carriersText === binding.carriersText);
    if (present) return present.session as RequestSession<Data, Reference>;
    const context = new RequestContext(binding, notes, exchange, signer);
    // A request that brings nothing in the other carriers has one session, whatever they are.
    const shared = candidates.find((one) => one.context.isByCookie && context.isByCookie);
    if (shared) {
      for (const vary of context.varies) shared.context.varies.add(vary);
      return shared.session as RequestSession<Data, Reference>;
    }
    const session = new RequestSession<Data, Reference>(context);
    notes.sessions.push({ session, context, binding });
    return session;
  };

  return Object.assign(getSession, {
    adapterCookie: { core, cookie: hasCookie ? cookie : null },
  });
}

/** Whether a session of a request can serve another call with these options, apart from the carriers. */
function isAlike(one: ComparableBinding, asked: ComparableBinding): boolean {
  if (one.core !== asked.core) return false;
  const [cookie, wanted] = [one.adapterCookie, asked.adapterCookie];
  if (cookie === null || cookie.name !== wanted?.name) return cookie === wanted;
  if (cookie.options === wanted.options) return true;
  throw createConfigError(
    `The cookie ${quote(cookie.name)} of one request was asked for twice, with different options. Give all adapters of these sessions the same options, or give the cookies different names`,
    { option: "cookie" },
  );
}

/** A text by which options are compared. All functions count as equal. */
function toText(value: unknown): string {
  return JSON.stringify(value, (_, one: unknown) => (typeof one === "function" ? "function" : one));
}

/** Notes that a CSRF guard was told to let a request in, whichever page sent it. */
export function admitForeign(request: object): void {
  notesOf(request).isAdmitted = true;
}

/**
 * Whether a request has sessions, and the tokens of all of them came in bearer headers. If so, it gets no
 * session with a cookie later on.
 */
export function passesByBearer(request: object): boolean {
  const notes = notesOf(request);
  const { sessions } = notes;
  const passes = sessions.length > 0 && sessions.every(({ context }) => context.isByBearer);
  if (passes) notes.passedByBearer = true;
  return passes;
}

/**
 * Makes the signer of `keys`; null without keys.
 *
 * @throws SessionError ERR_SESSION_CONFIG if `keys` isn't a list of secrets.
 */
export function parseSigner({ keys }: { keys?: unknown }): Signer | null {
  return keys === undefined ? null : createSigner(readKeys(keys));
}

/** Reads the signing secrets once. */
function readKeys(keys: unknown): [string, ...string[]] {
  const list = readElements("ERR_SESSION_CONFIG", "keys", keys);
  if (areSecrets(list)) return list;
  throw createConfigError("keys must be a list of secret strings, with the one that signs first", {
    option: "keys",
  });
}

/** Whether these are signing secrets. */
export function areSecrets(keys: unknown): keys is [string, ...string[]] {
  return (
    Array.isArray(keys) &&
    keys.length > 0 &&
    keys.every((key) => typeof key === "string" && key !== "")
  );
}
