import { createHash } from "node:crypto";
import { SessionError } from "../../shared/errors.ts";
import type { NewSession, Reference } from "../../store/contract.ts";
import { fieldsOf, type JSONRecord } from "../shared/json-record.ts";

/** The data stand beside the session's own fields, and never under their names. */
export const DATA = "data.";

/** What a session has. */
export function storedAs(
  app: string,
  ownerId: string,
  data: JSONRecord,
): Pick<NewSession, "fields" | "references"> {
  const owner = ownerOf(app, ownerId);
  const own = fieldsOf({ app: String(app), ownerId: String(ownerId) });
  return {
    fields: new Map([...own, ...fieldsOf(data, DATA)]),
    references: [{ field: owner.field, texts: [owner.text], plain: false }],
  };
}

/** A hash, so that no token is in Redis, and no token can be a pattern or another app's. */
export function idOf(app: unknown, token: unknown): string {
  const named = JSON.stringify([textOf("app", app), typeof token === "string" ? token : null]);
  return createHash("sha256").update(named).digest("base64url");
}

export function ownerOf(app: unknown, ownerId: unknown): Reference {
  const text = JSON.stringify([textOf("app", app), textOf("ownerId", ownerId)]);
  return { field: "ownerId", text, plain: false };
}

/** A number stands for its text. */
function textOf(name: string, value: unknown): string {
  if (typeof value === "string" || Number.isFinite(value)) return String(value);
  throw new SessionError("ERR_SESSION_VALUE", `${name} must be a string`, { field: name });
}
