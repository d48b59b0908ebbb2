import { findCore, type Sessions } from "../sessions/create-sessions.ts";
import { createConfigError, listOptionNames, quote } from "../shared/errors.ts";
import { readElements, readOptions } from "../shared/given.ts";
import {
  BearerHeader,
  type CarrierName,
  createBearer,
  findTokens,
  parseCarriers,
} from "./carriers/carriers.ts";
import { type CookieOptions, parseCookieOptions } from "./carriers/cookie-options.ts";
import { Cookies } from "./carriers/cookies.ts";
import { SessionCookie } from "./carriers/session-cookie.ts";
import { createSigner, type Signer } from "./carriers/signer.ts";
import { CSRFTokens } from "./csrf-tokens.ts";
import { createForeignPageError, createPassedAsBearerError } from "./errors.ts";
import type { Exchange } from "./exchange/exchange.ts";
import { isForeign, isSafe } from "./foreign.ts";
import { RequestSession } from "./session/request-session.ts";
import type { AdapterCookie } from "./test-cookie.ts";

/** How the requests of an application get their sessions. */
export interface RequestSessionsOptions<Data> {
  /** The session cookie. */
  cookie?: CookieOptions<Data>;
  /**
   * How tokens travel, in order: the first that brings a well-formed token is the request's, whatever
   * the others bring. `["bearer"]` suits an API, `["bearer", "cookie"]` one that pages use, too.
   * @default ["cookie"]
   */
  carriers?: readonly CarrierName[];
}

const OPTIONS = listOptionNames<RequestSessionsOptions<object>>({ cookie: true, carriers: true });

/** The names of the options that an adapter has besides. */
export function listAddedOptions<Options extends RequestSessionsOptions<never>>(
  names: Record<Exclude<keyof Options, keyof RequestSessionsOptions<never>>, true>,
): readonly string[] {
  return Object.keys(names);
}

/** The same, where the framework has no keys of its own. */
export interface SignedSessionsOptions<Data> extends RequestSessionsOptions<Data> {
  /**
   * Secrets that the cookies are signed with: the first one signs, and signatures of all of them are
   * good, so that keys can be replaced. Tokens cannot be guessed, so signing adds little but that
   * forged ones are refused without a round trip.
   * @default none: cookies are not signed
   */
  keys?: readonly string[];
}

/** The session of a request with these sessions: `SessionOf<typeof sessions>`. */
export type SessionOf<AppSessions> =
  AppSessions extends Sessions<infer Data, infer Reference>
    ? RequestSession<Data, Reference>
    : never;

/** The session of a request; the same one each time. Without a signer, cookies are not signed. */
export interface GetRequestSession<Data extends object, Reference extends string> {
  (
    request: object,
    exchange: () => Exchange,
    signer: Signer | null,
  ): RequestSession<Data, Reference>;
  /** How its requests bring their token. */
  readonly adapterCookie: AdapterCookie;
}

/** A session of a request, and how it was asked for. */
interface BoundSession {
  readonly session: RequestSession<object>;
  readonly core: object;
  readonly carriers: string;
  /** The cookie's name and its options; null where no cookie carries tokens. */
  readonly cookie: { readonly name: string; readonly options: string } | null;
  /** Whether its token came in a header that no browser sends by itself. */
  readonly byBearer: boolean;
  /** Whether its token came by the cookie, or would go out by it. */
  readonly byCookie: boolean;
  /** The headers that caches are told of. */
  readonly varies: Set<string>;
}

/** The sessions that a request has, by the sessions of the application and their carriers. */
const boundSessions = new WeakMap<object, BoundSession[]>();
/** The requests that a CSRF guard has let pass because of a bearer header. */
const requestsPassedByBearer = new WeakSet<object>();
/** The requests of pages of other origins that a CSRF guard was told to let in. */
const admittedRequests = new WeakSet<object>();

