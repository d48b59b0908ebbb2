import { createConfigError, listOptionNames, quote } from "../../shared/errors.ts";
import { readOptions } from "../../shared/given.ts";
import type { SessionStore } from "../contract.ts";
import { MemoryStore } from "./store.ts";

/** How sessions are kept in memory. */
export interface MemoryStoreOptions {
  /**
   * The most sessions to keep at once. When this limit or `maxTotalBytes` is reached, the oldest
   * sessions without a user are ended. If all have a user, making a session rejects with ERR_STORE_FULL.
   * @default 100_000
   */
  maxSessions?: number;
  /**
   * The most bytes that all sessions may take together. A session counts for the bytes of its names and
   * values, and about a kilobyte more.
   * @default 134_217_728 (128 MiB), which fits a container of 512 MB
   */
  maxTotalBytes?: number;
  /**
   * The store's clock, in ms since 1970. A test passes a clock of its own,
   * `memoryStore({ now: () => now })`, and sets it forward.
   * @default Date.now, even if a test's fake timers have replaced it
   */
  now?: () => number;
}

const OPTIONS = listOptionNames<MemoryStoreOptions>({
  maxSessions: true,
  maxTotalBytes: true,
  now: true,
});
const MIB = 1_048_576;

/**
 * A store in the memory of this process. It is for development, for tests, and for programs of one
 * process that may lose their sessions when it stops. It keeps every promise of the Redis store.
 *
 * @throws SessionError ERR_SESSION_CONFIG for an unknown or invalid option.
 */
export function memoryStore(options: MemoryStoreOptions = {}): SessionStore {
  const given = readOptions("memoryStore", options, OPTIONS);
  const { maxSessions = 100_000, maxTotalBytes = 128 * MIB, now } = given;
  for (const [name, bound] of Object.entries({ maxSessions, maxTotalBytes })) {
    if (!(Number.isInteger(bound) && bound >= 1)) {
      throw createConfigError(`${name} must be a whole number above zero`, { option: name });
    }
  }
  if (now !== undefined && typeof now !== "function") {
    throw createConfigError(CLOCK_MESSAGE, { option: "now" });
  }
  return new MemoryStore(
    { maxSessions, maxTotalBytes },
    now ? { now: checkClock(now), isOwn: true } : { now: readWallClock, isOwn: false },
  );
}

/** Looks `Date` up at each call, because fake timers may replace it after the store was made. */
const readWallClock = () => Date.now();

/** A clock that throws if `now` returns no time: without a time nothing would ever expire. */
function checkClock(now: () => unknown): () => number {
  return () => {
    const time = now();
    if (typeof time === "number" && Number.isFinite(time)) return time;
    throw createConfigError(`${CLOCK_MESSAGE}; it gave ${quote(time)}`, { option: "now" });
  };
}

const CLOCK_MESSAGE = "now must be a function that gives the time in ms, as Date.now does";
