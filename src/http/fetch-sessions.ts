import type { Sessions } from "../sessions/sessions.ts";
import { type CSRFGuardOptions, createGuard } from "./csrf-guard.ts";
import { FetchExchange, type FetchRequest } from "./fetch-exchange.ts";
import { addressed, type TrustProxyOption, trustsProxy } from "./forwarded.ts";
import type { RequestSession } from "./request-session.ts";
import { requestSessions, type SignedSessionsOptions, signerOf } from "./request-sessions.ts";

/** How Requests (WHATWG Fetch) get their sessions. */
export type FetchSessionsOptions<Data> = SignedSessionsOptions<Data> & TrustProxyOption;

/** The session of a Request, and the exchange by which its cookies get onto the response. */
export interface FetchedSession<Data extends object, Reference extends string> {
  readonly session: RequestSession<Data, Reference>;
  readonly exchange: FetchExchange;
}

/**
 * Finds the sessions of Requests; `owner` is the object that stands for a request from its beginning
 * to its end.
 */
export function fetchedSessions<Data extends object, Reference extends string>(
  what: string,
  sessions: Sessions<Data, Reference>,
  options: FetchSessionsOptions<Data>,
): (request: FetchRequest, owner: object) => FetchedSession<Data, Reference> {
  const sessionOf = requestSessions(what, sessions, options, ["keys", "trustProxy"]);
  const signer = signerOf(options);
  const trustProxy = trustsProxy(options);
  const known = new WeakMap<object, FetchedSession<Data, Reference>>();
  return (request, owner) => {
    const present = known.get(owner);
    if (present) return present;
    const exchange = new FetchExchange(request, addressOf(request, trustProxy).secure);
    const found = { session: sessionOf(owner, () => exchange, signer), exchange };
    known.set(owner, found);
    return found;
  };
}

/** The guard of Requests; `owner` as above. */
export function fetchGuard(
  options: CSRFGuardOptions & TrustProxyOption,
): (request: FetchRequest, owner: object) => void {
  const guard = createGuard(options, ["trustProxy"]);
  const trustProxy = trustsProxy(options);
  return (request, owner) => {
    const header = (name: string) => request.headers.get(name) ?? undefined;
    const { method } = request;
    guard({ request: owner, method, ...addressOf(request, trustProxy), header });
  };
}

function addressOf({ url, headers }: FetchRequest, trustProxy: boolean) {
  const { protocol, host } = new URL(url);
  // Some servers make the URL up from their own address.
  const own = { secure: protocol === "https:", host: headers.get("host") ?? host };
  return addressed(own, (name) => headers.get(name), trustProxy);
}
