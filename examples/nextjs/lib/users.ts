import type { Data, Form } from "@/lib/sessions.ts";

/** The password of ada, in whichever copy of this module: Server Actions have another than route handlers. */
const shared = globalThis as { password?: string };
// A real application looks up its users, compares hashes, and slows down guessing.
shared.password ??= "correct horse";

/** The values for a new session of the user; null if the name or the password is wrong. */
export function authenticate({ name, password }: Form, userAgent: string | null): Data | null {
  if (name !== "ada" || password !== shared.password) return null;
  const [device = "A browser"] = /Firefox|Chrome|Safari|curl/.exec(userAgent ?? "") ?? [];
  return { user_id: 1, device };
}

/** Stores a new password, if the form has the present one. Returns whether it did. */
export function changePassword({ password, new_password }: Form): boolean {
  if (password !== shared.password || typeof new_password !== "string" || new_password === "") {
    return false;
  }
  shared.password = new_password;
  return true;
}
