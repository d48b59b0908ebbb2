import { encodeValue } from "../../shared/codec.ts";
import { SessionError } from "../../shared/errors.ts";
import type { Reference } from "../../store/contract.ts";

/** The set of a user's sessions. @throws SessionError ERR_SESSION_VALUE for anything but a string. */
export function createUserReference(userId: unknown): Reference {
  if (typeof userId !== "string") {
    throw new SessionError("ERR_SESSION_VALUE", "userId must be a string", { field: "userId" });
  }
  return { field: "userId", text: encodeValue("userId", userId), plain: false };
}
