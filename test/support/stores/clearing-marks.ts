import assert from "node:assert/strict";
import { CLEAR_MEMORY_MS } from "../../../src/store/entering.ts";
import type { Client } from "./stores.ts";

/* The keys that a clear leaves beside its set, for an hour. */

const MARK = /\}:c:/;

/** The keys that aren't marks. */
export function omitMarks(keys: readonly string[]): string[] {
  return keys.filter((key) => !MARK.test(key));
}

/** Checks that each mark ends within the hour, and then ends them, as if that had passed. */
export async function elapseMarks(client: Client): Promise<number> {
  const marks = (await client.keys("*")).filter((key) => MARK.test(key));
  for (const key of marks) {
    const left = await client.pttl(key);
    assert.ok(left > 0 && left <= CLEAR_MEMORY_MS, `${key} ends within the hour, in ${left} ms`);
    await client.pexpire(key, 1);
  }
  return marks.length;
}