/**
 * The options of an adapter, read once: all below take this.
 *
 * @param what the adapter's function, for the messages of errors.
 * @param more the options that it has besides.
 * @throws SessionError ERR_SESSION_CONFIG for an option that is unknown.
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
 * @param what the adapter's function, for the messages of errors.
 * @param more the options that it has besides, with their values: all that make cookies differ.
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
      `${what} takes what createSessions returns; or another copy of session-sets has made them`,
    );
  }

  const isToken = (value: string) => core.toId(value) !== null;
  const hasCookie = carriers.includes("cookie");
  // What is off is as good as left out, also where another adapter has no such option.
  const others = Object.fromEntries(more.map((key) => [key, Object(options)[key] || undefined]));
  const asked = {
    core,
    carriers: toText(carriers),
    cookie: hasCookie ? { name: cookie.name, options: toText([cookie, others]) } : null,
  };

  const getSession = (request: object, createExchange: () => Exchange, signer: Signer | null) => {
    const all = boundSessions.get(request) ?? [];
    const candidates = all.filter((one) => isAlike(one, asked));
    const present = candidates.find((one) => one.carriers === asked.carriers);
    if (present) return present.session as RequestSession<Data, Reference>;
    const exchange = createExchange();
    const cookies = new Cookies(cookie, signer, exchange);
    const orderedCarriers = carriers.map((carrier) =>
      carrier === "cookie"
        ? new SessionCookie(cookies, cookie)
        : new BearerHeader(carrier.header, exchange),
    );
    const { carrier, tokens } = findTokens(orderedCarriers, isToken);
    const varies = orderedCarriers.map(({ vary }) => vary);
    const byCookie = carrier.sends;
    // Other carriers make no difference to a request that brings nothing by them.
    const shared = byCookie ? candidates.find((one) => one.byCookie) : undefined;
    if (shared) {
      for (const vary of varies) shared.varies.add(vary);
      return shared.session as RequestSession<Data, Reference>;
    }
    const bearer = orderedCarriers.find(({ sends }) => !sends) ?? createBearer(exchange);
    const csrf = new CSRFTokens(cookies, cookie.name, exchange);
    const byBearer = tokens.length > 0 && !carrier.sends;
    const bringsCookie = byCookie && tokens.length > 0;
    const admit = () => {
      if (!byBearer && requestsPassedByBearer.has(request)) throw createPassedAsBearerError();
      if (bringsCookie && isForged(exchange) && !admittedRequests.has(request))
        throw createForeignPageError();
    };
    const variedHeaders = new Set(varies);
    const context = { core, exchange, carrier, varies: variedHeaders, bearer, tokens, csrf, admit };
    const session = new RequestSession<Data, Reference>(context);
    boundSessions.set(request, [
      ...all,
      { ...asked, session, byBearer, byCookie, varies: variedHeaders },
    ]);
    return session;
  };

  return Object.assign(getSession, {
    adapterCookie: { core, cookie: hasCookie ? cookie : null },
  });
}

/** Whether a session of a request may be the one that is asked for once more, perhaps by other carriers. */
function isAlike(one: BoundSession, asked: Pick<BoundSession, "core" | "cookie">): boolean {
  if (one.core !== asked.core) return false;
  if (one.cookie === null || one.cookie.name !== asked.cookie?.name) {
    return one.cookie === asked.cookie;
  }
  if (one.cookie.options === asked.cookie.options) return true;
  throw createConfigError(
    `The cookie ${quote(one.cookie.name)} of one request was asked for with other options than before: give all adapters of these sessions the same options, or the cookie another name`,
    { option: "cookie" },
  );
}

/** A value by which options are compared: a function is like any other. */
function toText(value: unknown): string {
  return JSON.stringify(value, (_, one: unknown) => (typeof one === "function" ? "function" : one));
}

/** Whether a request may change something, and the browser says that another origin's page has sent it. */
function isForged(exchange: Exchange): boolean {
  const header = (name: string) => exchange.requestHeader(name);
  if (exchange.method === undefined || isSafe(exchange.method, header)) return false;
  return isForeign(header) ?? false;
}

/** A CSRF guard was told to let a request in, whatever page has sent it. */
export function admitForeign(request: object): void {
  admittedRequests.add(request);
}

/**
 * Whether a request has a session, and the token of each it has came in a bearer header. It gets none
 * with a cookie later on.
 */
export function passesByBearer(request: object): boolean {
  const all = boundSessions.get(request) ?? [];
  const passes = all.length > 0 && all.every(({ byBearer }) => byBearer);
  if (passes) requestsPassedByBearer.add(request);
  return passes;
}

/**
 * The signer of `keys`, or null where there are none to be.
 *
 * @throws SessionError ERR_SESSION_CONFIG for what is no list of secrets.
 */
export function parseSigner({ keys }: { keys?: unknown }): Signer | null {
  return keys === undefined ? null : createSigner(readKeys(keys));
}

/** The secrets to sign with, read once. */
function readKeys(keys: unknown): [string, ...string[]] {
  const list = readElements("ERR_SESSION_CONFIG", "keys", keys);
  if (areSecrets(list)) return list;
  throw createConfigError("keys is a list of secret strings, the one to sign with first", {
    option: "keys",
  });
}

/** Whether these are secrets to sign with. */
export function areSecrets(keys: unknown): keys is [string, ...string[]] {
  return (
    Array.isArray(keys) &&
    keys.length > 0 &&
    keys.every((key) => typeof key === "string" && key !== "")
  );
}
