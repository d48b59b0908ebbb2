import { createHash } from "node:crypto";
import { SessionError } from "../../shared/errors.ts";
import type { NewSession, Reference } from "../../store/contract.ts";
import { encodeRecord, type JSONRecord } from "../shared/json-record.ts";

/** Begins the names of the data's fields, so that none has the name of a field of the session's own. */
export const DATA_PREFIX = "data.";

/** The fields and references of a session. */
export function encodeSession(
  app: string,
  ownerId: string,
  data: JSONRecord,
): Pick<NewSession, "fields" | "references"> {
  const owner = createOwnerReference(app, ownerId);
  const own = encodeRecord({ app: String(app), ownerId: String(ownerId) });
  return {
    fields: new Map([...own, ...encodeRecord(data, DATA_PREFIX)]),
    references: [{ field: owner.field, texts: [owner.text], plain: false }],
  };
}

/** The id is a hash, so that no token is in Redis, and no token can be a pattern or another app's. */
export function deriveId(app: unknown, token: unknown): string {
  const named = JSON.stringify([toText("app", app), typeof token === "string" ? token : null]);
  return createHash("sha256").update(named).digest("base64url");
}

export function createOwnerReference(app: unknown, ownerId: unknown): Reference {
  const text = JSON.stringify([toText("app", app), toText("ownerId", ownerId)]);
  return { field: "ownerId", text, plain: false };
}

/** A number stands for its text. */
function toText(name: string, value: unknown): string {
  if (typeof value === "string" || Number.isFinite(value)) return String(value);
  throw new SessionError("ERR_SESSION_VALUE", `${name} must be a string`, { field: name });
}
