import assert from "node:assert/strict";
import { decodeValue, encodeValue } from "../../../src/shared/codec.ts";
import { CLEAR_MEMORY_MS } from "../../../src/store/entering.ts";
import { encodeName } from "../../../src/store/redis/layout/keys.ts";
import { listValues, type Model, type Place } from "../proofs/model/model.ts";
import type { Client } from "./stores.ts";
import { parseTimes } from "./times.ts";

/*
 * The invariants (docs/design.md, "Invariants"), as they can be seen by scanning all keys of a prefix:
 *
 *   {prefix:k}:s:<id>        hash         a session, an alias or a tombstone, as its `@` says
 *   {prefix:k}:r:<name>      sorted set   ids, scored by their session's deadline
 *   {prefix:k}:m:<name>      set          the same ids, for references declared `as: "set"`
 *   {prefix:k}:l:<first id>  string       the present id of a session that was rotated (`@l`)
 *   {prefix:k}:c:<name>      string       when the set was last cleared; gone an hour later
 *   {prefix:k}:p:<name>      sorted set   reserved places, while sessions enter; none where no set rejects
 */

export interface Layout {
  readonly prefix: string;
  readonly shards: number;
  /** The references as they were declared, by field. */
  readonly references: Readonly<Record<string, { readonly as?: "set" | undefined }>>;
  /**
   * How much later than due keys may expire (ms): MIGRATE sends how long a key has left to live, so
   * each move puts its end off by as long as that was under way.
   * @default 0
   */
  readonly delay?: number;
}

/** Everything under a prefix, at one moment. */
export interface KeyDump {
  /** By `<shard>:<id>`. */
  readonly hashes: Map<string, { readonly hash: Map<string, string>; readonly expires: number }>;
  /** By `<shard>:<name>`: scores by id. */
  readonly sets: Map<string, { readonly scores: Map<string, number>; readonly expires: number }>;
  /** By `<shard>:<name>`. */
  readonly plain: Map<string, { readonly ids: Set<string>; readonly expires: number }>;
  /** By `<shard>:<lineage>`. */
  readonly pointers: Map<string, { readonly id: string; readonly expires: number }>;
  /** When it was read, on the server's clock. */
  readonly now: number;
}

const BASE64URL = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/** Asserts I1 to I4, I6 and I7 of everything under a prefix; `model` says what should be there. */
export async function checkInvariants(
  client: Client,
  layout: Layout,
  model?: Model,
): Promise<void> {
  checkKeys(await readKeys(client, layout), layout, model);
}

/** The same of what was read. */
export function checkKeys(dump: KeyDump, layout: Layout, model?: Model): void {
  const live = new Map<string, number>();
  for (const [at, { hash, expires }] of dump.hashes) {
    const shard = at.slice(0, at.indexOf(":"));
    const id = at.slice(at.indexOf(":") + 1);
    const inId = BASE64URL.indexOf(id[0] ?? "") * 64 + BASE64URL.indexOf(id[1] ?? "");
    assert.equal(inId, Number(shard), `${id} is in its own shard`);
    if (!parseTimes(hash.get("@"))) checkLeft(at, hash);
    else live.set(at, checkSession(at, hash, expires, layout, dump));
  }
  checkPointers(dump, live, layout);
  checkSets(dump, live, layout);
  checkPlainSets(dump);
  if (model) compare(dump, model);
}

/** An alias or tombstone at an old id has no more fields than that; an alias also the id before it. */
function checkLeft(at: string, hash: ReadonlyMap<string, string>): void {
  const { "@": own = "", "@p": previous, ...more } = Object.fromEntries(hash);
  assert.deepEqual(more, {}, `what is left at ${at} has nothing else`);
  const target = /^alias (.*)$/.exec(own)?.[1];
  if (target === undefined) {
    const says = /^tombstone (?:[1d]|0(?: [A-Za-z0-9._~%-]+)*)$/;
    assert.match(own, says, `${at} is a tombstone`);
    assert.equal(previous, undefined, `the tombstone ${at} leads nowhere`);
  } else {
    const id = at.slice(at.indexOf(":") + 1);
    assert.ok(target && target !== id && previous !== id, `the alias ${at} leads on`);
  }
}

/** A session that was rotated, and no other, is pointed to from its first id, as long as it lives. */
function checkPointers(
  { hashes, pointers, now }: KeyDump,
  live: ReadonlyMap<string, number>,
  { delay = 0 }: Layout,
): void {
  for (const [at, deadline] of live) {
    const [shard, id] = [at.slice(0, at.indexOf(":")), at.slice(at.indexOf(":") + 1)];
    const lineage = hashes.get(at)?.hash.get("@l");
    if (lineage === undefined || deadline < now) continue;
    assert.notEqual(lineage, id, `${at} has another id than at first`);
    assert.equal(pointers.get(`${shard}:${lineage}`)?.id, id, `${lineage} points to ${at}`);
  }
  for (const [at, { id, expires }] of pointers) {
    const [shard, lineage] = [at.slice(0, at.indexOf(":")), at.slice(at.indexOf(":") + 1)];
    if (expires < now) continue;
    const session = hashes.get(`${shard}:${id}`);
    assert.equal(session?.hash.get("@l"), lineage, `the pointer ${at} leads to its session ${id}`);
    const due = live.get(`${shard}:${id}`) ?? Number.NaN;
    assertDue(expires, due, delay, `the pointer ${at} lives as long as its session`);
  }
}

