import type { IncomingMessage, ServerResponse } from "node:http";
import { type CSRFGuardOptions, createGuard } from "../http/csrf-guard.ts";
import { addressed, type TrustProxyOption, trustsProxy } from "../http/forwarded.ts";
import { nodeExchange, nodeHeader, nodeHost } from "../http/node-exchange.ts";
import type { RequestSession } from "../http/request-session.ts";
import { requestSessions, type SignedSessionsOptions, signerOf } from "../http/request-sessions.ts";
import type { Sessions } from "../sessions/sessions.ts";

/** The session of a request; the same one each time. */
export type NodeSessions<Data extends object, Reference extends string> = (
  req: IncomingMessage & { readonly body?: unknown },
  res: ServerResponse,
) => RequestSession<Data, Reference>;

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
  const sessionOf = requestSessions("nodeSessions", sessions, options, ["keys", "trustProxy"]);
  const signer = signerOf(options);
  const trustProxy = trustsProxy(options);
  return (req, res) => {
    const { secure } = addressOf(req, trustProxy);
    const view = {
      secure,
      get body() {
        return req.body;
      },
    };
    return sessionOf(req, () => nodeExchange(req, res, view), signer);
  };
}

/**
 * A function that throws ERR_CSRF (403) for a request that changes something and comes from a page
 * of another origin. Call it before anything else; where tokens come by a bearer header, after the
 * session's function.
 *
 * @throws SessionError ERR_SESSION_CONFIG for an unknown option or an origin that is none.
 */
export function csrfGuard(options: CSRFGuardOptions & TrustProxyOption = {}) {
  const guard = createGuard(options, ["trustProxy"]);
  const trustProxy = trustsProxy(options);
  return (req: IncomingMessage): void => {
    const { method = "" } = req;
    const header = (name: string) => nodeHeader(req, name);
    guard({ request: req, method, ...addressOf(req, trustProxy), header });
  };
}

function addressOf(req: IncomingMessage, trustProxy: boolean) {
  const header = (name: string) => nodeHeader(req, name);
  const secure = "encrypted" in req.socket && req.socket.encrypted === true;
  return addressed({ secure, host: nodeHost(req) }, header, trustProxy);
}
