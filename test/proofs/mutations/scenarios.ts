/* The operations that catch each mutation, side by side, in every order of their commands. */
import type { MutationName } from "../../support/proofs/mutations.ts";
import type { FAULTS } from "../interleavings/scheduler.ts";

/** Actors by their names; the fault is that of the first one. */
export interface Scenario {
  readonly actors: readonly string[];
  readonly shards: number;
  readonly fault?: (typeof FAULTS)[number];
}

const beside = (...actors: string[]): Scenario => ({ actors, shards: 1 });

/**
 * Those that need more than orders of commands have tests of their own beside this, and those of the
 * merging changes in test/compat/.
 */
export type Interleaved = Exclude<
  MutationName,
  | "ending told before it is done"
  | "page that isn't told"
  | "list without a look"
  | "write before the look"
  | "clear that forgets the set's expiry"
  | "except that forgets a rotation"
  | "first value that keeps its id"
  | "first value that leaves an alias"
  | "first value that leaves nothing"
  | "session made at the end of an alias"
  | "tombstone that lets in who names less"
  | "page that forgets the rest of a deadline"
  | "page that loses its place"
  | "page that ends at the wrong sessions of a deadline"
>;

export const SCENARIOS: Readonly<Record<Interleaved, Scenario>> = {
  "upsert in set": beside("set", "delete"),
  "forgotten index removal": beside("set another team", "ids"),
  "rotation in two commands": beside("rotate", "set"),
  "clear that does not follow a rotation": beside("clear", "rotate"),
  "clear that leaves entries in other sets": beside("clear", "get"),
  "clear that leaves pointers": beside("clear", "rotate"),
  "login that leaves an alias": beside("rotate to another user", "get over 1 hop"),
  "entries after the expiry, in create": { ...beside("create", "clear"), fault: "dies" },
  "entries after the expiry, in touch": { ...beside("touch for longer", "ids"), fault: "dies" },
  "no not-after moment": { ...beside("set", "get"), fault: "late" },
  "except that does not follow an alias": beside(
    "clear except T, by its old id",
    "touch for longer",
  ),
  "rotation that extends the absolute deadline": beside("rotate", "list"),
  "change of a set that is made again": beside("unset of a set", "request: get, set, rotate"),
  "sign-in that keeps another user's": beside("sign in as another user, keeping the cart", "get"),
  "sign-in that keeps nothing": beside("sign in again, keeping the cart", "get"),
  "sign-in that carries everything over": beside("sign in again, keeping the cart", "set"),
  "sign-in that forgets the entries of what it keeps": beside(
    "sign in again through an alias, keeping the team",
    "get",
  ),
  "replacement that merges": beside("rotate to another user", "get"),
  "sign-in that ends nothing": beside("sign in again, keeping the cart", "set"),
  "sign-in that is done again": {
    ...beside("sign in again, keeping the cart", "get"),
    fault: "resends",
  },
  "rotation of the same user that leaves an alias": beside(
    "rotate of the same user",
    "get over 1 hop",
  ),
  "change of credentials that leaves an alias": beside(
    "request: change of password, with t3 by cookie",
    "request: get with an old token",
  ),
  "ending over three aliases": beside("delete over 3 hops", "rotate"),
  "renewals without a limit": beside("rotate until it is refused", "delete over 3 hops"),
  "pointer that stays behind": beside(
    "rotate with changes and without grace",
    "delete of a set by lineage",
  ),
  "pointer that outlives its session": beside("delete", "get"),
  "pointer that a token follows": beside("rotate of the same user", "set over 3 hops"),
  "sign-out that is taken for a sign-in": beside("request: sign out", "request: set another user"),
};