/** I1: each live session is in exactly the sets of its values, scored by its deadline (I6), given. */
function checkSession(
  at: string,
  hash: ReadonlyMap<string, string>,
  expires: number,
  { references, delay = 0 }: Layout,
  { sets, plain }: KeyDump,
): number {
  const times = parseTimes(hash.get("@"));
  assert.ok(times, `${at} has its times`);
  const { seen, idle, absolute } = times;
  const deadline = Math.min(
    idle === "-" ? Number.POSITIVE_INFINITY : Number(seen) + Number(idle),
    absolute === "-" ? Number.POSITIVE_INFINITY : Number(absolute),
  );
  assertDue(expires, deadline, delay, `the time to live of ${at} is its nearer deadline`);

  const expected = new Set<string>();
  for (const [field, { as }] of Object.entries(references)) {
    const text = hash.get(field);
    if (text === undefined) continue;
    for (const value of listValues(decodeValue(text))) {
      const name = `${encodeName(field)}:${encodeName(encodeValue(field, value))}`;
      expected.add(as === "set" ? `=${name}` : name);
    }
  }
  const names = namesIn(hash);
  assert.deepEqual([...names].sort(), [...expected].sort(), `the names of the sets of ${at}`);

  const [shard, id] = [at.slice(0, at.indexOf(":")), at.slice(at.indexOf(":") + 1)];
  for (const name of names) {
    const set = `${shard}:${name.replace("=", "")}`;
    assert.equal(sets.get(set)?.scores.get(id), deadline, `${at} is in ${set}`);
    if (name.startsWith("=")) assert.ok(plain.get(set)?.ids.has(id), `${at} is in plain ${set}`);
  }
  return deadline;
}

function assertDue(expires: number, due: number, delay: number, what: string): void {
  if (expires > due && expires <= due + delay) return;
  assert.equal(expires, due, what);
}

/** I2 and I3: an entry that has not expired leads to a live session that names the set. */
function checkSets(
  { sets, hashes, now }: KeyDump,
  live: ReadonlyMap<string, number>,
  { delay = 0 }: Layout,
): void {
  for (const [set, { scores, expires }] of sets) {
    const [shard, name] = [set.slice(0, set.indexOf(":")), set.slice(set.indexOf(":") + 1)];
    const last = Math.max(...scores.values());
    assertDue(expires, last, delay, `${set} lives as long as its last entry`);
    for (const [id, score] of scores) {
      if (score < now) continue;
      assert.equal(live.get(`${shard}:${id}`), score, `the entry ${id} of ${set} is live`);
      const names = namesIn(hashes.get(`${shard}:${id}`)?.hash ?? new Map());
      assert.ok(names.includes(name) || names.includes(`=${name}`), `${id} is of ${set}`);
    }
  }
}

/** A plain set holds what its sorted set holds, and lives as long. */
function checkPlainSets({ plain, sets }: KeyDump): void {
  for (const [set, { ids, expires }] of plain) {
    const sorted = sets.get(set);
    assert.deepEqual([...ids].sort(), [...(sorted?.scores.keys() ?? [])].sort(), `plain ${set}`);
    assert.equal(expires, sorted?.expires, `how long plain ${set} lives`);
  }
}

/** I4 and I7: what is kept is what was made, not ended and not expired; nothing else. */
function compare({ hashes, now }: KeyDump, model: Model): void {
  const kept = new Map([...hashes].map(([at, one]) => [at.slice(at.indexOf(":") + 1), one]));
  for (const id of kept.keys()) assert.ok(model.places.has(id), `${id} is kept for nothing`);
  for (const [id, place] of model.places) {
    const [deadline] = model.deadlines(place);
    assert.ok(deadline);
    const found = kept.get(id);
    if (!found) {
      assert.ok(deadline.from < now, `the ${place.kind} ${id} is kept`);
      continue;
    }
    const { hash, expires } = found;
    assert.ok(deadline.from <= expires && expires <= deadline.to, `when ${id} expires`);
    assert.deepEqual(Object.fromEntries(hash), { ...pickOwnFields(hash), ...expected(place) });
  }
}

/** The fields of the hash at a place, without the library's own fields of a session. */
function expected(place: Place): Record<string, string> {
  if (place.kind === "tombstone") return { "@": `tombstone ${place.says}` };
  const before: Record<string, string> = place.previous === null ? {} : { "@p": place.previous };
  if (place.kind === "alias") return { "@": `alias ${place.target}`, ...before };
  const entries = Object.entries(place.data);
  const fields = entries.map(([field, value]) => [field, encodeValue(field, value)] as const);
  const first: Record<string, string> = place.lineage === place.id ? {} : { "@l": place.lineage };
  return { ...Object.fromEntries(fields), ...before, ...first };
}

