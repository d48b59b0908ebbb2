import type { IncomingMessage, ServerResponse } from "node:http";
import {
  areSecrets,
  bindSessions,
  listAddedOptions,
  type RequestSessionsOptions,
  readAdapterOptions,
  type SessionOf,
} from "../http/bind.ts";
import { createSigner, type Signer } from "../http/carriers/signer.ts";
import { type CSRFGuardOptions, createGuard } from "../http/csrf-guard.ts";
import {
  bindResponse,
  NodeExchange,
  readHeader,
  readNodeRequest,
  readNodeResponse,
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
import { createConfigError } from "../shared/errors.ts";
import { readElements, readSafely } from "../shared/given.ts";

/** The parts of Koa's context that this adapter uses (Koa 2 and 3). */
export interface KoaContext {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  // Koa's own request has no body, so a type that names it would refuse every Koa without a body parser.
  readonly request?: object;
  readonly method: string;
  readonly host: string;
  readonly secure: boolean;
  readonly app: { readonly keys?: unknown };
}

/**
 * The property that the middleware adds to `ctx`:
 * `new Koa<Koa.DefaultState, SessionContext<typeof sessions>>()`.
 */
export interface SessionContext<AppSessions> {
  session: SessionOf<AppSessions>;
}

/** How Koa's requests bring and get their session tokens. */
export interface KoaSessionsOptions<Data> extends RequestSessionsOptions<Data> {
  /**
   * Whether to sign the cookies with Koa's `app.keys`. Tokens cannot be guessed, so signing adds little:
   * forged ones are refused without a round trip.
   * @default false
   */
  signed?: boolean;
}

/** Koa middleware that gives `ctx.session`. */
export interface KoaSessions<Data extends object, Reference extends string> {
  (
    ctx: KoaContext & { session?: RequestSession<Data, Reference> },
    next: () => Promise<unknown>,
  ): Promise<void>;
  /** The session of a context, typed, with or without the middleware. Each call returns the same object. */
  of(ctx: KoaContext): RequestSession<Data, Reference>;
  /**
   * Makes middleware for routes that need a signed-in user. If the session has no value of this field,
   * the middleware answers 401, or sends pages to `redirect`. After it, its own `of(ctx)` returns the
   * session that it found.
   */
  requireSession<Field extends Reference & FieldOf<Data>>(
    field: Field,
    options?: RequireSessionOptions,
  ): KoaRequirement<SignedInSession<Data, Field>>;
}

/** Koa middleware that lets signed-in users in. */
export interface KoaRequirement<Found> {
  (ctx: KoaContext, next: () => Promise<unknown>): Promise<void>;
  /** The session that it found. */
  of(ctx: KoaContext): Found;
}

/**
 * Sessions for Koa: `app.use(koaSessions(sessions))` gives each request its `ctx.session`.
 *
 * @throws SessionError ERR_SESSION_CONFIG for an option that is unknown or cannot work.
 */
export function koaSessions<Data extends object, Reference extends string>(
  sessions: Sessions<Data, Reference>,
  options: KoaSessionsOptions<Data> = {},
): KoaSessions<Data, Reference> {
  const given = readAdapterOptions("koaSessions", options, OPTIONS);
  const { signed = false } = given;
  if (typeof signed !== "boolean") {
    throw createConfigError("signed must be true or false", { option: "signed" });
  }
  const getRequestSession = bindSessions("koaSessions", sessions, given, OPTIONS);

  function getSession(ctx: KoaContext): RequestSession<Data, Reference> {
    const req = readKoaRequest(ctx);
    const { res, keys } = readSafely("ERR_SESSION_CONFIG", "The context", () => {
      return { res: ctx.res, keys: signed ? Object(ctx.app).keys : null };
    });
    const signer = signed ? createKoaSigner(keys) : null;
    bindResponse(req, res);
    return getRequestSession(req, new KoaExchange(req, ctx), signer);
  }

  async function middleware(
    ctx: KoaContext & { session?: RequestSession<Data, Reference> },
    next: () => Promise<unknown>,
  ): Promise<void> {
    defineSession(ctx, getSession(ctx));
    await next();
  }

  function requireSession<Field extends Reference & FieldOf<Data>>(
    field: Field,
    options?: RequireSessionOptions,
  ): KoaRequirement<SignedInSession<Data, Field>> {
    const ask = createRequirement<Data, Field>(sessions, field, options);
    const found = new FoundSessions<SignedInSession<Data, Field>>();
    const requirement = async (ctx: KoaContext, next: () => Promise<unknown>): Promise<void> => {
      const req = readKoaRequest(ctx);
      const res = readNodeResponse(TAKES, () => ctx.res);
      const header = (name: string) => readHeader(req, name);
      const { session, refusal } = await ask(getSession(ctx), { header });
      if (refusal) {
        Object.assign(ctx, { status: refusal.status, body: refusal.body });
        for (const [name, value] of Object.entries(refusal.headers)) res.setHeader(name, value);
        return;
      }
      found.put(req, session);
      await next();
    };
    return Object.assign(requirement, { of: (ctx: KoaContext) => found.get(() => ctx.req) });
  }

  const adapter = Object.assign(middleware, { of: getSession, requireSession });
  return registerForTests(
    adapter,
    getRequestSession.adapterCookie,
    signed ? createKoaSigner : null,
  );
}

/**
 * Koa middleware that refuses requests that change something and come from a page of another
 * origin, with ERR_CSRF (403). Put it before the routes and, if tokens come in a bearer header,
 * after `koaSessions`.
 *
 * @throws SessionError ERR_SESSION_CONFIG for an unknown option or an invalid origin.
 */
export function csrfGuard<Context = KoaContext>(options: CSRFGuardOptions<Context> = {}) {
  const guard = createGuard(options);
  return async (ctx: KoaContext, next: () => Promise<unknown>): Promise<void> => {
    const request = readKoaRequest(ctx);
    const { method, host, secure } = readSafely("ERR_SESSION_CONFIG", "The context", () => {
      return { method: ctx.method, host: ctx.host, secure: ctx.secure };
    });
    const header = (name: string) => readHeader(request, name);
    guard(
      { request, method, host, secure, proxySetting: PROXY_SETTING, header },
      ctx as unknown as Context,
    );
    await next();
  };
}

const OPTIONS = listAddedOptions<KoaSessionsOptions<never>>({ signed: true });
const PROXY_SETTING = "app.proxy = true";
const defineSession = createSessionProperty("ctx.session");

const TAKES = "The middleware, of and requireSession take Koa's context: of(ctx)";

function readKoaRequest(ctx: KoaContext): IncomingMessage {
  return readNodeRequest(TAKES, () => ctx.req);
}

class KoaExchange extends NodeExchange {
  readonly #ctx: KoaContext;

  constructor(req: IncomingMessage, ctx: KoaContext) {
    super(req);
    this.#ctx = ctx;
  }

  get secure(): boolean {
    return this.#ctx.secure;
  }

  get body(): unknown {
    return (this.#ctx.request as { readonly body?: unknown } | undefined)?.body;
  }

  get proxySetting(): string {
    return PROXY_SETTING;
  }
}

/** Makes the signer of `app.keys`, which are a Keygrip, or a list of keys for HMAC-SHA-256. */
function createKoaSigner(keys: unknown): Signer {
  const list = readElements("ERR_SESSION_CONFIG", "app.keys", keys);
  if (areSecrets(list)) return createSigner(list);
  if (isSigner(keys)) return keys;
  throw createConfigError("Signed cookies need app.keys: a list of secret strings, or a Keygrip", {
    option: "signed",
  });
}

function isSigner(keys: unknown): keys is Signer {
  return readSafely("ERR_SESSION_CONFIG", "app.keys", () => {
    const { sign, verify } = Object(keys) as Partial<Signer>;
    return typeof sign === "function" && typeof verify === "function";
  });
}
