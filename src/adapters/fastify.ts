import type { IncomingMessage, ServerResponse } from "node:http";
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
  bindResponse,
  NodeExchange,
  readHeader,
  readHost,
  readNodeRequest,
} from "../http/exchange/node-exchange.ts";
import {
  createRequirement,
  FoundSessions,
  type RequireSessionOptions,
  type SignedInSession,
} from "../http/require-session.ts";
import { defineSession } from "../http/session/refusing.ts";
import type { RequestSession } from "../http/session/request-session.ts";
import { registerForTests } from "../http/test-cookie.ts";
import type { Sessions } from "../sessions/create-sessions.ts";
import type { FieldOf } from "../sessions/types.ts";

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
  /** Sets the status. */
  code(status: number): unknown;
  /** Sets headers. */
  headers(headers: Record<string, string>): unknown;
  /** Sends the body. */
  send(body: string): unknown;
}

/** What this adapter uses of a Fastify instance. */
export interface FastifyInstance {
  /** Gives each request this property. */
  decorateRequest(name: string, value: null): unknown;
  /** Whether requests have a property of this name. */
  hasRequestDecorator(name: string): boolean;
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
  /**
   * The session of a request, typed; the same one each time.
   *
   * @param reply for routes without the plugin. Where it is left out there, the session reads and ends,
   * and a call that would set a cookie is ERR_COOKIE.
   */
  of(request: FastifyRequest, reply?: Pick<FastifyReply, "raw">): RequestSession<Data, Reference>;
  /**
   * A hook (preHandler, onRequest) for routes that are for signed-in users: where the session has no
   * value of this field, it answers 401, or sends pages to `redirect`. After it, its own
   * `of(request)` gives the session that it has found.
   */
  requireSession<Field extends Reference & FieldOf<Data>>(
    field: Field,
    options?: RequireSessionOptions,
  ): FastifyRequirement<SignedInSession<Data, Field>>;
}

/** A Fastify hook that lets in whoever is signed in. */
export interface FastifyRequirement<Found> {
  (request: FastifyRequest, reply: FastifyReply): Promise<unknown>;
  /** The session that it has found. */
  of(request: FastifyRequest): Found;
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
  const given = readAdapterOptions("fastifySessions", options, OPTIONS);
  const signer = parseSigner(given);
  const getRequestSession = bindSessions("fastifySessions", sessions, given, OPTIONS);

  function getSession(request: FastifyRequest, reply?: Pick<FastifyReply, "raw">) {
    const raw = readRaw(request);
    bindResponse(raw, Object(reply).raw);
    return getRequestSession(raw, () => new NodeExchange(raw, createView(request)), signer);
  }

  const plugin = createPlugin("session-sets", (fastify) => {
    // Other sessions, or other carriers of the same ones, may be there already.
    if (!fastify.hasRequestDecorator("session")) fastify.decorateRequest("session", null);
    fastify.addHook("onRequest", (request, reply, done) => {
      defineSession(request, "request.session", getSession(request, reply));
      done();
    });
  });

  function requireSession<Field extends Reference & FieldOf<Data>>(
    field: Field,
    options?: RequireSessionOptions,
  ): FastifyRequirement<SignedInSession<Data, Field>> {
    const ask = createRequirement<Data, Field>(sessions, field, options);
    const found = new FoundSessions<SignedInSession<Data, Field>>();
    async function requirement(request: FastifyRequest, reply: FastifyReply): Promise<unknown> {
      const raw = readRaw(request);
      readShown(
        TAKES,
        () => reply,
        (one) => [one.code, one.headers, one.send].every(isFunction),
      );
      const header = (name: string) => readHeader(raw, name);
      const { session, refusal } = await ask(getSession(request, reply), { header });
      if (session) found.put(raw, session);
      if (!refusal) return undefined;
      reply.code(refusal.status);
      reply.headers(refusal.headers);
      return reply.send(refusal.body);
    }
    return Object.assign(requirement, {
      of: (request: FastifyRequest) => found.get(() => request.raw),
    });
  }

  const adapter = Object.assign(plugin, { of: getSession, requireSession });
  return registerForTests(adapter, getRequestSession.adapterCookie, signer);
}

/**
 * A Fastify plugin that refuses requests that change something and come from a page of another
 * origin, with ERR_CSRF (403). Where tokens come by a bearer header, register it after
 * `fastifySessions`.
 *
 * @throws SessionError ERR_SESSION_CONFIG for an unknown option or an origin that is none.
 */
export function csrfGuard<Request extends FastifyRequest = FastifyRequest>(
  options: CSRFGuardOptions<Request> = {},
): FastifyPlugin {
  const guard = createGuard(options);
  return createPlugin("session-sets-csrf-guard", (fastify) => {
    fastify.addHook("onRequest", (request, _reply, done) => {
      const { raw, method } = request;
      const { secure } = createView(request);
      const header = (name: string) => readHeader(raw, name);
      const host = readAddressedHost(request);
      const asked = { request: raw, method, host, secure, proxySetting: PROXY_SETTING, header };
      guard(asked, request as Request);
      done();
    });
  });
}

const OPTIONS = listAddedOptions<SignedSessionsOptions<never>>({ keys: true });
const PROXY_SETTING = "Fastify's option trustProxy";

/** HTTP/2 names the host in `:authority`, which Fastify asks for after `host`; a proxy's comes before. */
function readAddressedHost({ raw, host }: FastifyRequest): string {
  return host === raw.headers.host ? readHost(raw) : host;
}

const TAKES = "of and requireSession take Fastify's request and reply: of(request, reply)";

function readRaw(request: FastifyRequest): IncomingMessage {
  return readNodeRequest(TAKES, () => request.raw);
}

function isFunction(one: unknown): boolean {
  return typeof one === "function";
}

function createView(request: FastifyRequest) {
  return {
    proxySetting: PROXY_SETTING,
    get secure() {
      return request.protocol === "https";
    },
    get body() {
      return request.body;
    },
  };
}

/** A plugin of the scope that it is registered in, not of one of its own, as fastify-plugin makes them. */
function createPlugin(name: string, set: (fastify: FastifyInstance) => void): FastifyPlugin {
  const plugin: FastifyPlugin = (fastify, _options, done) => {
    set(
      readShown(
        `${name} is a plugin of Fastify: app.register(plugin)`,
        () => fastify,
        (one) => isFunction(one.addHook),
      ),
    );
    done();
  };
  return Object.assign(plugin, {
    [Symbol.for("skip-override")]: true,
    [Symbol.for("fastify.display-name")]: name,
    [Symbol.for("plugin-meta")]: { name, fastify: "5.x" },
  });
}
