import type { IncomingMessage, ServerResponse } from "node:http";
import {
  bindSessions,
  listAddedOptions,
  parseSigner,
  readAdapterOptions,
  type SignedSessionsOptions,
} from "../http/bind.ts";
import { type CSRFGuardOptions, createGuard } from "../http/csrf-guard.ts";
import {
  bindResponse,
  isEncrypted,
  NodeExchange,
  readHeader,
  readHost,
  readNodeRequest,
  readNodeResponse,
} from "../http/exchange/node-exchange.ts";
import { deriveAddress } from "../http/exchange/request-origin.ts";
import {
  createRequirement,
  FoundSessions,
  type RequireSessionOptions,
  type SignedInSession,
} from "../http/require-session.ts";
import type { RequestSession } from "../http/session/request-session.ts";
import { createSessionProperty } from "../http/session/unassignable.ts";
import { registerForTests } from "../http/test-cookie.ts";
import type { Sessions } from "../sessions/create-sessions.ts";
import type { FieldOf } from "../sessions/types.ts";
import { readSafely } from "../shared/given.ts";

/** The parts of Express's requests that this adapter uses (Express 4 and 5). */
export type ExpressRequest = IncomingMessage & {
  readonly secure: boolean;
  // Express infers the type of a route's own req.body from this: unknown would hide its fields.
  // biome-ignore lint/suspicious/noExplicitAny: it is the type that Express gives a body
  readonly body?: any;
  readonly app: object;
  readonly res?: ServerResponse | undefined;
};

/**
 * A request that Express has not seen, such as a WebSocket upgrade. Its session can be read and ended.
 * Calls that would set a cookie reject with ERR_COOKIE.
 */
export type UpgradeRequest = IncomingMessage;

/** Express middleware that gives `req.session`. */
export interface ExpressSessions<Data extends object, Reference extends string> {
  (
    req: ExpressRequest | UpgradeRequest,
    res: ServerResponse | object,
    next: (error?: unknown) => void,
  ): void;
  /** The session of a request, typed, with or without the middleware. Each call returns the same object. */
  of(req: ExpressRequest | UpgradeRequest): RequestSession<Data, Reference>;
  /**
   * Makes middleware for routes that need a signed-in user. If the session has no value of this field,
   * the middleware answers 401, or sends pages to `redirect`. After it, its own `of(req)` returns the
   * session that it found.
   */
  requireSession<Field extends Reference & FieldOf<Data>>(
    field: Field,
    options?: RequireSessionOptions,
  ): ExpressRequirement<SignedInSession<Data, Field>>;
}

/** Express middleware that lets signed-in users in. */
export interface ExpressRequirement<Found> {
  (req: ExpressRequest, res: ServerResponse, next: (error?: unknown) => void): Promise<void>;
  /** The session that it found. */
  of(req: ExpressRequest): Found;
}

/**
 * Sessions for Express: `app.use(expressSessions(sessions))` gives each request its `req.session`.
 *
 * @throws SessionError ERR_SESSION_CONFIG for an option that is unknown or cannot work.
 */
