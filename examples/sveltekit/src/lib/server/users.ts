import type { Data } from "./sessions.ts";

// A real application looks up its users, compares hashes, and slows down guessing.
let password = "correct horse";

/** The values for a new session of the user; null if the name or the password is wrong. */
export function authenticate(form: FormData, userAgent: string | null): Data | null {
  if (form.get("name") !== "ada" || form.get("password") !== password) return null;
  const [device = "A browser"] = /Firefox|Chrome|Safari|curl/.exec(userAgent ?? "") ?? [];
  return { user_id: 1, device };
}

/** Stores a new password, if the form has the present one. Returns whether it did. */
export function changePassword(form: FormData): boolean {
  const changed = form.get("new_password");
  if (form.get("password") !== password || typeof changed !== "string" || changed === "") {
    return false;
  }
  password = changed;
  return true;
}
