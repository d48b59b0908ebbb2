import { createConfigError, listOptionNames, quote } from "../../shared/errors.ts";
import { readOptions } from "../../shared/given.ts";
import type { Cause, Initiator } from "../../store/feed.ts";

/** Why a session is ended. `onEnd` and `endings` tell it; nothing is kept. */
export interface CauseOptions {
  /**
   * Who ends it, in the words of CAEP (OpenID Continuous Access Evaluation Profile): `"user"`, `"admin"`,
   * `"policy"` or `"system"`.
   * @default none
   */
  initiator?: Initiator;
  /**
   * Why, in a text of at most 200 characters, such as `"stolen laptop"`.
   * @default none
   */
  reason?: string;
}

export const CAUSE_OPTIONS = listOptionNames<CauseOptions>({ initiator: true, reason: true });

const INITIATORS: readonly unknown[] = Object.keys({
  user: true,
  admin: true,
  policy: true,
  system: true,
} satisfies Record<Initiator, true>);
const MAX_REASON_LENGTH = 200;

/**
 * Checks the cause among options that were read. It is undefined where the caller gave none.
 *
 * @throws SessionError ERR_SESSION_CONFIG for an unknown initiator, and for a reason that no store can
 * tell. Nothing was ended.
 */
export function checkCause({ initiator, reason }: CauseOptions): Cause | undefined {
  if (initiator !== undefined && !INITIATORS.includes(initiator)) {
    throw createConfigError(
      `initiator must be one of ${INITIATORS.map(quote).join(", ")}; got ${quote(initiator)}. Nothing was ended`,
      { option: "initiator" },
    );
  }
  if (reason !== undefined && !isReason(reason)) {
    throw createConfigError(
      `reason must be a text of at most ${MAX_REASON_LENGTH} characters, without lone surrogates. Nothing was ended`,
      { option: "reason" },
    );
  }
  if (initiator === undefined && reason === undefined) return undefined;
  return { initiator: initiator ?? null, reason: reason ?? null };
}

function isReason(reason: unknown): boolean {
  return typeof reason === "string" && reason.length <= MAX_REASON_LENGTH && reason.isWellFormed();
}

/** Reads the options of a verb that has no others than the cause. */
export function parseCause(verb: string, options: CauseOptions): Cause | undefined {
  return checkCause(readOptions(verb, options, CAUSE_OPTIONS));
}
