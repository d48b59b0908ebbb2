import type { IncomingMessage, ServerResponse } from "node:http";
import { type CSRFGuardOptions, createGuard } from "../http/csrf-guard.ts";
import { addressed } from "../http/forwarded.ts";
import { nodeExchange, nodeHeader, nodeHost } from "../http/node-exchange.ts";
import type { RequestSession } from "../http/request-session.ts";
import { requestSessions, type SignedSessionsOptions, signerOf } from "../http/request-sessions.ts";
import type { Sessions } from "../sessions/sessions.ts";

/** What this adapter uses of Express's requests (Express 4 and 5). */
export type ExpressRequest = IncomingMessage & {
  readonly secure: boolean;
  readonly body?: unknown;
  readonly app: object;
  readonly res?: ServerResponse | undefined;
};

/** Express middleware that gives `req.session`. */
export interface ExpressSessions<Data extends object, Reference extends string> {
  (req: ExpressRequest, res: ServerResponse, next: (error?: unknown) => void): void;
  /** The session of a request, typed, with and without the middleware; the same one each time. */
  createSession(req: ExpressRequest): RequestSession<Data, Reference>;
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
  const sessionOf = requestSessions("expressSessions", sessions, options, ["keys"]);
  const signer = signerOf(options);

  function createSession(req: ExpressRequest): RequestSession<Data, Reference> {
    // Express itself gives each request its response.
    return sessionOf(req, () => nodeExchange(req, req.res as ServerResponse, req), signer);
  }

  function middleware(req: ExpressRequest, _res: ServerResponse, next: () => void): void {
    Object.assign(req, { session: createSession(req) });
    next();
  }

  return Object.assign(middleware, { createSession });
}

/**
 * Express middleware that refuses requests that change something and come from a page of another
 * origin, with ERR_CSRF (403). Put it before the routes; where tokens come by a bearer header,
 * after `expressSessions`.
 *
 * @throws SessionError ERR_SESSION_CONFIG for an unknown option or an origin that is none.
 */
export function csrfGuard(options: CSRFGuardOptions = {}) {
  const guard = createGuard(options);
  return (req: ExpressRequest, _res: ServerResponse, next: () => void): void => {
    const header = (name: string) => nodeHeader(req, name);
    const { method = "", secure } = req;
    const { host } = addressed({ secure, host: nodeHost(req) }, header, trustsProxy(req));
    guard({ request: req, method, host, secure, header });
    next();
  };
}

/** Whether "trust proxy" covers whoever has sent the request. (`req.host` has no port in Express 4.) */
function trustsProxy({ app, socket }: ExpressRequest): boolean {
  const { get } = app as { get(setting: string): (address?: string, hop?: number) => boolean };
  return get.call(app, "trust proxy fn")(socket.remoteAddress, 0);
}
