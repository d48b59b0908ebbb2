/*
 * Stores that are wrong on purpose, one rule broken in each: what the tests of atomicity must catch.
 * The library knows nothing of it. A client in front of the real one sends other texts instead of
 * the library's scripts, or several commands instead of one.
 */
import { createHash } from "node:crypto";
import type { RedisClient } from "session-sets/redis";
import { sources } from "../../src/store/redis/scripts.generated.ts";
import { type InterceptedClient, intercepted, recognize, type Sent } from "./intercept.ts";

export type ScriptName = keyof typeof sources;

/** Sends the command, changed texts and all; with other arguments if there are any. */
type Send = (args?: readonly string[]) => Promise<unknown>;

export interface Mutation {
  /** What is wrong. */
  readonly about: string;
  /** Another text for a script; the same one where the mutation is of another script. */
  apply(script: ScriptName, text: string): string;
  /** What is sent for each command, where it is not that one command. */
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

function edits(script: ScriptName, ...list: readonly Edit[]): Mutation["apply"] {
  return (name, text) =>
    name === script ? list.reduce((left, [part, by]) => replaced(left, part, by), text) : text;
}

/** The same edit in every script: its place is in their common library. */
function editsOfAll(part: string, by: string): Mutation["apply"] {
  return (_, text) => replaced(text, part, by);
}

const LOGIN = `  if signs_in then
    trail[#trail + 1] = current
    for _, old in ipairs(trail) do
      replace(old, grace, '@x', identifies(found.names, identity) and '1' or '0')
    end
  else`;

const LEAVE_REMOVED = `for _, name in ipairs(removed) do
  leave(name, current)
end`;

const ENTER_AFTER = `for _, name in ipairs(after) do
  enter(name, final, deadline)
end`;

export const mutations = {
  "upsert in set": {
    about: "set makes a session where there is none",
    apply: edits("change", [
      "  return { now, 'gone' } -- I4",
      `  if #changes.set == 0 then return { now, 'gone' } end
  found.created, found.idle = int(micros), '3600000'
  redis.call('HSET', session_key(current), '@c', found.created, '@i', found.idle)`,
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
  local old, before, over = resolve(id)
  if before.created and old ~= to then
    local _, come, gone = names_after(before.names, changes)
    for _, name in ipairs(before.names) do leave(name, old) end
    if identifies(come, identity) or identifies(gone, identity) then
      over[#over + 1] = old
      for _, one in ipairs(over) do
        replace(one, grace, '@x', identifies(before.names, identity) and '1' or '0')
      end
    else
      replace(old, grace, '@to', to)
    end
    settle()
  end
`,
      ],
      [
        "local idle = new_idle or tonumber(found.idle)\n",
        `if rotates then
  redis.call('COPY', key, session_key(to))
  key = session_key(to)
end
local idle = new_idle or tonumber(found.idle)
`,
      ],
      [LEAVE_REMOVED, `if not rotates then ${LEAVE_REMOVED} end`],
      [
        `  for _, name in ipairs(found.names) do
    leave(name, current)
  end
  redis.call('RENAME', key, session_key(to))
${LOGIN}
    replace(current, grace, '@to', to)
  end
`,
        "",
      ],
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
      ["ipairs(redis.call('ZRANGE', KEYS[1], 0, budget))", "ipairs(args())"],
      ["return { now, 'page', ended, left,", "return { now, 'page', ended, 0,"],
    ),
    send: async ({ script, args }, send, command) => {
      if (script !== "endAll") return send();
      const ids = (await command("ZRANGE", [args[2] ?? "", "0", "-1"])) as string[];
      // All at once: the place of how many keys a page may touch is known by tests of pages, too.
      return send([...args.with(7, "1000000"), String(ids.length), ...ids]);
    },
  },
  "login that leaves an alias": {
    about: "after a sign-in the old token leads to the signed-in session",
    apply: edits("change", [LOGIN, LOGIN.replace("if signs_in", "if false")]),
  },
  "entries after the expiry, in create": {
    about: "one command makes the session and sets its expiry, the next makes its entries",
    apply: edits(
      "create",
      [
        `  for _, name in ipairs(names) do
    enter(name, id, deadline)
  end
  settle()
  return found
`,
        `  return found
`,
      ],
      [
        `  found = make(id, names, fields, idle, absolute)
end
`,
        `  found = make(id, names, fields, idle, absolute)
else
  for _, name in ipairs(names) do
    enter(name, id, redis.call('PEXPIRETIME', KEYS[1]))
  end
  settle()
end
`,
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
      `if rotates or ARGV[#ARGV] == 'entries' then ${ENTER_AFTER} end`,
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
      "will_touch(current, found.names)\n",
      `if found.created then
  write_fields(session_key(current), changes, found, #added + #removed > 0 and after)
end
will_touch(current, found.names)
`,
    ]),
  },
  "look at keys one by one": {
    about: "each key is looked at by a command of its own, not all of them by one",
    apply: editsOfAll(
      "    redis.call('EXISTS', base .. ':s:', unpack(seen_keys, from, math.min(from + 3999, #seen_keys)))\n",
      `    for i = from, math.min(from + 3999, #seen_keys) do
      redis.call('EXISTS', seen_keys[i])
    end
`,
    ),
  },
  "no not-after moment": {
    about: "a command that arrives late is carried out",
    apply: editsOfAll("if not_after and now > not_after then", "if false then"),
  },
  "except that does not follow an alias": {
    about: "clear ends the session to leave alone where it is named by an old id",
    apply: edits("endAll", [
      "local to, found = resolve(except)\n",
      "local to, found = except, own(except)\n",
    ]),
  },
  "except that forgets a rotation": {
    about: "clear ends the session to leave alone when it rotates between two pages without grace",
    apply: edits("endAll", ["if found.created and found.created == spared then", "if false then"]),
  },
  "rotation that extends the absolute deadline": {
    about: "a rotation counts the absolute timeout from now",
    apply: edits("change", [
      "local idle = new_idle or tonumber(found.idle)\n",
      `if rotates and found.absolute then
  found.absolute = int(now + tonumber(found.absolute) - math.floor(tonumber(found.created) / 1000))
  redis.call('HSET', key, '@a', found.absolute)
end
local idle = new_idle or tonumber(found.idle)
`,
    ]),
  },
  "change of a set that is made again": {
    about: "a session that moves ahead between two pages is changed a second time",
    apply: edits("changeAll", [
      "local paged = after ~= '' or next_after ~= ''",
      "local paged = false",
    ]),
  },
} as const satisfies Record<string, Mutation>;

export type MutationName = keyof typeof mutations;

/** The scripts that a mutation changes, with their texts. */
export function mutatedSources(mutation: Mutation): Partial<Record<ScriptName, string>> {
  const all = Object.entries(sources) as [ScriptName, string][];
  const changed = all
    .map(([name, text]) => [name, mutation.apply(name, text)] as const)
    .filter(([name, text]) => text !== sources[name]);
  if (changed.length === 0) throw new Error(`no script is changed by: ${mutation.about}`);
  return Object.fromEntries(changed);
}

/** A client of ioredis that sends what a mutation makes of each command. */
export function mutatedClient(
  client: InterceptedClient,
  mutation: Mutation,
): RedisClient & InterceptedClient {
  const texts = mutatedSources(mutation);
  for (const [name, text] of Object.entries(texts)) recognize(name as ScriptName, text);
  const { send: instead = (_: Sent, send: Send) => send() } = mutation as Mutation;
  return intercepted(client, (sent, pass) => {
    const text = sent.script && texts[sent.script];
    const send: Send = ([, ...rest] = sent.args) =>
      pass([sent.name === "EVAL" ? (text ?? "") : digest(text ?? ""), ...rest]);
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
