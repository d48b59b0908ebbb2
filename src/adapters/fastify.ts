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
import type { RequestSession } from "../http/session/request-session.ts";
import { createSessionProperty } from "../http/session/unassignable.ts";
import { registerForTests } from "../http/test-cookie.ts";
import type { Sessions } from "../sessions/create-sessions.ts";
import type { FieldOf } from "../sessions/types.ts";
import { readSafely } from "../shared/given.ts";

/** The parts of Fastify's requests that this adapter uses (Fastify 5). */
export interface FastifyRequest {
  readonly raw: IncomingMessage;
  readonly method: string;
  readonly host: string;
  readonly protocol: string;
  readonly body?: unknown;
}

/** The parts of Fastify's replies that this adapter uses. */
export interface FastifyReply {
  readonly raw: ServerResponse;
  /** Sets the status. */
  code(status: number): unknown;
  /** Sets headers. */
  headers(headers: Record<string, string>): unknown;
  /** Sends the body. */
  send(body: string): unknown;
}

/** The parts of a Fastify instance that this adapter uses. */
export interface FastifyInstance {
  /** Adds a property to each request. */
  decorateRequest(name: string, value: null): unknown;
  /** Whether requests have a property of this name. */
  hasRequestDecorator(name: string): boolean;
  /** Calls a function for each request in the scope of the instance. */
  addHook(
    name: "onRequest",
    hook: (request: FastifyRequest, reply: FastifyReply, done: () => void) => void,
  ): unknown;
}

/** A Fastify plugin, for the instance that it is registered with, and the instances below. */
export type FastifyPlugin = (
  fastify: FastifyInstance,
  options: unknown,
  done: (error?: Error) => void,
) => void;

/** The plugin that gives `request.session`. */
export interface FastifySessions<Data extends object, Reference extends string>
  extends FastifyPlugin {
  /**
   * The session of a request, typed. Each call returns the same object.
   *
   * @param reply for routes without the plugin. If it is left out there, the session can be read and ended,
   * and calls that would set a cookie reject with ERR_COOKIE.
   */
  of(request: FastifyRequest, reply?: Pick<FastifyReply, "raw">): RequestSession<Data, Reference>;
  /**
   * Makes a hook (preHandler, onRequest) for routes that need a signed-in user. If the session has no
   * value of this field, the hook answers 401, or sends pages to `redirect`. After it, its own
   * `of(request)` returns the session that it found.
   */
  requireSession<Field extends Reference & FieldOf<Data>>(
    field: Field,
    options?: RequireSessionOptions,
  ): FastifyRequirement<SignedInSession<Data, Field>>;
}

/** A Fastify hook that lets signed-in users in. */
export interface FastifyRequirement<Found> {
  (request: FastifyRequest, reply: FastifyReply): Promise<unknown>;
  /** The session that it found. */
  of(request: FastifyRequest): Found;
}

/**
 * Sessions for Fastify: `app.register(fastifySessions(sessions))` gives each request its
 * `request.session`, from the onRequest hook on, in the scope in which it is registered.
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
    const response = readSafely("ERR_SESSION_CONFIG", "The reply", () => Object(reply).raw);
    bindResponse(raw, response);
    return getRequestSession(raw, new FastifyExchange(raw, request), signer);
  }

  const plugin = createPlugin("session-sets", (fastify) => {
    // Another plugin of this library may have added the property, for other sessions or other carriers.
    if (!fastify.hasRequestDecorator("session")) fastify.decorateRequest("session", null);
    fastify.addHook("onRequest", (request, reply, done) => {
      defineSession(request, getSession(request, reply));
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
 * origin, with ERR_CSRF (403). If tokens come in a bearer header, register it after
 * `fastifySessions`.
 *
 * @throws SessionError ERR_SESSION_CONFIG for an unknown option or an invalid origin.
 */
export function csrfGuard<Request extends FastifyRequest = FastifyRequest>(
  options: CSRFGuardOptions<Request> = {},
): FastifyPlugin {
  const guard = createGuard(options);
  return createPlugin("session-sets-csrf-guard", (fastify) => {
    fastify.addHook("onRequest", (request, _reply, done) => {
      const { raw, method } = request;
      const secure = isSecure(request);
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
const defineSession = createSessionProperty("request.session");

/** HTTP/2 names the host in `:authority`. Fastify prefers `host`, and to that a trusted proxy's header. */
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

class FastifyExchange extends NodeExchange {
  readonly #request: FastifyRequest;

  constructor(raw: IncomingMessage, request: FastifyRequest) {
    super(raw);
    this.#request = request;
  }

  get secure(): boolean {
    return isSecure(this.#request);
  }

  get body(): unknown {
    return this.#request.body;
  }

  get proxySetting(): string {
    return PROXY_SETTING;
  }
}

function isSecure(request: FastifyRequest): boolean {
  return request.protocol === "https";
}

/** Makes a plugin that works in the scope in which it is registered, as fastify-plugin does. */
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
