/*
 * express-session asks its store to make a session from stored data (`createSession`). The session must
 * be of express-session's own classes, because apps may have added methods to them. express-session
 * gives a store nothing but `generate`, so the classes are learnt, once, from a session that `generate`
 * makes. The package isn't imported: there might be two copies of it, and @fastify/session needs none.
 */

import { asCause, SessionError } from "../../shared/errors.ts";
import { readSafely } from "../../shared/given.ts";

const VALUE = "ERR_SESSION_VALUE";
/** How an error calls it. */
const COOKIE = "The session's cookie";

/** The function that express-session gives its store. It makes a new session for a request. */
export type Generate = (req: object) => void;

/** The classes of express-session's sessions. */
export interface SessionClasses {
  readonly Session: new (req: object, data: object) => object;
  /** The prototype of cookies, which does not name its class. */
  readonly cookie: object;
}

export function learnClasses(generate: Generate, req: object): SessionClasses {
  // An app's functions for ids and cookies may read the request, so the probe inherits from it. The
  // properties that `generate` sets stay on the probe.
  const own = { value: undefined, writable: true };
  const headers = {
    value: readSafely("ERR_SESSION_CONFIG", "The request", () =>
      "headers" in req ? req.headers : {},
    ),
  };
  const probe = Object.create(req, { session: own, sessionID: own, headers });
  generate(probe);
  return {
    Session: probe.session.constructor,
    cookie: Object.getPrototypeOf(probe.session.cookie),
  };
}

/**
 * A session of express-session's class, for a request.
 *
 * @throws SessionError ERR_SESSION_VALUE for a cookie that express-session cannot use.
 */
export function restoreSession(classes: SessionClasses, req: object, stored: object): object {
  const cookie = restoreCookie(classes.cookie, (stored as { cookie?: object }).cookie ?? {});
  return new classes.Session(req, { ...stored, cookie });
}

/** Restores a cookie as express-session's own stores do: the times stay as they were stored. */
function restoreCookie(prototype: object, stored: StoredCookie): object {
  // A cookie of express-session computes its `data`.
  const {
    expires,
    originalMaxAge,
    data: _,
    ...options
  } = readSafely(VALUE, COOKIE, () => ({ ...stored }));
  const cookie = Object.create(prototype);
  try {
    Object.assign(cookie, { path: "/", maxAge: null, httpOnly: true }, options);
    if (expires !== undefined) {
      cookie.expires = typeof expires === "string" ? new Date(expires) : expires;
    }
  } catch (error) {
    throw new SessionError(
      VALUE,
      `${COOKIE} is not one that express-session can use: see the cause. Its maxAge must be a number of milliseconds`,
      { cause: asCause(error) },
    );
  }
  cookie.originalMaxAge = originalMaxAge;
  return cookie;
}

interface StoredCookie {
  readonly expires?: unknown;
  readonly originalMaxAge?: unknown;
  readonly data?: unknown;
}
