/*
 * Stores that are wrong on purpose, one rule broken in each: what the tests of atomicity must catch.
 * The library knows nothing of it. A client in front of the real one sends other texts instead of
 * the library's scripts, or several commands instead of one.
 */
import { createHash } from "node:crypto";
import type { RedisClient } from "session-sets/redis";
import type { sources } from "../../../generated/scripts.js";
import { buildScripts, type LinkedScript } from "../../../scripts/build-lua.mjs";
import { type InterceptedClient, intercepted, recognize, type Sent } from "../intercept.ts";

export type ScriptName = keyof typeof sources;

/** Sends the command, changed texts and all; with other arguments if there are any. */
type Send = (args?: readonly string[]) => Promise<unknown>;

export interface Mutation {
  /** The rule that is broken. */
  readonly about: string;
  /** Another text for a script; the same one where the mutation is of another script. */
  apply(script: ScriptName, text: string): string;
  /** The commands that are sent for each command, if they aren't just that one. */
  readonly send?: (
    sent: Sent,
    send: Send,
    command: (name: string, args: readonly string[]) => Promise<unknown>,
  ) => Promise<unknown>;
}

/** A text with one part of it replaced: a part that is not there means that the mutation is stale. */
function replaced(text: string, part: string, by: string): string {
  const [before, after, ...more] = text.split(part);
  if (after === undefined || more.length > 0) {
    throw new Error(
      `a script to be mutated has ${more.length > 0 ? "more than one" : "no"}:\n${part}`,
    );
  }
  return `${before}${by}${after}`;
}

type Edit = readonly [part: string, by: string];

export function edits(script: ScriptName, ...list: readonly Edit[]): Mutation["apply"] {
  return (name, text) =>
    name === script ? list.reduce((left, [part, by]) => replaced(left, part, by), text) : text;
}

/** The same edit in every script that has the part, which is in a helper. */
export function listAllEdits(part: string, by: string): Mutation["apply"] {
  return (_, text) => (text.includes(part) ? replaced(text, part, by) : text);
}

const SIGN_IN = `    end_session(current, found, trail, {
      how = describe_replacement(changes.names, identity), cause = cause,
      tombstone = encode_sign_in(had_identity, named), stays = tombstone_stays,
    })
    if room then
      end_doomed(room)
    end
    publish_feed()
    return answer_changed(to, made, 1)`;

const LEAVES = `    if plan.for_good or plan.grace == 0 then
      trail[#trail + 1] = current
      for _, old in ipairs(trail) do
        replace_hash(old, plan.stays, encode_tombstone(plan.tombstone))
      end
      redis.call('HDEL', derive_session_key(to), '@p')
    else
      replace_hash(current, plan.grace, encode_alias(to), plan.alias)
      append(own, '@p', current)
    end
`;

const MOVES = `    for _, name in ipairs(found.names) do
      remove_entry(name, current, before)
    end
    redis.call('RENAME', key, derive_session_key(to))
`;

const DEADLINES = "  local deadline, held_until = before, before\n";

const FOLLOWED = "local id, found = follow_aliases(asked_id, MAX_HOPS)\n";

const LEAVE_REMOVED = `  for _, name in ipairs(removed) do
    remove_entry(name, current, before)
  end`;

const ENTER_AFTER = `  for _, name in ipairs(plan.pushes and after or added) do
    add_entry(name, final, deadline, before)
  end`;

