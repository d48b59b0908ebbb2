/*
 * Every test or script of this project that installs something announces it here first, in the same
 * words. SESSION_SETS_INSTALL=0 forbids all of them.
 */
import { writeSync } from "node:fs";

/**
 * Prints that `what` is going to be installed, and how: by which commands, or from where to where. It
 * prints nothing if there is no way (`how` is ""). Throws if installing is forbidden: `missing` says
 * what is needed and wasn't found, and `advice` what to do instead, each without a full stop.
 */
export function announceInstall({ what, how, missing, advice }) {
  if (isForbidden()) {
    throw new Error(
      `${missing}, and SESSION_SETS_INSTALL=0 forbids installing anything. ${advice}.`,
    );
  }
  if (!how) return;
  // Written to the descriptor: on a terminal, vitest holds back `process.stderr` until the event loop
  // turns, and the installation blocks it.
  writeSync(2, `Installing ${what}: ${how}. SESSION_SETS_INSTALL=0 forbids it.\n`);
}

function isForbidden() {
  const value = process.env.SESSION_SETS_INSTALL ?? "";
  if (value === "0") return true;
  if (value === "" || value === "1") return false;
  throw new Error(
    `SESSION_SETS_INSTALL is set to ${JSON.stringify(value)}. Set it to 0 to forbid installing what is missing, or to 1 to allow it.`,
  );
}
