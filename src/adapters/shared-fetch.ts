import {
  adapterOptions,
  moreOptions,
  requestSessions,
  type SignedSessionsOptions,
  signerOf,
} from "../http/bind.ts";
import { type CSRFGuardOptions, createGuard } from "../http/csrf-guard.ts";
import { shown } from "../http/exchange/exchange.ts";
import {
  FetchExchange,
  fetchHeader,
  isFetchRequest,
  PartsExchange,
  type RequestParts,
} from "../http/exchange/fetch-exchange.ts";
import type { FetchRequest, PlatformResponse } from "../http/exchange/fetch-types.ts";
import {
  addressed,
  TRUST_PROXY,
  type TrustProxyOption,
  trustsProxy,
} from "../http/exchange/request-origin.ts";
import {
  type Refusal,
  type RequireSessionOptions,
  type SignedInSession,
  sessionRequirement,
} from "../http/require-session.ts";
import type { RequestSession } from "../http/session/request-session.ts";
import { knownToTests } from "../http/test-cookie.ts";
import type { Sessions } from "../sessions/create-sessions.ts";
import type { FieldOf } from "../sessions/types.ts";

/** How Requests (WHATWG Fetch) get their sessions. */
export type FetchSessionsOptions<Data> = SignedSessionsOptions<Data> & TrustProxyOption;

const OPTIONS = moreOptions<FetchSessionsOptions<never>>({ keys: true, trustProxy: true });
const PROXY_SETTING = "trustProxy: true";

/** The sessions of Requests, and the exchanges by which their cookies get onto the responses. */
export class RequestedSessions<Data extends object, Reference extends string> {
  readonly #sessionOf: ReturnType<typeof requestSessions<Data, Reference>>;
  readonly #signer: ReturnType<typeof signerOf>;
  readonly #trustProxy: boolean;
  readonly #sessions: object;

  constructor(
    what: string,
    sessions: Sessions<Data, Reference>,
    options: FetchSessionsOptions<Data>,
  ) {
    this.#sessions = sessions;
    const given = adapterOptions(what, options, OPTIONS);
    this.#signer = signerOf(given);
    this.#trustProxy = trustsProxy(given);
    this.#sessionOf = requestSessions(what, sessions, given, OPTIONS);
  }

  /** The session of a Request; `owner` stands for it from its beginning to its end. */
  of(request: FetchRequest, owner: object = request): RequestSession<Data, Reference> {
    const exchange = this.exchangeOf(request, owner);
    return this.#sessionOf(ownerOf(owner, request, request.headers), () => exchange, this.#signer);
  }

  /** The same, where a framework may show but parts of a request. */
  ofShown(takes: string, request: FetchRequest | RequestParts): RequestSession<Data, Reference> {
    const parts = shown(
      takes,
      () => request,
      ({ headers }) => typeof headers.get === "function",
    );
    return "url" in parts ? this.of(requestIn(takes, () => parts)) : this.#ofParts(parts);
  }

  #ofParts(parts: RequestParts): RequestSession<Data, Reference> {
    const owner = ownerOf(parts.headers);
    const exchange = () => {
      const header = (name: string) => fetchHeader(parts.headers, name);
      const own = { secure: false, host: header("host") ?? "" };
      const { secure } = addressed(own, header, this.#trustProxy);
      return new PartsExchange(parts, secure, () => exchanges.get(owner));
    };
    PartsExchange.give(parts);
    return this.#sessionOf(owner, exchange, this.#signer);
  }

  /** One for all sessions of a Request: their cookies go out together. */
  exchangeOf(request: FetchRequest, owner: object): FetchExchange {
    const one = ownerOf(owner, request, request.headers);
    const exchange =
      exchanges.get(one) ??
      new FetchExchange(
        request.headers,
        addressOf(request, this.#trustProxy).secure,
        request.method,
      );
    exchanges.set(one, exchange);
    return exchange;
  }

  /** Makes the adapter of these sessions one that `createSessionCookie` takes. */
  knownToTests<Adapter extends object>(adapter: Adapter): Adapter {
    return knownToTests(adapter, this.#sessionOf.carrying, this.#signer);
  }

  /** Asks for the session of a signed-in user. */
  requirement<Field extends FieldOf<Data>>(field: Field, options?: RequireSessionOptions) {
    const ask = sessionRequirement<Data, Field>(this.#sessions, field, options);
    return (
      request: FetchRequest,
      owner: object = request,
    ): Promise<
      | { readonly session: SignedInSession<Data, Field>; readonly refusal: null }
      | { readonly session: null; readonly refusal: Refusal }
    > => {
      const header = (name: string) => fetchHeader(request.headers, name);
      const session = this.of(request, owner) as unknown as RequestSession<Data>;
      return ask(session, { header });
    };
  }
}

const exchanges = new WeakMap<object, FetchExchange>();

const owners = new WeakMap<object, object>();

/**
 * The one object that stands for a request, of the several that show it: a framework's own, the Request
 * and its headers. A Request that takes another's place is known by the framework's object.
 */
function ownerOf(...shown: readonly [object, ...object[]]): object {
  const known = shown.find((one) => owners.has(one));
  const owner = (known && owners.get(known)) ?? shown[0];
  for (const one of shown) if (!owners.has(one)) owners.set(one, owner);
  return owner;
}

/** @throws SessionError ERR_SESSION_CONFIG for what is no Request. */
export function requestIn(takes: string, read: () => FetchRequest): FetchRequest {
  return shown(takes, read, isFetchRequest);
}

/** The answer to a request of nobody, as a Response. */
export function responseOf({ status, headers, body }: Refusal): PlatformResponse {
  return new Response(body, { status, headers }) as PlatformResponse;
}

/** The guard of Requests; `owner` as above. */
export function fetchGuard<Given>(
  options: CSRFGuardOptions<Given> & TrustProxyOption,
): (request: FetchRequest, owner: object, given: Given) => void {
  const guard = createGuard(options, TRUST_PROXY);
  const trustProxy = trustsProxy(options);
  return (request, owner, given) => {
    const header = (name: string) => fetchHeader(request.headers, name);
    const { method } = request;
    const address = addressOf(request, trustProxy);
    const one = ownerOf(owner, request, request.headers);
    guard({ request: one, method, ...address, proxySetting: PROXY_SETTING, header }, given);
  };
}

function addressOf({ url, headers }: FetchRequest, trustProxy: boolean) {
  const { protocol, host } = new URL(url);
  // Some servers make the URL up from their own address.
  const own = { secure: protocol === "https:", host: fetchHeader(headers, "host") ?? host };
  return addressed(own, (name) => fetchHeader(headers, name), trustProxy);
}
