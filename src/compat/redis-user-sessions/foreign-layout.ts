import type { ForeignValue } from "../../migrate/foreign-keys.ts";
import type { ForeignLayout, MigratedSession } from "../../migrate/migrator.ts";
import { encodeRecord, encodeText, toJSONRecord } from "../shared/json-record.ts";
import { parseTimestamp } from "./iso-timestamp.ts";
import { createUserReference } from "./user.ts";

const KEY_PREFIX = "session:";
const toIndexKey = (_field: string, userId: string) => `user:${userId}:sessions`;

/**
 * How redis-user-sessions keeps sessions:
 *
 *   session:<sessionId>     string      the session as JSON
 *   user:<userId>:sessions  sorted set  ids of the user's sessions, scored by the moment they expire
 */
export const FOREIGN_LAYOUT: ForeignLayout = {
  pattern: `${KEY_PREFIX}*`,
  type: "string",
  index: { type: "sorted set", toKey: toIndexKey },
  toKey: (sessionId) => KEY_PREFIX + sessionId,
  parseSession(key: string, { value, expiresAt }: ForeignValue): MigratedSession {
    const record = toJSONRecord("The session", JSON.parse(String(value)));
    const user = createUserReference(record.userId);
    const deadline = parseTimestamp(record.expires);
    const sessionId = key.slice(KEY_PREFIX.length);
    return {
      id: encodeText(sessionId),
      fields: encodeRecord(record),
      references: [{ field: user.field, texts: [user.text], plain: false }],
      expiresAt: expiresAt ?? deadline,
      entries: [{ key: toIndexKey(user.field, String(record.userId)), member: sessionId }],
    };
  },
};
