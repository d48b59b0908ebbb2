import type { FeedEvent, Initiator, StoredEndingKind } from "../../feed.ts";

/*
 * The messages on a shard's channel. A script (includes/feed.lua) sends one, with a line for each of
 * these. Ids, lineages and reasons are percent-encoded; `-` stands for none.
 *
 *   ended <at> <how> <initiator> <=reason> <id or id:lineage> …
 *   rotated <at> <from> <to> <lineage>
 *   shortened <at> <deadline> <id> <lineage>
 *   hello <nonce>
 */

/** A line of a message: an event, or the nonce of a hello. */
export type Line = FeedEvent | { readonly type: "hello"; readonly nonce: string };

const KINDS: Readonly<Record<StoredEndingKind, true>> = {
  delete: true,
  clear: true,
  trim: true,
  limit: true,
  "sign-in": true,
};
const INITIATORS: Readonly<Record<Initiator, true>> = {
  user: true,
  admin: true,
  policy: true,
  system: true,
};

/** The lines of a message. Those that no script of this version has sent are left out. */
export function decodeMessage(text: string): Line[] {
  return text.split("\n").flatMap((line) => {
    try {
      return decodeLine(line.split(" ")) ?? [];
    } catch {
      return []; // an escape that isn't one
    }
  });
}

function decodeLine([word, ...rest]: readonly string[]): Line | null {
  switch (word) {
    case "ended":
      return decodeEnded(rest);
    case "rotated":
      return decodeRotated(rest);
    case "shortened":
      return decodeShortened(rest);
    case "hello":
      return { type: "hello", nonce: rest[0] ?? "" };
    default:
      return null;
  }
}

function decodeEnded([time, how = "", initiator = "", reason = "", ...rest]: readonly string[]) {
  const at = decodeTime(time);
  const sessions = rest.map(decodeSession);
  if (at === null || !Object.hasOwn(KINDS, how) || sessions.length === 0) return null;
  const cause = {
    initiator: Object.hasOwn(INITIATORS, initiator) ? (initiator as Initiator) : null,
    reason: reason.startsWith("=") ? decodeURIComponent(reason.slice(1)) : null,
  };
  return { type: "ended", at, how: how as StoredEndingKind, cause, sessions } as const;
}

function decodeSession(word: string) {
  const [id = "", lineage = id] = word.split(":").map(decodeURIComponent);
  return { id, lineage };
}

function decodeRotated([time, ...rest]: readonly string[]) {
  const at = decodeTime(time);
  const [from, to, lineage] = rest.map(decodeURIComponent);
  if (at === null || !from || !to || !lineage) return null;
  return { type: "rotated", at, from, to, lineage } as const;
}

function decodeShortened([time, deadline, ...rest]: readonly string[]) {
  const [at, expiresAt] = [decodeTime(time), decodeTime(deadline)];
  const [id, lineage] = rest.map(decodeURIComponent);
  if (at === null || expiresAt === null || !id || !lineage) return null;
  return { type: "shortened", at, id, lineage, expiresAt } as const;
}

/** A time that a Date can hold. */
function decodeTime(text = ""): number | null {
  return /^-?\d{1,15}$/.test(text) ? Number(text) : null;
}
