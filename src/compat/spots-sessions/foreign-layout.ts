import type { ForeignValue } from "../../migrate/foreign-keys.ts";
import type { ForeignLayout, MigratedSession } from "../../migrate/migrator.ts";
import { toJSONRecord } from "../shared/json-record.ts";
import { deriveId, encodeSession } from "./stored.ts";

/** A key that can be read in one way only: no part holds the name of a part. */
const KEY_PATTERN =
  /^app:((?:(?!\|token:).)*)\|token:((?:(?!\|token:|\|ownerId:).)*)\|ownerId:(.*)$/s;

/** How @spots-tech/sessions keeps sessions: the data as JSON, and everything else in the key. */
export const FOREIGN_LAYOUT: ForeignLayout = {
  pattern: "app:*|token:*|ownerId:*",
  type: "string",
  index: null,
  toKey: null, // the owner is in the key, and no call that has a token knows the owner
  parseSession(key: string, { value, expiresAt }: ForeignValue): MigratedSession | null {
    const [, app, token, ownerId] = KEY_PATTERN.exec(key) ?? [];
    if (app === undefined || token === undefined || ownerId === undefined) return null;
    if (/\|(?:token|ownerId):/.test(ownerId) || expiresAt === null) return null;
    const data = toJSONRecord("data", JSON.parse(String(value)));
    return {
      id: deriveId(app, token),
      ...encodeSession(app, ownerId, data),
      expiresAt,
      entries: [],
    };
  },
};
