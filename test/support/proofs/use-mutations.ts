/* Stores that are wrong on purpose about what a write has to do, and what it may leave. */
import { edits, listAllEdits, type Mutation } from "./mutations.ts";

const DUE = "  return since >= MAX_TOUCH_DELAY_MS or";

export const useMutations = {
  "write that is no use": {
    about: "a write to fields never pushes the deadline forward",
    apply: listAllEdits(DUE, "  return false and since >= MAX_TOUCH_DELAY_MS or false and"),
  },
  "write that is always use": {
    about: "each write to fields pushes the deadline forward",
    apply: listAllEdits(DUE, "  return true or since >= MAX_TOUCH_DELAY_MS or"),
  },
  "use at half of the delay": {
    about: "a write counts as use after less than a twentieth",
    apply: listAllEdits("TOUCHES_PER_IDLE_TIMEOUT = 20", "TOUCHES_PER_IDLE_TIMEOUT = 2000000"),
  },
  "clock that was set back": {
    about: "a session that was last seen in the future isn't used until then",
    apply: listAllEdits(
      "local since = math.abs(now - (tonumber(seen) or 0))",
      "local since = now - seen",
    ),
  },
  "bound that trusts the memory": {
    about: "a text is taken to need as much memory as it has bytes",
    apply: listAllEdits("bytes + 2 * memory <= max_bytes", "bytes + memory <= max_bytes"),
  },
  "bound of the new fields alone": {
    about: "many small writes pass the bound",
    apply: listAllEdits("bytes + 2 * memory <= max_bytes", "bytes <= max_bytes"),
  },
  "bound by some of the fields": {
    about: "a few fields stand for all of a large session",
    apply: listAllEdits(
      "redis.pcall('MEMORY', 'USAGE', key, 'SAMPLES', '0')",
      "redis.pcall('MEMORY', 'USAGE', key)",
    ),
  },
  "new set that never expires": {
    about: "the expiry of a set is put off only where it has one",
    apply: listAllEdits("    redis.call('PEXPIREAT', key, moment, 'NX')\n", ""),
  },
  "expiry that is only put off": {
    about: "a set expires when an entry would have that has left it",
    apply: listAllEdits("    if set.had > set.latest then", "    if false then"),
  },
  "expiry that is brought forward": {
    about: "a set expires with the entry that was written last",
    apply: listAllEdits(
      "redis.call('PEXPIREAT', key, moment, 'GT')",
      "redis.call('PEXPIREAT', key, moment)",
    ),
  },
  "entry that is not renewed": {
    about: "a use leaves the scores of the session's entries",
    apply: listAllEdits("    add_entry(name, id, deadline, before)\n", ""),
  },
  "entry that a touch leaves": {
    about: "a touch of a session in one set leaves the score of its entry",
    apply: edits("update", ["      write_entry(set, asked_id, moment, expired)\n", ""]),
  },
  "own entry among the expired": {
    about: "entries that have expired are dropped after the session's own was written",
    apply: edits("update", [
      "      write_entry(set, asked_id, moment, expired)\n",
      `      write_entry(set, asked_id, moment, {})
      redis.call('ZREM', set, asked_id, unpack(expired))
`,
    ]),
  },
  "short touch that brings forward": {
    about: "a touch that brings the deadline forward leaves the expiry of the set",
    apply: edits("update", ["deadline >= before and deadline >= now + 1000", "deadline > 0"]),
  },
  "short touch of a rotated session": {
    about: "a touch leaves the pointer to a rotated session as it is",
    apply: edits("update", [
      "found.created and not lineage and is_put_off",
      "found.created and is_put_off",
    ]),
  },
  "short create whatever is known of clears": {
    about: "a session is made although its set was cleared since `asOf`",
    apply: edits("create", ["local is_simple = not as_of and ", "local is_simple = "]),
  },
  "short create without a limit": {
    about: "a session is made although its set is full",
    apply: edits("create", [" and not limits and ", " and "]),
  },
  "short sign-in whatever is known of clears": {
    about: "a user is signed in although the set was cleared since `asOf`",
    apply: edits("signIn", ["  and not as_of\n", ""]),
  },
  "short sign-in without a limit": {
    about: "a user is signed in although the set is full",
    apply: edits("signIn", ["  and not changes.limits\n", ""]),
  },
  "short sign-in over a session in sets": {
    about: "a sign-in leaves the entries of the session that it ends",
    apply: edits("signIn", ["local is_simple = #found.names == 0\n", "local is_simple = true\n"]),
  },
  "sign-in that looks at no old set": {
    about: "a set of the old session that is of the wrong type stops a sign-in that has begun",
    apply: edits("signIn", ["  check_sets(current, found.names)\n", ""]),
  },
  "short way outside of a plain set": {
    about: "a session enters a set of a wrong name where its reference has a plain set, too",
    apply: listAllEdits("    and not string.find(names_text, '=', 1, true)\n", ""),
  },
  "short way of many names": {
    about: "the names of many sets are one long value",
    apply: listAllEdits("return #names_text <= MAX_PART_BYTES\n", "return true\n"),
  },
  "create that is done again": {
    about: "a create that is sent again overwrites the session",
    apply: edits("create", ["is_simple and not redis.call('HGET', key, '@')", "is_simple"]),
  },
  "create that drops its own entry": {
    about: "entries that have expired are dropped after the new session's own was written",
    apply: edits("create", [
      "    write_entry(set, id, moment, expired[i])\n",
      `    write_entry(set, id, moment, {})
    redis.call('ZREM', set, id, unpack(expired[i]))
`,
    ]),
  },
} as const satisfies Record<string, Mutation>;
