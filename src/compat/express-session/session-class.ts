/*
 * express-session asks its store to make a session of what was stored (`createSession`), and means
 * its own classes, which apps may have added methods to. It gives a store nothing of its own but
 * `generate`, so the classes are learnt from a session that this generates, once. No package is
 * imported for it, so that there is one copy of express-session, and @fastify/session needs none.
 */

/** What express-session gives its store: it makes a new session for a request. */
export type Generate = (req: object) => void;

/** What express-session's sessions are made by. */
export interface SessionClasses {
  readonly Session: new (req: object, data: object) => object;
  /** The prototype of cookies: it does not name its class. */
  readonly cookie: object;
}

export function learnClasses(generate: Generate, req: object): SessionClasses {
  // An app's own functions for ids and cookies may look at the request, which this one inherits
  // from. What `generate` puts on it stays on it.
  const own = { value: undefined, writable: true };
  const headers = { value: "headers" in req ? req.headers : {} };
  const probe = Object.create(req, { session: own, sessionID: own, headers });
  generate(probe);
  return {
    Session: probe.session.constructor,
    cookie: Object.getPrototypeOf(probe.session.cookie),
  };
}

/** A session of express-session's class, for a request. */
export function restoreSession(classes: SessionClasses, req: object, stored: object): object {
  const cookie = restoreCookie(classes.cookie, (stored as { cookie?: object }).cookie ?? {});
  return new classes.Session(req, { ...stored, cookie });
}

/** As express-session's own stores do it: what it would compute stays as it was stored. */
function restoreCookie(prototype: object, stored: StoredCookie): object {
  const { expires, originalMaxAge, ...options } = stored;
  const cookie = Object.create(prototype);
  Object.assign(cookie, { path: "/", maxAge: null, httpOnly: true }, options);
  if (expires !== undefined) {
    cookie.expires = typeof expires === "string" ? new Date(expires) : expires;
  }
  cookie.originalMaxAge = originalMaxAge;
  return cookie;
}

interface StoredCookie {
  readonly expires?: unknown;
  readonly originalMaxAge?: unknown;
}
