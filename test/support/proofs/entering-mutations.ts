/* Stores that are wrong on purpose about when a session may enter a set: asOf and limits. */
import { edits, listAllEdits, type Mutation } from "./mutations.ts";

export const enteringMutations = {
  "clear that leaves no mark": {
    about: "nothing tells that a set was cleared",
    apply: edits("endAll", [
      "if leaves_mark then\n  mark_cleared(",
      "if false then\n  mark_cleared(",
    ]),
  },
  "clear of nothing that leaves no mark": {
    about: "only a clear that ends a session leaves a mark",
    apply: edits("endAll", [
      "if leaves_mark then\n  mark_cleared(",
      "if #doomed > 0 then\n  mark_cleared(",
    ]),
  },
  "asOf without a margin": {
    about: "asOf counts as just what it says",
    apply: listAllEdits("local AS_OF_MARGIN_MS = 2000", "local AS_OF_MARGIN_MS = 0"),
  },
  "asOf in the future": {
    about: "a clock that is ahead lets logins in after a clear",
    apply: listAllEdits("math.min(as_of, now)", "as_of"),
  },
  "asOf of any age": {
    about: "an asOf from before all marks is let in",
    apply: listAllEdits("if moment < now - CLEAR_MEMORY_MS then", "if false then"),
  },
  "asOf that is checked after the write": {
    about: "a sign-in that is refused has ended the old session",
    apply: edits(
      "signIn",
      ["  if was_cleared(as_of, names) then\n    return { now, 'cleared' }\n  end\n", ""],
      [
        "if room then\n  end_doomed(room)\nend\n",
        "if room then\n  end_doomed(room)\nend\nif was_cleared(as_of, names) then\n  return { now, 'cleared' }\nend\n",
      ],
    ),
  },
  "asOf that forgets what is kept": {
    about: "the sets of the fields that a sign-in keeps don't count",
    apply: edits("signIn", [
      "if was_cleared(as_of, names)",
      "if was_cleared(as_of, split_words(''))",
    ]),
  },
  "limit that is not kept": {
    about: "what stands beyond a limit is not ended",
    apply: listAllEdits(
      "for _, session in ipairs(plan.doomed) do",
      "for _, session in ipairs({}) do",
    ),
  },
  "limit that ends the youngest": {
    about: "a full set ends who came last",
    apply: listAllEdits(
      "    return one.created < other.created\n",
      "    return one.created > other.created\n",
    ),
  },
  "limit that counts who leaves": {
    about: "the session that a sign-in ends takes a place",
    apply: edits("signIn", ["leaving[#leaving + 1] = current\n", ""]),
  },
  "limit that counts the expired": {
    about: "entries of sessions that have expired take places",
    apply: listAllEdits(
      "local count = redis.call('ZCOUNT', key, format_int(now), '+inf')\n  for id",
      "local count = redis.call('ZCARD', key)\n  for id",
    ),
  },
  "limit that counts what is in already": {
    about: "a change of a session in a full set takes one more place",
    apply: edits("change", ["room = plan_room(added,", "room = plan_room(changes.names,"]),
  },
  "limit that writes first": {
    about: "a sign-in that is refused has ended the old session",
    apply: edits(
      "signIn",
      ["  if room and room.refusal then\n    return room.refusal\n  end\n", ""],
      [
        "if room then\n  end_doomed(room)\nend\n",
        "if room then\n  end_doomed(room)\nend\nif room and room.refusal then\n  return room.refusal\nend\n",
      ],
    ),
  },
  "limit that is asked before a clear": {
    about: "a full set refuses a sign-in whose credentials are outdated",
    apply: edits(
      "signIn",
      ["  if room and room.refusal then\n    return room.refusal\n  end\n", ""],
      [
        "  if was_cleared(as_of, names) then",
        "  if room and room.refusal then\n    return room.refusal\n  end\n  if was_cleared(as_of, names) then",
      ],
    ),
  },
  "limit that counts the sessions of the caller": {
    about: "a session that the sign-in's caller ends takes a place",
    apply: edits("signIn", ["local leaving = list_leaving(others)", "local leaving = {}"]),
  },
  "limit that counts them where another session is replaced": {
    about: "a session that the caller of a change ends takes a place",
    apply: edits("change", ["local leaving = list_leaving(others)", "local leaving = {}"]),
  },
  "limit that knows them by one id": {
    about: "a session that is named by an old id takes a place",
    apply: listAllEdits("leaving[i] = follow_aliases(id, MAX_RENEWALS)", "leaving[i] = id"),
  },
  "limit that a large set escapes": {
    about: "what is too much for one script is let in without it",
    apply: listAllEdits("plan.refusal = { now, 'crowded' }\n    return", "return"),
  },
} as const satisfies Record<string, Mutation>;

/** Stores of several shards that are wrong about who has reserved a place. */
export const reservationMutations = {
  "reservation that counts nobody": {
    about: "parallel logins take the same place",
    apply: edits("reserve", [
      "return { now, 'reserved', others }",
      "return { now, 'reserved', 0 }",
    ]),
  },
  "place of another taken for none": {
    about: "who waits for a place is refused at once, and it may be left",
    apply: listAllEdits(
      "plan.refusal = { now, 'reserved' }",
      "plan.refusal = { now, 'full', limit.field, limit.most }",
    ),
  },
} as const satisfies Record<string, Mutation>;
