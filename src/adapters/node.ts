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

/** The session of a request; the same one each time. */
export interface NodeSessions<Data extends object, Reference extends string> {
  /**
   * @param res left out where there is none, as of an upgrade to a WebSocket: the session reads and
   * ends then, and what would set a cookie is ERR_COOKIE.
   */
  (
    req: IncomingMessage & { readonly body?: unknown },
    res?: ServerResponse,
  ): RequestSession<Data, Reference>;
  /** The same by the name that every adapter has for it. */
  of(
    req: IncomingMessage & { readonly body?: unknown },
    res?: ServerResponse,
  ): RequestSession<Data, Reference>;
  /**
   * A function that gives the session of a signed-in user; where it has no value of this field, it
   * answers 401, or sends pages to `redirect`, and resolves to null.
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
      "The function that nodeSessions makes takes a request and its response: sessionOf(req, res)",
      () => given,
    );
    const { secure } = readAddress(req, trustProxy);
    const view = {
      secure,
      proxySetting: PROXY_SETTING,
      get body() {
        return req.body;
      },
    };
    bindResponse(req, res);
    return getRequestSession(req, () => new NodeExchange(req, view), signer);
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
        "What requireSession makes takes a request and its response: await signedIn(req, res)";
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
const PROXY_SETTING = "trustProxy: true";

/**
 * A function that throws ERR_CSRF (403) for a request that changes something and comes from a page
 * of another origin. Call it before anything else; where tokens come by a bearer header, after the
 * session's function.
 *
 * @throws SessionError ERR_SESSION_CONFIG for an unknown option or an origin that is none.
 */
export function csrfGuard(options: CSRFGuardOptions<IncomingMessage> & TrustProxyOption = {}) {
  const guard = createGuard(options, TRUST_PROXY_OPTIONS);
  const trustProxy = parseTrustProxy(options);
  return (given: IncomingMessage): void => {
    const req = readNodeRequest("What csrfGuard makes takes a request: guard(req)", () => given);
    const { method = "" } = req;
    const header = (name: string) => readHeader(req, name);
    const address = readAddress(req, trustProxy);
    guard({ request: req, method, ...address, proxySetting: PROXY_SETTING, header }, req);
  };
}

function readAddress(req: IncomingMessage, trustProxy: boolean) {
  const header = (name: string) => readHeader(req, name);
  return deriveAddress({ secure: isEncrypted(req), host: readHost(req) }, header, trustProxy);
}
