import type { Data } from "./sessions.server.ts";

// A real application looks up its users, compares hashes, and slows down guessing.
let password = "correct horse";

/** The values for a new session of the user; null if the name or the password is wrong. */
export function authenticate(form: FormData, userAgent: string | null): Data | null {
  if (form.get("name") !== "ada" || form.get("password") !== password) return null;
  const [device = "A browser"] = /Firefox|Chrome|Safari|curl/.exec(userAgent ?? "") ?? [];
  return { user_id: 1, device };
}

/** Whether the old password was right; then the new one is in force. */
export function changePassword(form: FormData): boolean {
  if (form.get("password") !== password) return false;
  password = String(form.get("new_password"));
  return true;
}
