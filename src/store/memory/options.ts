import { createConfigError, listOptionNames, quote } from "../../shared/errors.ts";
import { readOptions } from "../../shared/given.ts";
import type { SessionStore } from "../contract.ts";
import { MemoryStore } from "./store.ts";

/** How sessions are kept in memory. */
export interface MemoryStoreOptions {
  /**
   * How many sessions may be kept at once. Where there are more, or they take more than
   * `maxTotalBytes`, the oldest one without a user goes; where all have one, it is ERR_STORE_FULL.
   * @default 100_000
   */
  maxSessions?: number;
  /**
   * How many bytes all sessions may take together: those of their names and values, and about a
   * kilobyte for each.
   * @default 134_217_728 (128 MiB), which a container of 512 MB has room for
   */
  maxTotalBytes?: number;
  /**
   * The clock, in ms since 1970: everything that this store does goes by it. A test gives a clock of its
   * own, `memoryStore({ now: () => now })`, and moves it.
   * @default Date.now, also where a test's fake timers have replaced it
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
 * A store in this process's memory: for development, tests and programs of one process that may
 * forget their sessions when they stop. It keeps every promise that the Redis store keeps.
 *
 * @throws SessionError ERR_SESSION_CONFIG for an option it does not know or cannot work with.
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
    throw createConfigError(NO_CLOCK, { option: "now" });
  }
  return new MemoryStore(
    { maxSessions, maxTotalBytes },
    now ? { now: checked(now), isOwn: true } : { now: wallClock, isOwn: false },
  );
}

/** Looked up at each call: fake timers put another `Date` in its place, perhaps after this store was made. */
const wallClock = () => Date.now();

/** A clock that gives a time, or says that it does not: by no time at all nothing would ever expire. */
function checked(now: () => unknown): () => number {
  return () => {
    const time = now();
    if (typeof time === "number" && Number.isFinite(time)) return time;
    throw createConfigError(`${NO_CLOCK}; it gave ${quote(time)}`, { option: "now" });
  };
}

const NO_CLOCK = "now must be a function that gives the time in ms, as Date.now does";
