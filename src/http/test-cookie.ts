import type { SessionCore } from "../sessions/session-core.ts";
import type { Deadlines, ValuesOf } from "../sessions/types.ts";
import { createConfigError, listOptionNames } from "../shared/errors.ts";
import { readOptions } from "../shared/given.ts";
import type { CookieConfig } from "./carriers/cookie-options.ts";
import { signValue } from "./carriers/cookies.ts";
import type { Signer } from "./carriers/signer.ts";
import type { RequestSession } from "./session/request-session.ts";

/*
 * The cookie that an application's own tests send. Only the adapter knows the cookie's name, prefix and
 * signature. So each adapter is registered with them here, where the application does not see them.
 */

/** The signer of an adapter's cookies, or a function that makes it from the application's keys, or none. */
export type CookieSigner = Signer | ((keys: unknown) => Signer) | null;

/** The cookie that brings an adapter's tokens. */
export interface AdapterCookie {
  readonly core: SessionCore;
  /** Null if no cookie carries tokens. */
  readonly cookie: Pick<CookieConfig, "name" | "prefix"> | null;
}

const adapters = new WeakMap<object, AdapterCookie & { readonly signer: CookieSigner }>();

/** Registers an adapter, so that `createSessionCookie` takes it. */
export function registerForTests<Adapter extends object>(
  adapter: Adapter,
  cookie: AdapterCookie,
  signer: CookieSigner,
): Adapter {
  adapters.set(adapter, { ...cookie, signer });
  return adapter;
}

/** An adapter, as `koaSessions`, `expressSessions` and the others return it. */
export interface AnyAdapter<Data extends object> {
  /** The session of a request. */
  // biome-ignore lint/suspicious/noExplicitAny: the parameters of each framework, any references
  of(...request: any[]): RequestSession<Data, any>;
}

/** How the session of a test's cookie is made. */
export interface SessionCookieOptions extends Deadlines {
  /** Koa's `app.keys`, for `koaSessions` with `signed: true`. Only Koa's requests know these keys. */
  keys?: unknown;
}

/**
 * For tests of an application: makes a session with these values, and resolves to the `Cookie` header of
 * a request with that session. The adapter is the one that `koaSessions`, `expressSessions`,
 * `fastifySessions`, `honoSessions`, `nodeSessions` or `fetchSessions` returned, because it knows the
 * cookie's name, prefix and signature.
 *
 * The name has its prefix (`__Host-session`), which is read over HTTPS and over HTTP.
 *
 * @example
 * const cookie = await createSessionCookie(web, { user_id: 1 });
 * const response = await app.request("/devices", { headers: { cookie } });
 *
 * @throws SessionError ERR_SESSION_CONFIG if it isn't an adapter, or one without cookies, and for options
 * that cannot work. It also rejects with the errors of `sessions.create`.
 */
export async function createSessionCookie<Data extends object>(
  adapter: AnyAdapter<Data>,
  ...[values, options = {}]: Record<never, never> extends Data
    ? [values?: ValuesOf<Data>, options?: SessionCookieOptions]
    : [values: ValuesOf<Data>, options?: SessionCookieOptions]
): Promise<string> {
  const { keys, ...deadlines } = readOptions("createSessionCookie", options, OPTIONS);
  const { core, cookie, signer } = findAdapter(adapter);
  const name = cookie.prefix + cookie.name;
  const chosenSigner = pickSigner(signer, keys);
  const { token } = await core.create(core.toPlainValues(values ?? {}), deadlines);
  return `${name}=${signValue(chosenSigner, name, token)}`;
}

const OPTIONS = listOptionNames<SessionCookieOptions>({
  idleTimeout: true,
  absoluteTimeout: true,
  keys: true,
});

function findAdapter(adapter: object) {
  const found = adapters.get(Object(adapter));
  if (!found) {
    throw createConfigError(
      "createSessionCookie takes the adapter that koaSessions, expressSessions, fastifySessions, honoSessions, nodeSessions or fetchSessions returned. It was given something else, or an adapter that another copy of session-sets made. The cookie of express-session is its own: sign in through the application, or see docs/testing-an-app.md",
    );
  }
  const { cookie } = found;
  if (cookie) return { ...found, cookie };
  throw createConfigError(
    "createSessionCookie takes an adapter with a cookie among its carriers, and this one has none. Send the token that sessions.create resolves to in the header: { authorization: 'Bearer ' + token }",
  );
}

function pickSigner(signer: CookieSigner, keys: unknown): Signer | null {
  if (typeof signer === "function") {
    if (keys !== undefined) return signer(keys);
    throw createConfigError(
      "Koa signs these cookies with app.keys, which only its requests know. Give the keys: createSessionCookie(web, values, { keys: app.keys })",
    );
  }
  if (keys === undefined) return signer;
  throw createConfigError(
    "keys is for koaSessions(sessions, { signed: true }) only. Every other adapter knows its own keys; leave keys out",
  );
}
