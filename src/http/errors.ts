import { createConfigError, quote, SessionError } from "../shared/errors.ts";

/** The session of a request no longer exists. */
export function createGoneError(): SessionError {
  return new SessionError(
    "ERR_SESSION_GONE",
    "The session was ended or replaced while this request was using it. The user has to send the request again",
  );
}

/** The request needs a user, and its session has none, or has ended. */
export function createNotSignedInError(verb: string, field: string): SessionError {
  return new SessionError(
    "ERR_SESSION_GONE",
    `${verb} needs a session that says who the user is, but this request has none with a value of ${quote(field)}: it has ended, or nobody has signed in. The user has to sign in first`,
    { field },
  );
}

/** There is no session whose end could be told. */
export function createNothingToWatchError(): SessionError {
  return new SessionError(
    "ERR_SESSION_GONE",
    "onEnd needs a live session, but this request has none: it has ended, or there never was one. Call load first, and refuse the request if that resolves to null",
  );
}

/** `set` would make a session whose token never reaches the client. */
export function createNoTokenError(): SessionError {
  return createConfigError(
    "set makes no session if carriers has no cookie, or the request came with a bearer header: the client would never get its token. Sign in with signIn(values), or make a session without a user with sessions.create(values), and answer with the token that it resolves to",
  );
}

/** A change of user needs a new token, which would never reach the client. */
export function createTokenKeptError(verb: "set" | "unset"): SessionError {
  return createConfigError(
    `The token came in a bearer header, and only the client can replace it there. So ${verb} cannot change who the user is. Call signIn(values), or rotate(values), and answer with the token that it resolves to; to sign out, call delete`,
  );
}

/** A `delete` that should keep fields, and cannot. */
export function createNothingKeptError(why: string): SessionError {
  return createConfigError(why, { option: "keep" });
}

/** The reference does not say who the user is. */
export function createNoIdentityError(verb: string, field: string): SessionError {
  return createConfigError(
    `${verb} takes a reference that says who the user is, but ${quote(field)} is declared { identity: false }. To end the sessions of one of its values, call clear() on sessions.by(${quote(field)}, value)`,
    { field },
  );
}

/** A request that the guard let in for its bearer header asks for a session by cookie. */
export function createPassedAsBearerError(): SessionError {
  return new SessionError(
    "ERR_CSRF",
    "csrfGuard let this request in because of its bearer header, so it gets no session by cookie. Put the guard after all middleware that makes sessions, or give it an exempt for this route",
    { reason: "bearer" },
  );
}

/** A page of another origin sent the request, and its session came by cookie. */
export function createForeignPageError(): SessionError {
  return new SessionError(
    "ERR_CSRF",
    "The request was refused: a page of another origin sent it (Sec-Fetch-Site), so the session of its cookie is not used. Put csrfGuard before the routes: it refuses such a request before anything is done. If the page is the application's own, add its origin to the guard's origins. To let in what another site posts, give the guard an exempt",
    { reason: "origin" },
  );
}

/** `peers` of a field with several values, without one of them. */
export function createUnnamedPeersError(field: string, values: number): SessionError {
  const name = JSON.stringify(field);
  return new SessionError(
    "ERR_SESSION_VALUE",
    `The session has ${values} values of ${name}. Name one of them: peers(${name}, value)`,
    { field },
  );
}
