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
import {
  deriveAddress,
  parseTrustProxy,
  TRUST_PROXY_OPTIONS,
  TRUST_PROXY_SETTING,
  type TrustProxyOption,
} from "../http/exchange/request-origin.ts";
import {
  createRequirement,
  type RequireSessionOptions,
  type SignedInSession,
} from "../http/require-session.ts";
import type { RequestSession } from "../http/session/request-session.ts";
import { registerForTests } from "../http/test-cookie.ts";
import type { Sessions } from "../sessions/create-sessions.ts";
import type { FieldOf } from "../sessions/types.ts";

/** Returns the session of a request, the same object each time. */
export interface NodeSessions<Data extends object, Reference extends string> {
  /**
   * @param res left out if there is none, as for a WebSocket upgrade. Then the session can be read and
   * ended, and calls that would set a cookie reject with ERR_COOKIE.
   */
  (
    req: IncomingMessage & { readonly body?: unknown },
    res?: ServerResponse,
  ): RequestSession<Data, Reference>;
  /** The same function, under the name that it has in every adapter. */
  of(
    req: IncomingMessage & { readonly body?: unknown },
    res?: ServerResponse,
  ): RequestSession<Data, Reference>;
  /**
   * Makes a function that resolves to the session of a signed-in user. If the session has no value of this
   * field, the function answers 401, or sends pages to `redirect`, and resolves to null.
   */
  requireSession<Field extends Reference & FieldOf<Data>>(
    field: Field,
    options?: RequireSessionOptions,
  ): (req: IncomingMessage, res: ServerResponse) => Promise<SignedInSession<Data, Field> | null>;
}

/**
 * Sessions for node:http without a framework: `const session = sessionOf(req, res)`, where
 * `const sessionOf = nodeSessions(sessions)`.
 *
 * @throws SessionError ERR_SESSION_CONFIG for an option that is unknown or cannot work.
 */
export function nodeSessions<Data extends object, Reference extends string>(
  sessions: Sessions<Data, Reference>,
  options: SignedSessionsOptions<Data> & TrustProxyOption = {},
): NodeSessions<Data, Reference> {
  const given = readAdapterOptions("nodeSessions", options, OPTIONS);
  const signer = parseSigner(given);
  const trustProxy = parseTrustProxy(given);
  const getRequestSession = bindSessions("nodeSessions", sessions, given, OPTIONS);

  function getSession(given: IncomingMessage & { readonly body?: unknown }, res?: ServerResponse) {
    const req = readNodeRequest(
      "The function of nodeSessions takes a request and its response: sessionOf(req, res)",
      () => given,
    );
    bindResponse(req, res);
    return getRequestSession(req, new PlainNodeExchange(req, trustProxy), signer);
  }

  function requireSession<Field extends Reference & FieldOf<Data>>(
    field: Field,
    requirement?: RequireSessionOptions,
  ) {
    const ask = createRequirement<Data, Field>(sessions, field, requirement);
    return async (
      given: IncomingMessage,
      response: ServerResponse,
    ): Promise<SignedInSession<Data, Field> | null> => {
      const takes =
        "The function of requireSession takes a request and its response: await signedIn(req, res)";
      const req = readNodeRequest(takes, () => given);
      const res = readNodeResponse(takes, () => response);
      const header = (name: string) => readHeader(req, name);
      const found = await ask(getSession(req, res), { header });
      if (found.refusal) {
        res.writeHead(found.refusal.status, found.refusal.headers).end(found.refusal.body);
      }
      return found.session;
    };
  }

  const adapter = Object.assign(getSession, { of: getSession, requireSession });
  return registerForTests(adapter, getRequestSession.adapterCookie, signer);
}

const OPTIONS = listAddedOptions<SignedSessionsOptions<never> & TrustProxyOption>({
  keys: true,
  trustProxy: true,
});

/**
 * Makes a function that throws ERR_CSRF (403) for a request that changes something and comes from a page
 * of another origin. Call it before anything else, but if tokens come in a bearer header, after the
 * function of the session.
 *
 * @throws SessionError ERR_SESSION_CONFIG for an unknown option or an invalid origin.
 */
export function csrfGuard(options: CSRFGuardOptions<IncomingMessage> & TrustProxyOption = {}) {
  const guard = createGuard(options, TRUST_PROXY_OPTIONS);
  const trustProxy = parseTrustProxy(options);
  return (given: IncomingMessage): void => {
    const req = readNodeRequest(
      "The function of csrfGuard takes a request: guard(req)",
      () => given,
    );
    const { method = "" } = req;
    const header = (name: string) => readHeader(req, name);
    const address = readAddress(req, { trustProxy });
    guard({ request: req, method, ...address, proxySetting: TRUST_PROXY_SETTING, header }, req);
  };
}

class PlainNodeExchange extends NodeExchange {
  readonly #req: IncomingMessage & { readonly body?: unknown };
  readonly #trustProxy: boolean;

  constructor(req: IncomingMessage, trustProxy: boolean) {
    super(req);
    this.#req = req;
    this.#trustProxy = trustProxy;
  }

  get secure(): boolean {
    return readAddress(this.#req, { trustProxy: this.#trustProxy }).secure;
  }

  get body(): unknown {
    return this.#req.body;
  }

  get proxySetting(): string {
    return TRUST_PROXY_SETTING;
  }
}

function readAddress(req: IncomingMessage, trust: { readonly trustProxy: boolean }) {
  const header = (name: string) => readHeader(req, name);
  return deriveAddress({ secure: isEncrypted(req), host: readHost(req) }, header, trust);
}
