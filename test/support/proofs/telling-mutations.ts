/* Stores that are wrong on purpose about what they tell of endings, and about which ones a trim ends. */
import { edits, listAllEdits, type Mutation } from "./mutations.ts";

export const tellingMutations = {
  "ending that isn't told": {
    about: "one session is ended and nothing is published",
    apply: edits("end", ["\npublish_feed()\n", "\n"]),
  },
  "ending that is told by the id alone": {
    about: "who watches a session by its first id isn't told of it",
    apply: listAllEdits("local other = lineage and lineage ~= id", "local other = false"),
  },
  "rotation that is told as an ending": {
    about: "a session is said to have ended that has a new id",
    apply: listAllEdits(
      "note_rotated(current, to, found.lineage)\n",
      "note_rotated(current, to, found.lineage)\n    note_ended('delete', NO_CAUSE, current, found.lineage)\n",
    ),
  },
  "ending that is told with another's cause": {
    about: "what a limit ends is said to have been deleted",
    apply: listAllEdits("how = 'limit', cause = NO_CAUSE", "how = 'delete', cause = NO_CAUSE"),
  },
  "clear that isn't told of who is beyond its page": {
    about: "a clear publishes its first session only",
    apply: edits("endAll", [
      "note_all_ended('clear', cause, doomed)",
      "note_all_ended('clear', cause, { doomed[1] })",
    ]),
  },
  "trim that ends the newest": {
    about: "the sessions that were created last are those that go",
    apply: edits("page", [
      "local fields = with_fields and redis.call('HGETALL', derive_session_key(id)) or read_ages(id)\n",
      `local fields = with_fields and redis.call('HGETALL', derive_session_key(id)) or read_ages(id)
  if not with_fields and fields[2] then
    local created, rest = string.match(fields[2], '^(%d+)(.*)$')
    fields[2] = format_int(2 ^ 53 - created) .. rest
  end
`,
    ]),
  },
  "trim that does not follow a rotation": {
    about: "a trim looks for a session where its lineage was first, and nowhere else",
    apply: edits("endEach", [
      "local current, found, trail = follow_name(lineage)",
      "local current, found, trail = lineage, read_own_fields(lineage), {}",
    ]),
  },
} as const satisfies Record<string, Mutation>;
