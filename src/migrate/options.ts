import { readCallOptions } from "../shared/call-options.ts";
import { createCursorError, listOptionNames } from "../shared/errors.ts";

/** How `moveSessions` walks. */
export interface MoveOptions {
  /** The `cursor` of a progress, to go on from there; null or left out begins anew. */
  cursor?: string | null;
}

const OPTIONS = listOptionNames<MoveOptions>({ cursor: true });

/** @throws SessionError ERR_SESSION_CONFIG for what are no options of `moveSessions`. */
export function parseCursor(options: MoveOptions): string | null {
  const { cursor = null } = readCallOptions("moveSessions", options, OPTIONS);
  if (cursor !== null && typeof cursor !== "string") {
    throw createCursorError();
  }
  return cursor;
}
