import { createConfigError, quote, SessionError } from "../shared/errors.ts";

/** The session that a request was of is not there any more. */
export function createGoneError(): SessionError {
  return new SessionError(
    "ERR_SESSION_GONE",
    "The session was ended or replaced while this request was using it; the user has to send the request again",
  );
}

/** The session that a request was to be of has ended, or is nobody's. */
export function createNotSignedInError(verb: string, field: string): SessionError {
  return new SessionError(
    "ERR_SESSION_GONE",
    `${verb} needs a session that says who the user is, and there is none with a value of ${quote(field)}: it has ended, or nobody has signed in; the user has to sign in first`,
    { field },
  );
}

/** `set` would make a session whose token nothing brings to the client. */
export function createNoTokenError(): SessionError {
  return createConfigError(
    "Where carriers has no cookie, or the client came by a bearer header, set makes no session: its token would be lost. Sign in with signIn(values), or make a session of nobody with sessions.create(values), and answer with the token that it resolves to",
  );
}

/** A change of who the user is needs a new token, which nothing brings to the client. */
export function createTokenKeptError(verb: "set" | "unset"): SessionError {
  return createConfigError(
    `The session came by a bearer header, whose token only the client can change: ${verb} cannot change who the user is. Call signIn(values), or rotate(values), and answer with the token that it resolves to; delete signs out`,
  );
}

/** A `delete` that is to keep fields, and cannot. */
export function createNothingKeptError(why: string): SessionError {
  return createConfigError(why, { option: "keep" });
}

/** The values of a reference that says nothing of the user. */
export function createNoIdentityError(verb: string, field: string): SessionError {
  return createConfigError(
    `${verb} takes a reference that says who the user is, and ${quote(field)} is declared { identity: false }; to end the sessions of a team, call clear() on sessions.by(${quote(field)}, value)`,
    { field },
  );
}

/** A session by cookie of a request that the guard has let in because of a bearer header. */
export function createPassedAsBearerError(): SessionError {
  return new SessionError(
    "ERR_CSRF",
    "csrfGuard has let this request in because of its bearer header, so it gets no session by cookie: put the guard after all middlewares that make sessions, or give it an exempt for this route",
    { reason: "bearer" },
  );
}

/** The session of a cookie that a page of another origin has sent along. */
export function createForeignPageError(): SessionError {
  return new SessionError(
    "ERR_CSRF",
    "The request was refused: a page of another origin has sent it (Sec-Fetch-Site), so the session of its cookie is not used. Put csrfGuard before the routes: it refuses such a request before anything is done. Where the page is the application's own, add its origin to the guard's origins; an exempt lets in what another site is to post",
    { reason: "origin" },
  );
}

/** `peers` of a field with several values, and none is named. */
export function createUnnamedPeersError(field: string, values: number): SessionError {
  const name = JSON.stringify(field);
  return new SessionError(
    "ERR_SESSION_VALUE",
    `The session has ${values} values of ${name}; name one of them: peers(${name}, value)`,
    { field },
  );
}
