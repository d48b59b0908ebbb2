import { callOptions } from "../shared/call-options.ts";
import { createConfigError, listOptionNames } from "../shared/errors.ts";

/** How `migrateOnUse` walks. */
export interface MigrateOptions {
  /** The `cursor` of a progress, to go on from there; null or left out begins anew. */
  cursor?: string | null;
}

const OPTIONS = listOptionNames<MigrateOptions>({ cursor: true });

/** @throws SessionError ERR_SESSION_CONFIG for what are no options of `migrateOnUse`. */
export function parseCursor(options: MigrateOptions): string | null {
  const { cursor = null } = callOptions("migrateSessions", options, OPTIONS);
  if (cursor !== null && typeof cursor !== "string") {
    throw createConfigError("cursor must be the cursor of an earlier progress, or null", {
      option: "cursor",
    });
  }
  return cursor;
}
