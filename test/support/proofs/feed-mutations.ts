/* Redis stores whose feed breaks a rule. The contract's tests of feeds must catch each of them. */
import { edits, listAllEdits, type Mutation } from "./mutations.ts";

export interface FeedMutation extends Mutation {
  /** The test that finds it: a part of its name. */
  readonly foundBy: string;
}

export const feedMutations = {
  "nearer deadline that isn't told": {
    about: "who waits for a session to expire waits until the old deadline",
    foundBy: "brought forward, once",
    apply: listAllEdits("    note_shortened(final, found.lineage, deadline)\n", ""),
  },
  "deadline that is told at every use": {
    about: "each touch is published, although it puts the deadline off",
    foundBy: "tells nothing of reads and writes",
    apply: listAllEdits("if deadline < before then", "if before > 0 then"),
  },
  "deadline that is told when it stays": {
    about: "a touch that leaves the deadline where it is, is published",
    foundBy: "stays or is put off",
    apply: listAllEdits("if deadline < before then", "if deadline <= before then"),
  },
  "first deadline that is told": {
    about: "a session that is being made is published",
    foundBy: "what they bring forward",
    apply: listAllEdits("derive_deadline(found) or 0", "derive_deadline(found) or math.huge"),
  },
  "nearer deadline of the old id": {
    about: "a rotation that brings the deadline forward tells it of the id that it leaves",
    foundBy: "a rotation brings forward",
    apply: listAllEdits("note_shortened(final,", "note_shortened(current,"),
  },
  "nearer deadline without its lineage": {
    about: "a watch of a rotated session isn't found by what is told",
    foundBy: "an alias brings forward",
    apply: listAllEdits("note_shortened(final, found.lineage,", "note_shortened(final, final,"),
  },
  "rotation that isn't told": {
    about: "a session gets a new id and nobody hears of it",
    foundBy: "a rotation without a grace time",
    apply: listAllEdits("    note_rotated(current, to, found.lineage)\n", ""),
  },
  "ending without its lineage": {
    about: "a rotated session is told as ended by its id alone",
    foundBy: "the id that a session had",
    apply: listAllEdits("local other = lineage and lineage ~= id", "local other = false"),
  },
  "ending that isn't published": {
    about: "end tells nobody",
    foundBy: "end ended a session",
    apply: edits("end", ["\npublish_feed()\n", "\n"]),
  },
  "clear without its cause": {
    about: "clear tells neither by whom nor why",
    foundBy: "each session that endAll ended",
    apply: edits("endAll", ["note_all_ended('clear', cause,", "note_all_ended('clear', '- -',"]),
  },
  "sign-out that is told as a sign-in": {
    about: "a sign-in that names no user counts as one",
    foundBy: "names no user is told as a delete",
    apply: listAllEdits("has_field(names, identity) and 'sign-in' or 'delete'", "'sign-in'"),
  },
} as const satisfies Record<string, FeedMutation>;