export const mutations = {
  "upsert in set": {
    about: "set makes a session where there is none",
    apply: edits("update", [
      "  return answer_absent(found, { names = {} }, {})\n",
      `  if set_count == 0 or found.tombstone or found.target then
    return answer_absent(found, { names = {} }, {})
  end
  found.created, found.seen, found.idle, found.absolute = format_int(now * 1000), '0', '3600000', '-'
  redis.call('HSET', derive_session_key(id), '@', encode_times(found))
`,
    ]),
  },
  "forgotten index removal": {
    about: "a changed reference leaves the session's entry in its old set",
    apply: edits("change", [LEAVE_REMOVED, ""]),
  },
  "rotation in two commands": {
    about: "one command copies the session to its new id, the next removes the old one",
    apply: edits(
      "change",
      [
        `if done and done.created then
`,
        `if done and done.created then
  local old, before, over = follow_aliases(id, MAX_HOPS)
  if before.created and old ~= to then
    for _, name in ipairs(before.names) do remove_entry(name, old) end
    if compare_identities(before.names, changes, identity) == 'same' or grace == 0 then
      over[#over + 1] = old
      for _, one in ipairs(over) do
        local tombstone = encode_sign_in(has_field(before.names, identity))
        replace_hash(one, tombstone_stays, encode_tombstone(tombstone))
      end
    else
      replace_hash(old, grace, encode_alias(to), before.previous)
    end
    refresh_set_expiries()
  end
`,
      ],
      [
        DEADLINES,
        `  if to then
    redis.call('COPY', key, derive_session_key(to))
    key = derive_session_key(to)
  end
${DEADLINES}`,
      ],
      [LEAVE_REMOVED, `  if not to then ${LEAVE_REMOVED} end`],
      [MOVES, ""],
      [LEAVES, ""],
    ),
    send: async ({ script }, send) => {
      const reply = await send();
      return script === "change" && hasRotated(reply) ? send() : reply;
    },
  },
  "clear that does not follow a rotation": {
    about: "one command reads the ids of the set, the next ends those and no other",
    apply: edits(
      "endAll",
      ["local ids = redis.call('ZRANGE', set, 0, budget)\n", "local ids = { unpack(ARGV, 10) }\n"],
      ["is_last and not spares and name or nil", "nil"], // the set may have others
    ),
    send: async ({ script, args }, send, command) => {
      if (script !== "endAll") return send();
      const ids = (await command("ZRANGE", [args[2] ?? "", "0", "-1"])) as string[];
      // All at once: the place of how many keys a page may touch is known by tests of pages, too.
      return send([...args.with(7, "1000000"), ...ids]);
    },
  },
  "login that leaves an alias": {
    about: "after a change of who the user is the old token leads to the signed-in session",
    apply: edits("change", [
      SIGN_IN,
      SIGN_IN.replace("return", "replace_hash(current, grace, encode_alias(to))\n    return"),
    ]),
  },
  "entries after the expiry, in create": {
    about: "one command makes the session and sets its expiry, the next makes its entries",
    apply: edits(
      "create",
      ["    write_entry(set, id, moment, expired[i])\n", ""],
      [
        `  for _, name in ipairs(names) do
    add_entry(name, id, deadline, 0)
  end
`,
        "",
      ],
      ["\nrefresh_set_expiries()\nif room then\n", "\nif room then\n"],
      [
        "if found.created then\n  return",
        `if found.created then
  for _, name in ipairs(names) do
    add_entry(name, id, redis.call('PEXPIRETIME', KEYS[1]), 0)
  end
  refresh_set_expiries()
  return`,
      ],
    ),
    send: async ({ script }, send) => {
      const reply = await send();
      return script === "create" ? send() : reply;
    },
  },
  "entries after the expiry, in touch": {
    about: "one command moves the session's expiry, the next moves that of its entries",
    apply: edits("change", [
      ENTER_AFTER,
      `  if to or ARGV[#ARGV] == 'entries' then ${ENTER_AFTER} end`,
    ]),
    send: async ({ script, args }, send) => {
      if (script !== "change") return send();
      const reply = await send();
      if (!hasChanged(reply) || hasRotated(reply)) return reply;
      await send([...args, "entries"]);
      return reply;
    },
  },
  "write before the look": {
    about: "fields are written before the script has looked at the keys it will touch",
    apply: edits("change", [
      "check_sets(current, found.names)\n",
      `if found.created then
  redis.call('HSET', derive_session_key(current), unpack(changes.set))
end
check_sets(current, found.names)
`,
    ]),
  },
  "list without a look": {
    about: "a list leaves out the sessions that are still on the other node",
    apply: edits("list", ["if misses then\n  refuse_moving_slot()\nend\n", ""]),
  },
  "no not-after moment": {
    about: "a command that arrives late is carried out",
    apply: listAllEdits("return not_after ~= nil and now > not_after", "return false"),
  },
  "except that does not follow an alias": {
    about: "clear ends the session to leave alone where it is named by an old id",
    apply: edits("endAll", [
      "local to, found = follow_name(except)\n",
      "local to, found = except, read_own_fields(except)\n",
    ]),
  },
  "page that forgets the rest of a deadline": {
    about: "a page of a list begins at the deadline before that of its place",
    apply: edits("listByDeadline", ["    add(read_same_deadline(count))\n", ""]),
  },
  "page that loses its place": {
    about:
      "a page of a list begins at the deadline before where the session of its place has ended",
    apply: edits("listByDeadline", [
      "  local to = last\n",
      "  local to = last\n  if not redis.call('ZSCORE', set, after_id) then from, to = last, last end\n",
    ]),
  },
  "page that ends at the wrong sessions of a deadline": {
    about: "of the last deadline of a page not those with the first ids are given",
    apply: edits("listByDeadline", [" or i > #found then\n", " then\n"]),
  },
  "except that forgets a rotation": {
    about: "clear ends the session to leave alone when it rotates between two pages without grace",
    apply: edits("endAll", ["if created == spared_created then", "if false then"]),
  },
  "rotation that extends the absolute deadline": {
    about: "a rotation counts the absolute timeout from now",
    apply: edits("change", [
      DEADLINES,
      `  if to and tonumber(found.absolute) then
    found.absolute = format_int(now + tonumber(found.absolute) - math.floor(tonumber(found.created) / 1000))
  end
${DEADLINES}`,
    ]),
  },
  "change of a set that is made again": {
    about: "a session that moves ahead between two pages is changed a second time",
    apply: edits("changeAll", [
      "local paged = after ~= '' or next_after ~= ''",
      "local paged = false",
    ]),
  },
  "sign-in that keeps another user's": {
    about: "a sign-in keeps fields of a session that is another user's",
    apply: edits("signIn", [
      "if keeps and compare_identities(found.names, changes, identity) ~= 'another' then",
      "if keeps then",
    ]),
  },
  "sign-in that ends nothing": {
    about: "the session whose place a sign-in takes lives on",
    apply: edits(
      "signIn",
      ["    end_without_entries(current, found, trail, ending)\n", ""],
      ["    end_session(current, found, trail, ending)\n", ""],
    ),
  },
  "ending told before it is done": {
    about: "a sign-in publishes first, and ends nothing where memory is full",
    apply: edits("signIn", [
      "local made\n",
      "note_ended('sign-in', cause, current)\npublish_feed()\nlocal made\n",
    ]),
  },
  "page that isn't told": {
    about: "clear ends a page of sessions and publishes nothing",
    apply: edits("endAll", ["publish_feed()\nlocal alike", "local alike"]),
  },
  "clear that leaves entries in other sets": {
    about: "a page takes its sessions out of the set that is cleared, and of no other",
    apply: edits("endAll", [
      "      note_removals(removals, names, id)\n",
      "      note_removals(removals, { name }, id)\n",
    ]),
  },
  "clear that leaves pointers": {
    about: "a page deletes the hashes of its sessions, and no pointer of a lineage",
    apply: edits("endAll", ["    if session.lineage then\n", "    if false then\n"]),
  },
  "clear that forgets the set's expiry": {
    about: "a set in which one session was spared expires with those that are gone",
    apply: edits("endAll", ["is_last and not spares and name or nil", "name"]),
  },
  "sign-in that is done again": {
    about: "a sign-in that is sent once more makes a second session",
    apply: edits("signIn", [
      "  return { now, 'repeated', encode_times(done), fields }\n",
      "  to = to .. '2'\n",
    ]),
  },
  "rotation of the same user that leaves an alias": {
    about: "after a user has shown the password once more the old token leads to the session",
    apply: edits("change", [
      "\nlocal bytes = count_bytes_after(",
      "\nfor_good = for_good and when ~= 'always'\nlocal bytes = count_bytes_after(",
    ]),
  },
  "change of credentials that leaves an alias": {
    about: "after a change of password the old token leads to the session",
    apply: edits("change", [
      "  rotates, for_good = true, true\n",
      "  rotates, for_good = true, false\n",
    ]),
  },
  "first value that keeps its id": {
    about: "a merging change that gives an identity its first value keeps the session's id",
    apply: edits("command", ["to ~= '' and changes_identity(found, added, removed)", "false"]),
  },
  "first value that leaves an alias": {
    about: "after a merging change of the user the old token leads to the session",
    apply: edits("command", ["for_good = true", "for_good = false, grace = tombstone_stays"]),
  },
  "first value that leaves nothing": {
    about: "after a merging change of the user nothing is left at the old id",
    apply: edits("command", ["stays = tombstone_stays", "stays = 0"]),
  },
  "session made at the end of an alias": {
    about: "a command makes a session, and not at the id that it was given",
    apply: edits("command", ["  current = id\n", ""]),
  },
  "tombstone that lets in who names less": {
    about: "a tombstone forgets which of several identities the sign-in named",
    apply: listAllEdits(
      "  local given = parse_fields(encode_named(changes.names, identity))\n",
      "  local given = {}\n",
    ),
  },
  "ending over three aliases": {
    about: "a session that was renewed more often than that is not ended by its first token",
    apply: edits("end", [
      "else\n  current, found, trail = follow_aliases(id, MAX_RENEWALS)",
      "else\n  current, found, trail = follow_aliases(id, 3)",
    ]),
  },
  "renewals without a limit": {
    about: "more aliases lead to a session than an ending follows",
    apply: edits("change", [
      "(when == 'always' and #trail == 0 and #aliases < MAX_RENEWALS)",
      "(when == 'always' and #trail == 0)",
    ]),
  },
  "pointer that stays behind": {
    about: "a rotation leaves the pointer of the lineage where the session was",
    apply: edits("change", [
      "  write_pointer(final, found, deadline)\n",
      "  if not to then write_pointer(final, found, deadline) end\n",
    ]),
  },
  "pointer that outlives its session": {
    about: "an ending leaves the pointer of the lineage",
    apply: listAllEdits("  delete_pointer(found)\n  note_ended(", "  note_ended("),
  },
  "pointer that a token follows": {
    about: "the first token of a session leads to it for as long as it lives",
    apply: edits("update", [
      FOLLOWED,
      `${FOLLOWED}local pointed = not found.created and redis.call('GET', derive_pointer_key(asked_id))
if pointed then
  id, found = pointed, read_own_fields(pointed)
end
`,
    ]),
  },
  "sign-out that is taken for a sign-in": {
    about: "the tombstone of a sign-out says that a user has signed in",
    apply: listAllEdits("local BY_DELETE = 'd'", "local BY_DELETE = '1'"),
  },
  "sign-in that keeps nothing": {
    about: "what a sign-in is told to keep is lost",
    apply: edits("signIn", [
      "if keeps and compare_identities(found.names, changes, identity) ~= 'another' then",
      "if false then",
    ]),
  },
  "sign-in that carries everything over": {
    about: "a sign-in keeps all fields of the same user's session, and of nobody's",
    apply: edits("signIn", [
      "local way_in = found.created and #trail <= MAX_HOPS\n",
      `local way_in = found.created and #trail <= MAX_HOPS
keep = {}
for _, field in ipairs(way_in and redis.call('HKEYS', derive_session_key(current)) or {}) do
  if string.sub(field, 1, 1) ~= '@' then
    keep[#keep + 1] = field
    keep[#keep + 1] = field
  end
end
`,
    ]),
  },
  "sign-in that forgets the entries of what it keeps": {
    about: "a reference that a sign-in keeps is not found by its set",
    apply: edits("signIn", ["if kept_fields[parse_field(name)] then", "if false then"]),
  },
  "replacement that merges": {
    about: "a rotation that names another user keeps what the session has",
    apply: edits("change", [
      "local is_replaced = owned_by == 'another' or owned_by == 'nobody'",
      "local is_replaced = false",
    ]),
  },
} as const satisfies Record<string, Mutation>;

