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
 * signature; so each adapter is known with them here, and nothing of it is seen by an application.
 */

/** The signer of an adapter's cookies, or how it is made of the keys of the application, or none. */
export type CookieSigner = Signer | ((keys: unknown) => Signer) | null;

/** How the requests of an adapter bring their token. */
export interface AdapterCookie {
  readonly core: SessionCore;
  /** Null where no cookie carries tokens. */
  readonly cookie: Pick<CookieConfig, "name" | "prefix"> | null;
}

const adapters = new WeakMap<object, AdapterCookie & { readonly signer: CookieSigner }>();

/** Makes an adapter one that `createSessionCookie` takes. */
export function registerForTests<Adapter extends object>(
  adapter: Adapter,
  carrying: AdapterCookie,
  signer: CookieSigner,
): Adapter {
  adapters.set(adapter, { ...carrying, signer });
  return adapter;
}

/** What `koaSessions`, `expressSessions` and their siblings return. */
export interface AnyAdapter<Data extends object> {
  /** The session of a request. */
  // biome-ignore lint/suspicious/noExplicitAny: the parameters of each framework, any references
  of(...request: any[]): RequestSession<Data, any>;
}

/** How the session of a test's cookie is made. */
export interface SessionCookieOptions extends Deadlines {
  /** Koa's `app.keys`, where `koaSessions` was told `signed: true`: Koa tells them to requests only. */
  keys?: unknown;
}

/**
 * For tests of an application: makes a session with these values, and gives the header `Cookie` of a
 * request that comes with it. The adapter is what `koaSessions`, `expressSessions`, `fastifySessions`,
 * `honoSessions`, `nodeSessions` or `fetchSessions` returned, for that knows the cookie's name, its
 * prefix and its signature.
 *
 * The name has its prefix (`__Host-session`), for that is read over HTTPS and over HTTP.
 *
 * @example
 * const cookie = await createSessionCookie(web, { user_id: 1 });
 * const response = await app.request("/devices", { headers: { cookie } });
 *
 * @throws SessionError ERR_SESSION_CONFIG for what is no adapter, one that takes no cookies, and options
 * that cannot work; and what `sessions.create` rejects with.
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
  const signs = pickSigner(signer, keys);
  const { token } = await core.create(core.toPlainValues(values ?? {}), deadlines);
  return `${name}=${signValue(signs, name, token)}`;
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
      "createSessionCookie takes what koaSessions, expressSessions, fastifySessions, honoSessions, nodeSessions or fetchSessions returned; or another copy of session-sets has made it. The cookie of express-session is its own: sign in by the application, or see docs/testing-an-app.md",
    );
  }
  const { cookie } = found;
  if (cookie) return { ...found, cookie };
  throw createConfigError(
    "createSessionCookie is for an adapter whose carriers have a cookie, and this one's have none: send the token that sessions.create resolves to in the header, as in { authorization: 'Bearer ' + token }",
  );
}

function pickSigner(signer: CookieSigner, keys: unknown): Signer | null {
  if (typeof signer === "function") {
    if (keys !== undefined) return signer(keys);
    throw createConfigError(
      "Koa signs these cookies with app.keys, which it tells to requests only: give them, as in createSessionCookie(web, values, { keys: app.keys })",
    );
  }
  if (keys === undefined) return signer;
  throw createConfigError(
    "keys is for koaSessions(sessions, { signed: true }); every other adapter knows its own, and this one needs none",
  );
}
