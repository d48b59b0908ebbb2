import { type Change, MAX_RENEWALS, type Rotation } from "../contract.ts";
import { ownership, type Session } from "./entry.ts";

/** What a change with a rotation comes to. */
export type Turn =
  | "keeps its id"
  | "replaced"
  | "signs-in"
  | "renewed"
  | "renewed for good"
  | "ended"
  | "alias";

/**
 * What becomes of a session's id.
 *
 * @param trail the aliases that it was reached by.
 * @param aliases how many lead to it.
 */
export function turnOf(
  session: Session,
  trail: readonly string[],
  change: Change,
  { when, identity, grace }: Rotation,
  aliases: () => number,
): Turn {
  if (when === "credentials") return "renewed for good";
  const owner = ownership(session, change.references, identity);
  if (owner?.changes) return when === "never" ? "signs-in" : "replaced";
  if (when !== "always") return "keeps its id";
  if (owner) return "renewed for good";
  if (trail.length > 0) return grace === 0 ? "ended" : "alias";
  return aliases() < MAX_RENEWALS ? "renewed" : "alias";
}