export type MutationName = keyof typeof mutations;

/** The text of a script with all its helpers first, so that each part of the script is in one piece. */
function joinParts(parts: LinkedScript["parts"]): string {
  const isHelper = (part: LinkedScript["parts"][number]) => "lines" in part;
  const ordered = [...parts.filter(isHelper), ...parts.filter((part) => !isHelper(part))];
  const lines = ordered.flatMap((part) => ("lines" in part ? part.lines : [part]));
  return lines.map(({ code }) => `${code}\n`).join("");
}

type Texts = Readonly<Partial<Record<ScriptName, string>>>;

/** The scripts as they are: linked once, as that takes as long as hundreds of commands. */
let unchanged: readonly (readonly [name: ScriptName, text: string])[] | undefined;
/** By mutation; each client of a store and each server asks for it. */
const changedBy = new Map<Mutation, Texts>();

/** The scripts that a mutation changes, with their texts. */
export function mutatedSources(mutation: Mutation): Texts {
  const known = changedBy.get(mutation);
  if (known) return known;
  unchanged ??= buildScripts().map(({ name, parts }) => [name as ScriptName, joinParts(parts)]);
  const changed = unchanged
    .map(([name, text]) => [name, text, mutation.apply(name, text)] as const)
    .filter(([, text, mutated]) => text !== mutated)
    .map(([name, , mutated]) => [name, mutated]);
  if (changed.length === 0) throw new Error(`no script is changed by: ${mutation.about}`);
  const texts: Texts = Object.fromEntries(changed);
  changedBy.set(mutation, texts);
  return texts;
}

