import { createConfigError, quote, type SessionError } from "../shared/errors.ts";

/** A sign-in that says of no one who the user is. */
export function createNobodyError(identity: readonly string[]): SessionError {
  const [first = "user_id"] = identity;
  return createConfigError(
    identity.length === 0
      ? `signIn needs a reference that says who the user is: createSessions({ references: ["user_id"] })`
      : `signIn needs a value of ${identity.map(quote).join(" or ")}, which says who the user is: signIn({ ${first}: … }); a session of nobody is made with create`,
    { field: identity[0] },
  );
}

/** A change of who the user is, by a verb that only writes. */
export function createIdentityKeptError(verb: "set" | "unset", field: string): SessionError {
  return createConfigError(
    `${verb} does not write ${quote(field)}, which says who the user is: signIn makes a session of the user and ends the old one, rotate gives one of the same user a new token, delete signs out. A field that does not say who the user is, such as a team, is declared { identity: false }`,
    { field },
  );
}
