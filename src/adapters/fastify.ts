import type { IncomingMessage, ServerResponse } from "node:http";
import { type CSRFGuardOptions, createGuard } from "../http/csrf-guard.ts";
import { nodeExchange, nodeHeader } from "../http/node-exchange.ts";
import type { RequestSession } from "../http/request-session.ts";
import { requestSessions, type SignedSessionsOptions, signerOf } from "../http/request-sessions.ts";
import type { Sessions } from "../sessions/sessions.ts";

/** What this adapter uses of Fastify's requests (Fastify 5). */
export interface FastifyRequest {
  readonly raw: IncomingMessage;
  readonly method: string;
  readonly host: string;
  readonly protocol: string;
  readonly body?: unknown;
}

/** What this adapter uses of Fastify's replies. */
export interface FastifyReply {
  readonly raw: ServerResponse;
}

/** What this adapter uses of a Fastify instance. */
export interface FastifyInstance {
  /** Gives each request this property. */
  decorateRequest(name: string, value: null): unknown;
  /** Calls a function for each request of the instance's scope. */
  addHook(
    name: "onRequest",
    hook: (request: FastifyRequest, reply: FastifyReply, done: () => void) => void,
  ): unknown;
}

/** A Fastify plugin, for the instance that it is registered with and all those below. */
export type FastifyPlugin = (
  fastify: FastifyInstance,
  options: unknown,
  done: (error?: Error) => void,
) => void;

/** The plugin that gives `request.session`. */
export interface FastifySessions<Data extends object, Reference extends string>
  extends FastifyPlugin {
  /** The session of a request, typed, with and without the plugin; the same one each time. */
  createSession(request: FastifyRequest, reply: FastifyReply): RequestSession<Data, Reference>;
}

/**
 * Sessions for Fastify: `app.register(fastifySessions(sessions))` gives each request its
 * `request.session`, from the hook onRequest on, in the scope that it is registered in.
 *
 * @throws SessionError ERR_SESSION_CONFIG for an option that is unknown or cannot work.
 */
export function fastifySessions<Data extends object, Reference extends string>(
  sessions: Sessions<Data, Reference>,
  options: SignedSessionsOptions<Data> = {},
): FastifySessions<Data, Reference> {
  const sessionOf = requestSessions("fastifySessions", sessions, options, ["keys"]);
  const signer = signerOf(options);

  function createSession(request: FastifyRequest, reply: FastifyReply) {
    const exchange = () => nodeExchange(request.raw, reply.raw, viewOf(request));
    return sessionOf(request.raw, exchange, signer);
  }

  const plugin = pluginOf("session-sets", (fastify) => {
    fastify.decorateRequest("session", null);
    fastify.addHook("onRequest", (request, reply, done) => {
      Object.assign(request, { session: createSession(request, reply) });
      done();
    });
  });
  return Object.assign(plugin, { createSession });
}

/**
 * A Fastify plugin that refuses requests that change something and come from a page of another
 * origin, with ERR_CSRF (403). Where tokens come by a bearer header, register it after
 * `fastifySessions`.
 *
 * @throws SessionError ERR_SESSION_CONFIG for an unknown option or an origin that is none.
 */
export function csrfGuard(options: CSRFGuardOptions = {}): FastifyPlugin {
  const guard = createGuard(options);
  return pluginOf("session-sets-csrf-guard", (fastify) => {
    fastify.addHook("onRequest", (request, _reply, done) => {
      const { raw, method, host } = request;
      const { secure } = viewOf(request);
      guard({ request: raw, method, host, secure, header: (name) => nodeHeader(raw, name) });
      done();
    });
  });
}

function viewOf(request: FastifyRequest) {
  return {
    get secure() {
      return request.protocol === "https";
    },
    get body() {
      return request.body;
    },
  };
}

/** A plugin of the scope that it is registered in, not of one of its own, as fastify-plugin makes them. */
function pluginOf(name: string, set: (fastify: FastifyInstance) => void): FastifyPlugin {
  const plugin: FastifyPlugin = (fastify, _options, done) => {
    set(fastify);
    done();
  };
  return Object.assign(plugin, {
    [Symbol.for("skip-override")]: true,
    [Symbol.for("fastify.display-name")]: name,
    [Symbol.for("plugin-meta")]: { name, fastify: "5.x" },
  });
}