/** The library's own fields of a session that no other session is named in. */
function pickOwnFields(hash: ReadonlyMap<string, string>): Record<string, string> {
  const names = [...hash.keys()].filter((name) => /^@(?!l$|p$)/.test(name));
  return Object.fromEntries(names.map((name) => [name, hash.get(name) ?? ""]));
}

/** The names of the sets that a session is in: in `@r`, or in as many of @r1, @r2, … as it says. */
function namesIn(hash: ReadonlyMap<string, string>): string[] {
  const first = hash.get("@r") ?? "";
  const count = /^\d+$/.test(first) ? Number(first) : 0;
  const parts = Array.from({ length: count }, (_, i) => hash.get(`@r${i + 1}`) ?? "");
  const kept = [...hash.keys()].filter((name) => /^@r\d/.test(name));
  assert.equal(kept.length, count, `${kept} are the parts of the names`);
  const names = count > 0 ? parts.join(" ") : first;
  return names === "" ? [] : names.split(" ");
}

/**
 * Each key under a prefix with its content and when it expires, and the time. One script reads all at one moment, and
 * JSON is one text for the client to parse. Without a shebang it may read all slots of a cluster's master.
 */
const READ_KEYS = `
local found = {}
for _, key in ipairs(redis.call('KEYS', ARGV[1])) do
  local kind = string.match(string.sub(key, #ARGV[1]), '^%d+}:([srmlcp]):.')
  local content = ''
  if kind == 's' then
    content = redis.call('HGETALL', key)
  elseif kind == 'r' or kind == 'p' then
    content = redis.call('ZRANGE', key, 0, -1, 'WITHSCORES')
  elseif kind == 'm' then
    content = redis.call('SMEMBERS', key)
  elseif kind then
    content = redis.call('GET', key)
  end
  found[#found + 1] = { key, content, string.format('%.0f', redis.call('PEXPIRETIME', key)) }
end
return cjson.encode({ found, redis.call('TIME') })`;

type Found = readonly [key: string, content: string | readonly string[], expires: string];

/** Reads every key under the prefix. */
export async function readKeys(
  client: Client,
  { prefix, shards, delay = 0 }: Layout,
): Promise<KeyDump> {
  const text = await client.call("EVAL", [READ_KEYS, "0", `{${prefix}:*`]);
  const [found, time] = JSON.parse(String(text)) as [Found[] | object, [string, string]];
  const dump: KeyDump = {
    hashes: new Map(),
    sets: new Map(),
    plain: new Map(),
    pointers: new Map(),
    now: Number(time[0]) * 1000 + Math.floor(Number(time[1]) / 1000),
  };
  const pattern = new RegExp(`^\\{${prefix.replaceAll(".", "\\.")}:(\\d+)\\}:([srmlcp]):(.+)$`);
  // Lua has one empty table, which is written as {}.
  for (const [key, content, moment] of Array.isArray(found) ? (found as Found[]) : []) {
    const [, shard, kind, name] = pattern.exec(key) ?? [];
    assert.ok(shard !== undefined && Number(shard) < shards, `${key} is of a shard`);
    const at = `${shard}:${name}`;
    const expires = Number(moment);
    assert.ok(expires > 0, `${key} has a time to live (I3)`);
    const members = content as readonly string[];
    if (kind === "s") dump.hashes.set(at, { hash: toPairs(members), expires });
    if (kind === "r") dump.sets.set(at, { scores: toScores(members), expires });
    if (kind === "m") dump.plain.set(at, { ids: new Set(members), expires });
    if (kind === "l") dump.pointers.set(at, { id: content as string, expires });
    checkAside(key, kind as Kind, content, expires, delay);
  }
  return dump;
}

/** Checks what is beside the sessions and their sets: marks of clears, and reservations. */
function checkAside(key: string, kind: Kind, content: unknown, expires: number, delay: number) {
  if (kind === "c") {
    assert.match(String(content), /^\d{13}$/, `${key} is a moment`);
    assertDue(expires, Number(content) + CLEAR_MEMORY_MS, delay, `${key} lives an hour`);
  }
  if (kind === "p") {
    const last = Math.max(...toScores(content as string[]).values());
    assert.ok(expires >= last, `${key} lives as long as its last reservation`);
  }
}

type Kind = "s" | "r" | "m" | "l" | "c" | "p";

function toPairs(flat: readonly string[]): Map<string, string> {
  const pairs = new Map<string, string>();
  for (let i = 0; i + 1 < flat.length; i += 2) pairs.set(flat[i] as string, flat[i + 1] as string);
  return pairs;
}

function toScores(flat: readonly string[]): Map<string, number> {
  return new Map([...toPairs(flat)].map(([id, score]) => [id, Number(score)]));
}
