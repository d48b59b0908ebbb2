import { misconfigured, SessionError } from "../errors.ts";

/** The session that a request was of is not there any more. */
export function gone(): SessionError {
  return new SessionError(
    "ERR_SESSION_GONE",
    "The session was ended or replaced while this request was using it; the user has to send the request again",
  );
}

/** `set` would make a session whose token nothing brings to the client. */
export function tokenLost(): SessionError {
  return misconfigured(
    "Where carriers has no cookie, or the client came by a bearer header, set makes no session: its token would be lost. Make it with sessions.create(values), and answer with the token that it resolves to",
  );
}

/** A change of who the user is needs a new token, which nothing brings to the client. */
export function tokenKept(verb: "set" | "unset"): SessionError {
  return misconfigured(
    `The session came by a bearer header, whose token only the client can change: ${verb} cannot change a reference that says who the user is. Call rotate(values), and answer with the token that it resolves to`,
  );
}

/** `peers` of a field with several values, and none is named. */
export function unnamedPeers(field: string, values: number): SessionError {
  const name = JSON.stringify(field);
  return new SessionError(
    "ERR_SESSION_VALUE",
    `The session has ${values} values of ${name}; name one of them: peers(${name}, value)`,
  );
}
