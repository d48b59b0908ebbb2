import { misconfigured, refuseUnknownKeys } from "../../errors.ts";
import type { SessionStore } from "../contract.ts";
import { MemoryStore } from "./store.ts";

/** How sessions are kept in memory. */
export interface MemoryStoreOptions {
  /**
   * How many sessions may be kept at once; one more is ERR_STORE_FULL.
   * @default 100_000
   */
  maxSessions?: number;
  /**
   * The clock: ms since 1970.
   * @default Date.now
   */
  now?: () => number;
}

/**
 * A store in this process's memory: for development, tests and programs of one process that may
 * forget their sessions when they stop. It keeps every promise that the Redis store keeps.
 *
 * @throws SessionError ERR_SESSION_CONFIG for an option it does not know or cannot work with.
 */
export function memoryStore(options: MemoryStoreOptions = {}): SessionStore {
  refuseUnknownKeys("memoryStore", options, ["maxSessions", "now"]);
  const { maxSessions = 100_000, now = Date.now } = options;
  if (!(Number.isInteger(maxSessions) && maxSessions >= 1)) {
    throw misconfigured("maxSessions must be a whole number above zero");
  }
  if (typeof now !== "function") {
    throw misconfigured("now must be a function that gives the time in ms");
  }
  return new MemoryStore(maxSessions, now);
}