/** A client of ioredis that sends what a mutation makes of each command. */
export function mutatedClient(
  client: InterceptedClient,
  mutation: Mutation,
): RedisClient & InterceptedClient {
  const texts = mutatedSources(mutation);
  for (const [name, text] of Object.entries(texts)) recognize(name as ScriptName, text);
  const digests: Texts = Object.fromEntries(
    Object.entries(texts).map(([name, text]) => [name, digest(text)]),
  );
  const { send: instead = (_: Sent, send: Send) => send() } = mutation as Mutation;
  return intercepted(client, (sent, pass) => {
    const text = sent.script && texts[sent.script];
    const send: Send = ([, ...rest] = sent.args) =>
      pass([(sent.name === "EVAL" ? text : sent.script && digests[sent.script]) ?? "", ...rest]);
    const command = (name: string, args: readonly string[]) => client.call(name, [...args]);
    return instead(sent, text === undefined ? pass : send, command);
  });
}

function digest(text: string): string {
  return createHash("sha1").update(text).digest("hex");
}

/** Whether the reply of `change` says so: the time, 'changed', the id, 1 if rotated, … */
function hasChanged(reply: unknown): boolean {
  return Array.isArray(reply) && reply[1] === "changed";
}

function hasRotated(reply: unknown): boolean {
  return hasChanged(reply) && Number((reply as unknown[])[3]) === 1;
}
