import { type Change, MAX_RENEWALS, type Rotation } from "../contract.ts";
import { compareOwners, type Session } from "./entry.ts";

/** The outcome of a change with a rotation. */
export type RotationOutcome =
  | "keeps its id"
  | "replaced"
  | "signs-in"
  | "renewed"
  | "renewed for good"
  | "ended"
  | "alias";

/**
 * Decides what happens to a session's id.
 *
 * @param trail the aliases that the session was reached by.
 * @param countAliases counts all aliases that lead to it.
 */
export function decideRotation(
  session: Session,
  trail: readonly string[],
  change: Change,
  { when, identity, grace }: Rotation,
  countAliases: () => number,
): RotationOutcome {
  if (when === "credentials") return "renewed for good";
  const owner = compareOwners(session, change.references, identity);
  if (owner?.changes) return when === "never" ? "signs-in" : "replaced";
  if (when !== "always") return "keeps its id";
  if (owner) return "renewed for good";
  if (trail.length > 0) return grace === 0 ? "ended" : "alias";
  return countAliases() < MAX_RENEWALS ? "renewed" : "alias";
}
