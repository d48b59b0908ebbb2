/*
 * The library's own fields in a session's hash, which begin with "@":
 *
 *   @c  created, in microseconds: with the shard it tells a session from all others, and a rotation
 *       keeps it            @s  last seen (ms)
 *   @i  idle timeout (ms)   @a  absolute deadline (ms)
 *   @r  the names of the sets it is in
 *   @to (alone) an alias: the id it leads to
 *   @x  (alone) a tombstone: "1" if its session had a value in an identity field
 *
 * Times are decimal: a listpack stores a decimal integer in at most nine bytes, which is as short as
 * base 36, and reads well.
 */
const OWN = ["@c", "@s", "@i", "@a", "@to", "@x"];
/** The arguments of an HMGET for some fields, and its reply as name and value. */
export const ownAnd = (names) => [...OWN, ...names];
export function pairsOf(names, reply) {
  const values = reply;
  const pairs = new Map();
  for (const [i, name] of names.entries()) {
    const value = values[i];
    if (typeof value === "string") pairs.set(name, value);
  }
  return pairs;
}
/** A hash as an array of name, value, … */
export function pairsOfHash(reply) {
  const flat = reply;
  const pairs = new Map();
  for (let i = 0; i + 1 < flat.length; i += 2) pairs.set(flat[i], flat[i + 1]);
  return pairs;
}
/** What the hash at `id` is; for an alias the id it leads to. */
export function lookupOf(id, hash, now) {
  const target = hash.get("@to");
  if (target !== undefined) return { state: "alias", target };
  const tombstone = hash.get("@x");
  if (tombstone !== undefined) return { state: "superseded", hadIdentity: tombstone === "1" };
  if (!hash.has("@c")) return { state: "gone" };
  return { state: "live", session: sessionOf(id, hash), now };
}
export function sessionOf(id, hash) {
  const times = timesOf([hash.get("@c"), hash.get("@s"), hash.get("@i"), hash.get("@a")]);
  return { id, fields: fieldsOf(hash), ...times };
}
export function fieldsOf(hash) {
  return new Map([...hash].filter(([name]) => !name.startsWith("@")));
}
/** The times of a session from what the scripts answer: "" and undefined are none. */
export function timesOf(reply) {
  const [created, seen, idle, absolute] = reply;
  const lastSeenAt = Number(seen);
  const idleTimeout = idle ? Number(idle) : null;
  const absoluteDeadline = absolute ? Number(absolute) : null;
  return {
    createdAt: Math.floor(Number(created) / 1000),
    lastSeenAt,
    idleTimeout,
    absoluteDeadline,
    expiresAt: Math.min(
      idleTimeout === null ? Number.POSITIVE_INFINITY : lastSeenAt + idleTimeout,
      absoluteDeadline ?? Number.POSITIVE_INFINITY,
    ),
  };
}
