/*
 * What the tests and scripts of this project install by themselves. All of them ask here first: what
 * is to come is said before it comes, in the same words everywhere, and SESSION_SETS_INSTALL=0
 * forbids it.
 */
import { writeSync } from "node:fs";

/**
 * Says that `what` is going to be installed, and how: by which commands, or from where to where. It
 * says nothing where there is no way (`how` is ""). Throws where installing is forbidden: `missing`
 * says what is needed and was not found, and `advice` what to do instead, each without a full stop.
 */
export function announceInstall({ what, how, missing, advice }) {
  if (isForbidden()) {
    throw new Error(
      `${missing}, and SESSION_SETS_INSTALL=0 forbids installing anything. ${advice}.`,
    );
  }
  if (!how) return;
  // Straight to the descriptor: on a terminal vitest keeps back what is written to `process.stderr`
  // until the event loop turns, which is after an installation that blocks it.
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