export function expressSessions<Data extends object, Reference extends string>(
  sessions: Sessions<Data, Reference>,
  options: SignedSessionsOptions<Data> = {},
): ExpressSessions<Data, Reference> {
  const given = readAdapterOptions("expressSessions", options, OPTIONS);
  const signer = parseSigner(given);
  const getRequestSession = bindSessions("expressSessions", sessions, given, OPTIONS);

  function getSession(
    given: ExpressRequest | UpgradeRequest,
    response?: unknown,
  ): RequestSession<Data, Reference> {
    const req = readNodeRequest(TAKES, () => given);
    // Express gives each request its response.
    const res = readSafely("ERR_SESSION_CONFIG", "The request", () => Reflect.get(req, "res"));
    bindResponse(req, response ?? res);
    return getRequestSession(req, new ExpressExchange(req), signer);
  }

  function middleware(
    req: ExpressRequest | UpgradeRequest,
    res: ServerResponse | object,
    next: () => void,
  ): void {
    defineSession(req, getSession(req, res));
    next();
  }

  function requireSession<Field extends Reference & FieldOf<Data>>(
    field: Field,
    options?: RequireSessionOptions,
  ): ExpressRequirement<SignedInSession<Data, Field>> {
    const ask = createRequirement<Data, Field>(sessions, field, options);
    const found = new FoundSessions<SignedInSession<Data, Field>>();
    async function requirement(
      req: ExpressRequest,
      res: ServerResponse,
      next: (error?: unknown) => void,
    ): Promise<void> {
      try {
        const header = (name: string) => readHeader(req, name);
        const answer = readNodeResponse(TAKES, () => res);
        const { session, refusal } = await ask(getSession(req, res), { header });
        if (refusal) {
          answer.writeHead(refusal.status, refusal.headers).end(refusal.body);
          return;
        }
        found.put(req, session);
      } catch (error) {
        next(error); // Express 4 does not wait for promises
        return;
      }
      next();
    }
    return Object.assign(requirement, { of: (req: ExpressRequest) => found.get(() => req) });
  }

  const adapter = Object.assign(middleware, {
    of: (req: ExpressRequest | UpgradeRequest) => getSession(req),
    requireSession,
  });
  return registerForTests(adapter, getRequestSession.adapterCookie, signer);
}

/**
 * Express middleware that refuses requests that change something and come from a page of another
 * origin, with ERR_CSRF (403). Put it before the routes and, if tokens come in a bearer header,
 * after `expressSessions`.
 *
 * @throws SessionError ERR_SESSION_CONFIG for an unknown option or an invalid origin.
 */
export function csrfGuard<Request extends ExpressRequest = ExpressRequest>(
  options: CSRFGuardOptions<Request> = {},
) {
  const guard = createGuard(options);
  return (
    given: ExpressRequest | UpgradeRequest,
    _res: ServerResponse | object,
    next: () => void,
  ): void => {
    const req = readNodeRequest(TAKES, () => given);
    const header = (name: string) => readHeader(req, name);
    const { method = "" } = req;
    const secure = isSecure(req);
    const own = { secure, host: readHost(req) };
    const { host } = deriveAddress(own, header, { trustProxy: trustsProxy(req) });
    guard(
      { request: req, method, host, secure, proxySetting: PROXY_SETTING, header },
      req as Request,
    );
    next();
  };
}

const OPTIONS = listAddedOptions<SignedSessionsOptions<never>>({ keys: true });
const PROXY_SETTING = 'app.set("trust proxy", 1)';
const defineSession = createSessionProperty("req.session");
const TAKES = "The middleware, of and requireSession take Express's request: of(req)";

class ExpressExchange extends NodeExchange {
  readonly #req: ExpressRequest | UpgradeRequest;

  constructor(req: ExpressRequest | UpgradeRequest) {
    super(req);
    this.#req = req;
  }

  get secure(): boolean {
    return isSecure(this.#req);
  }

  get body(): unknown {
    return (this.#req as Partial<ExpressRequest>).body;
  }

  get proxySetting(): string {
    return PROXY_SETTING;
  }
}

/** Whether the connection is secure. Of requests that Express has not seen, the socket tells. */
function isSecure(req: ExpressRequest | UpgradeRequest): boolean {
  const { secure } = req as Partial<ExpressRequest>;
  return secure ?? isEncrypted(req);
}

/** Whether "trust proxy" covers the sender of the request. (`req.host` has no port in Express 4.) */
function trustsProxy(req: ExpressRequest | UpgradeRequest): boolean {
  const { app, get, socket } = readSafely("ERR_SESSION_CONFIG", "The request", () => {
    const { app, socket } = req as Partial<ExpressRequest> & IncomingMessage;
    return { app, get: Object(app).get as unknown, socket };
  });
  if (typeof get !== "function") return false; // Express has not seen it
  const trusts: unknown = Reflect.apply(get, app, ["trust proxy fn"]);
  return typeof trusts === "function" && trusts(socket?.remoteAddress, 0) === true;
}
