import {
  bindSessions,
  listAddedOptions,
  parseSigner,
  readAdapterOptions,
  type SignedSessionsOptions,
} from "../http/bind.ts";
import { type CSRFGuardOptions, createGuard } from "../http/csrf-guard.ts";
import { readShown } from "../http/exchange/exchange.ts";
import {
  FetchExchange,
  isFetchRequest,
  PartsExchange,
  type RequestParts,
  readFetchHeader,
} from "../http/exchange/fetch-exchange.ts";
import type { FetchRequest, PlatformResponse } from "../http/exchange/fetch-types.ts";
import {
  deriveAddress,
  parseTrustProxy,
  TRUST_PROXY_OPTIONS,
  type TrustProxyOption,
} from "../http/exchange/request-origin.ts";
import {
  createRequirement,
  type Refusal,
  type RequireSessionOptions,
  type SignedInSession,
} from "../http/require-session.ts";
import type { RequestSession } from "../http/session/request-session.ts";
import { registerForTests } from "../http/test-cookie.ts";
import type { Sessions } from "../sessions/create-sessions.ts";
import type { FieldOf } from "../sessions/types.ts";

/** How Requests (WHATWG Fetch) get their sessions. */
export type FetchSessionsOptions<Data> = SignedSessionsOptions<Data> & TrustProxyOption;

const OPTIONS = listAddedOptions<FetchSessionsOptions<never>>({ keys: true, trustProxy: true });
const PROXY_SETTING = "trustProxy: true";

/** The sessions of Requests, and the exchanges by which their cookies get onto the responses. */
export class RequestedSessions<Data extends object, Reference extends string> {
  readonly #getRequestSession: ReturnType<typeof bindSessions<Data, Reference>>;
  readonly #signer: ReturnType<typeof parseSigner>;
  readonly #trustProxy: boolean;
  readonly #sessions: object;

  constructor(
    what: string,
    sessions: Sessions<Data, Reference>,
    options: FetchSessionsOptions<Data>,
  ) {
    this.#sessions = sessions;
    const given = readAdapterOptions(what, options, OPTIONS);
    this.#signer = parseSigner(given);
    this.#trustProxy = parseTrustProxy(given);
    this.#getRequestSession = bindSessions(what, sessions, given, OPTIONS);
  }

  /** The session of a Request; `owner` stands for it from its beginning to its end. */
  getSession(request: FetchRequest, owner: object = request): RequestSession<Data, Reference> {
    const exchange = this.getExchange(request, owner);
    return this.#getRequestSession(
      findOwner(owner, request, request.headers),
      () => exchange,
      this.#signer,
    );
  }

  /** The same, where a framework may show but parts of a request. */
  getSessionOfShown(
    takes: string,
    request: FetchRequest | RequestParts,
  ): RequestSession<Data, Reference> {
    const parts = readShown(
      takes,
      () => request,
      ({ headers }) => typeof headers.get === "function",
    );
    return "url" in parts
      ? this.getSession(readRequest(takes, () => parts))
      : this.#getSessionOfParts(parts);
  }

  #getSessionOfParts(parts: RequestParts): RequestSession<Data, Reference> {
    const owner = findOwner(parts.headers);
    const exchange = () => {
      const header = (name: string) => readFetchHeader(parts.headers, name);
      const own = { secure: false, host: header("host") ?? "" };
      const { secure } = deriveAddress(own, header, this.#trustProxy);
      return new PartsExchange(parts, secure, () => exchanges.get(owner));
    };
    PartsExchange.update(parts);
    return this.#getRequestSession(owner, exchange, this.#signer);
  }

  /** One for all sessions of a Request: their cookies go out together. */
  getExchange(request: FetchRequest, owner: object): FetchExchange {
    const one = findOwner(owner, request, request.headers);
    const exchange =
      exchanges.get(one) ??
      new FetchExchange(
        request.headers,
        readAddress(request, this.#trustProxy).secure,
        request.method,
      );
    exchanges.set(one, exchange);
    return exchange;
  }

  /** Makes the adapter of these sessions one that `createSessionCookie` takes. */
  registerForTests<Adapter extends object>(adapter: Adapter): Adapter {
    return registerForTests(adapter, this.#getRequestSession.adapterCookie, this.#signer);
  }

  /** Asks for the session of a signed-in user. */
  createRequirement<Field extends FieldOf<Data>>(field: Field, options?: RequireSessionOptions) {
    const ask = createRequirement<Data, Field>(this.#sessions, field, options);
    return (
      request: FetchRequest,
      owner: object = request,
    ): Promise<
      | { readonly session: SignedInSession<Data, Field>; readonly refusal: null }
      | { readonly session: null; readonly refusal: Refusal }
    > => {
      const header = (name: string) => readFetchHeader(request.headers, name);
      const session = this.getSession(request, owner) as unknown as RequestSession<Data>;
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
function findOwner(...shown: readonly [object, ...object[]]): object {
  const known = shown.find((one) => owners.has(one));
  const owner = (known && owners.get(known)) ?? shown[0];
  for (const one of shown) if (!owners.has(one)) owners.set(one, owner);
  return owner;
}

/** @throws SessionError ERR_SESSION_CONFIG for what is no Request. */
export function readRequest(takes: string, read: () => FetchRequest): FetchRequest {
  return readShown(takes, read, isFetchRequest);
}

/** The answer to a request of nobody, as a Response. */
export function toResponse({ status, headers, body }: Refusal): PlatformResponse {
  return new Response(body, { status, headers }) as PlatformResponse;
}

/** The guard of Requests; `owner` as above. */
export function createFetchGuard<Given>(
  options: CSRFGuardOptions<Given> & TrustProxyOption,
): (request: FetchRequest, owner: object, given: Given) => void {
  const guard = createGuard(options, TRUST_PROXY_OPTIONS);
  const trustProxy = parseTrustProxy(options);
  return (request, owner, given) => {
    const header = (name: string) => readFetchHeader(request.headers, name);
    const { method } = request;
    const address = readAddress(request, trustProxy);
    const one = findOwner(owner, request, request.headers);
    guard({ request: one, method, ...address, proxySetting: PROXY_SETTING, header }, given);
  };
}

function readAddress({ url, headers }: FetchRequest, trustProxy: boolean) {
  const { protocol, host } = new URL(url);
  // Some servers make the URL up from their own address.
  const own = { secure: protocol === "https:", host: readFetchHeader(headers, "host") ?? host };
  return deriveAddress(own, (name) => readFetchHeader(headers, name), trustProxy);
}
