/* The times of a session as its hash keeps them: one text, in the field `@`. */

/** Created (µs), last seen, idle timeout and absolute deadline (ms); "-" for one that is missing. */
export interface StoredTimes {
  readonly created: string;
  readonly seen: string;
  readonly idle: string;
  readonly absolute: string;
}

/** Null where the text is of an alias, of a tombstone, or of nothing that the library writes. */
export function parseTimes(own: string | null | undefined): StoredTimes | null {
  const [, created, seen, idle, absolute] = /^(\d+) (-?\d+) (\d+|-) (\d+|-)$/.exec(own ?? "") ?? [];
  return created && seen && idle && absolute ? { created, seen, idle, absolute } : null;
}

/** One of ioredis, or what calls a command in the same way. */
interface Client {
  call(command: string, ...args: string[]): Promise<unknown>;
}

/** Writes some of a session's times by hand, and leaves the others. */
export async function editTimes(
  client: Client,
  key: string,
  changes: Partial<Record<keyof StoredTimes, string | number>>,
): Promise<void> {
  const times = parseTimes((await client.call("HGET", key, "@")) as string | null);
  if (!times) throw new Error(`${key} is no session`);
  const { created, seen, idle, absolute } = { ...times, ...changes };
  await client.call("HSET", key, "@", `${created} ${seen} ${idle} ${absolute}`);
}
