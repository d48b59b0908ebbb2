import type { Data, Form } from "@/lib/sessions.ts";

/** The values for a new session of the user; null if the name or the password is wrong. */
export function authenticate({ name, password }: Form, userAgent: string | null): Data | null {
  // A real application looks up its users, compares hashes, and slows down guessing.
  if (name !== "ada" || password !== "correct horse") return null;
  const [device = "A browser"] = /Firefox|Chrome|Safari|curl/.exec(userAgent ?? "") ?? [];
  return { user_id: 1, device };
}
