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
  readAddress,
  readFetchHeader,
} from "../http/exchange/fetch-exchange.ts";
import type { FetchRequest, PlatformResponse } from "../http/exchange/fetch-types.ts";
import {
  deriveAddress,
  parseTrustProxy,
  TRUST_PROXY_OPTIONS,
  TRUST_PROXY_SETTING,
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
import { Note } from "../shared/note.ts";

/** How Requests (WHATWG Fetch) bring and get their session tokens. */
export type FetchSessionsOptions<Data> = SignedSessionsOptions<Data> & TrustProxyOption;

const OPTIONS = listAddedOptions<FetchSessionsOptions<never>>({ keys: true, trustProxy: true });

/** The sessions of Requests, and the exchanges that put their cookies on the responses. */
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

  /** The session of a Request. `own` is the framework's object of the request. */
  getSession(request: FetchRequest, own: object = request): RequestSession<Data, Reference> {
    const owner = findOwner(own, request, request.headers);
    return this.#getRequestSession(owner, this.#getExchange(owner, request), this.#signer);
  }

  /** The session of a Request, or of the parts that a framework shows of one. */
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
    const header = (name: string) => readFetchHeader(parts.headers, name);
    const own = { secure: false, host: header("host") ?? "" };
    const { secure } = deriveAddress(own, header, { trustProxy: this.#trustProxy });
    const exchange = new PartsExchange(parts, { secure, findRequest: () => owner.exchange });
    PartsExchange.update(parts);
    return this.#getRequestSession(owner, exchange, this.#signer);
  }

  /** All sessions of a Request share one exchange, so that their cookies go out together. */
  getExchange(request: FetchRequest, own: object): FetchExchange {
    return this.#getExchange(findOwner(own, request, request.headers), request);
  }

  #getExchange(owner: RequestOwner, request: FetchRequest): FetchExchange {
    owner.exchange ??= new FetchExchange(request, this.#trustProxy);
    return owner.exchange;
  }

  /** Registers the adapter of these sessions, so that `createSessionCookie` takes it. */
  registerForTests<Adapter extends object>(adapter: Adapter): Adapter {
    return registerForTests(adapter, this.#getRequestSession.adapterCookie, this.#signer);
  }

  /** Makes a function that requires a signed-in user. */
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

/** What stands for a request from start to end. */
class RequestOwner {
  /** Null if only parts of the request are known. */
  exchange: FetchExchange | null = null;
}

const owners = new Note<RequestOwner>();

/**
 * Finds what stands for a request by any of the objects that belong to it: the framework's own, the Request
 * and its headers. If one Request replaces another, the framework's object still leads to it.
 */
function findOwner(own: object, request: object = own, headers: object = own): RequestOwner {
  const owner = owners.get(own) ?? owners.get(request) ?? owners.get(headers) ?? new RequestOwner();
  for (const one of [own, request, headers]) if (!owners.get(one)) owners.set(one, owner);
  return owner;
}

/** @throws SessionError ERR_SESSION_CONFIG if it isn't a Request. */
export function readRequest(takes: string, read: () => FetchRequest): FetchRequest {
  return readShown(takes, read, isFetchRequest);
}

/** The answer to a request without a signed-in user, as a Response. */
export function toResponse({ status, headers, body }: Refusal): PlatformResponse {
  return new Response(body, { status, headers }) as PlatformResponse;
}

/** Makes the guard of Requests. `owner` is the object that stands for the request from start to end. */
export function createFetchGuard<Given>(
  options: CSRFGuardOptions<Given> & TrustProxyOption,
): (request: FetchRequest, owner: object, given: Given) => void {
  const guard = createGuard(options, TRUST_PROXY_OPTIONS);
  const trustProxy = parseTrustProxy(options);
  return (request, owner, given) => {
    const header = (name: string) => readFetchHeader(request.headers, name);
    const { method } = request;
    const address = readAddress(request, { trustProxy });
    const one = findOwner(owner, request, request.headers);
    guard({ request: one, method, ...address, proxySetting: TRUST_PROXY_SETTING, header }, given);
  };
}
