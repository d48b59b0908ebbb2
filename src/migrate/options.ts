import { readCallOptions } from "../shared/call-options.ts";
import { createCursorError, listOptionNames } from "../shared/errors.ts";

/** Where `moveSessions` begins. */
export interface MoveOptions {
  /** The `cursor` of an earlier progress, to go on from there. Null or left out: at the beginning. */
  cursor?: string | null;
}

const OPTIONS = listOptionNames<MoveOptions>({ cursor: true });

/** @throws SessionError ERR_SESSION_CONFIG for an option that `moveSessions` doesn't have. */
export function parseCursor(options: MoveOptions): string | null {
  const { cursor = null } = readCallOptions("moveSessions", options, OPTIONS);
  if (cursor !== null && typeof cursor !== "string") {
    throw createCursorError();
  }
  return cursor;
}
