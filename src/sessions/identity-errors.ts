import { createConfigError, quote, type SessionError } from "../shared/errors.ts";

/** Creates the error of a sign-in whose values don't say who the user is. */
export function createNobodyError(identity: readonly string[]): SessionError {
  const [first = "user_id"] = identity;
  return createConfigError(
    identity.length === 0
      ? `signIn needs a reference that says who the user is: createSessions({ references: ["user_id"] })`
      : `signIn needs a value of ${identity.map(quote).join(" or ")}, which says who the user is: signIn({ ${first}: … }), or without a request signIn(token, { ${first}: … }), where null stands for no token. To make a session without a user, call set in a request, or create`,
    { field: identity[0] },
  );
}

/** Creates the error of a verb that only writes, for a field that says who the user is. */
export function createIdentityKeptError(verb: "set" | "unset", field: string): SessionError {
  return createConfigError(
    `${verb} does not write ${quote(field)}, because it says who the user is. signIn ends the session and makes a new one for the user, rotate gives the same user a new token, delete signs out. If the field does not say who the user is, such as a team, declare it { identity: false }`,
    { field },
  );
}
