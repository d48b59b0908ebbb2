import { decodeFields, withTimes } from "../sessions/record.ts";
import type { NewToken } from "../sessions/token.ts";
import type { Changed, Lookup } from "../store/contract.ts";

/* What the store's answers say of a request's token. */

/** The session that a change has given a new token; null where it has not. */
export function sessionWithToken<Data>(changed: Changed, { token }: NewToken) {
  if (changed.state !== "changed" || changed.fields === null) return null;
  return { token, session: withTimes(changed, decodeFields<Data>(changed.fields), changed.times) };
}

/** How good an answer to an id is; the less the better. */
export function rankOf(found: Lookup, id: string): number {
  if (found.state === "live") return found.session.id === id ? 0 : 1;
  return found.state === "superseded" ? 2 : 3;
}
