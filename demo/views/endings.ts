import { MAX_DEVICES } from "../context.ts";

/** Why the app ends sessions: what it passes as the `reason`, and the stream of the ended window tells. */
export const REASONS = {
  one: "one",
  others: "others",
  everywhere: "everywhere",
  password: "password",
} as const;

const ENDINGS: Readonly<Record<string, string>> = {
  [REASONS.one]: "This device was signed out from another one.",
  [REASONS.others]: "This device was signed out, because another one signed out all others.",
  [REASONS.everywhere]: "This device was signed out, because another one signed out everywhere.",
  [REASONS.password]:
    "This device was signed out, because the password was changed on another one.",
  delete: "This device was signed out.",
  clear: "This device was signed out.",
  unknown: "This device was signed out.",
  "sign-in": "Someone has signed in again in this browser.",
  limit: `This device was signed out, because at most ${MAX_DEVICES} can be signed in and it was the oldest.`,
  trim: "This device was signed out, because only the newest were kept.",
  expire: "Your session has expired.",
};

/** Why a device is at the sign-in page, by how or why its session has ended; undefined for all other words. */
export function describeEnding(word: unknown): string | undefined {
  return typeof word === "string" && Object.hasOwn(ENDINGS, word) ? ENDINGS[word] : undefined;
}
