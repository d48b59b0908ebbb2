import type { OldValue } from "../../migrate/foreign-keys.ts";
import type { OldLayout, OldSession } from "../../migrate/migrator.ts";
import { asJSON } from "../shared/json-record.ts";
import { idOf, storedAs } from "./stored.ts";

/** A key that can be read in one way only. */
const KEY = /^app:((?:(?!\|token:).)*)\|token:((?:(?!\|token:|\|ownerId:).)*)\|ownerId:(.*)$/s;

/** As @spots-tech/sessions has kept sessions: the data as JSON, and all else in the key. */
export const OLD_LAYOUT: OldLayout = {
  pattern: "app:*|token:*|ownerId:*",
  type: "string",
  index: "set", // there is none
  slides: false,
  sessionOf(key: string, { value, expiresAt }: OldValue): OldSession | null {
    const [, app, token, ownerId] = KEY.exec(key) ?? [];
    if (app === undefined || token === undefined || ownerId === undefined) return null;
    if (/\|(?:token|ownerId):/.test(ownerId) || expiresAt === null) return null;
    const data = asJSON("data", JSON.parse(String(value)));
    return { id: idOf(app, token), ...storedAs(app, ownerId, data), expiresAt, entries: [] };
  },
};
