/* The parts that the examples share: sessions, one user, and three pages. None of them depends on a framework. */
import { Redis } from "ioredis";
import { createSessions, type Session } from "session-sets";
import { memoryStore } from "session-sets/memory";
import { redisStore } from "session-sets/redis";

export interface Data {
  /** The user. It is a reference, so that all sessions of a user can be found. */
  user_id?: number;
  device?: string;
}

const { REDIS_URL } = process.env;

export const sessions = createSessions({
  data: {} as Data,
  store: REDIS_URL ? redisStore(new Redis(REDIS_URL), { prefix: "example" }) : memoryStore(),
  references: ["user_id"],
  idleTimeout: "30 minutes",
  absoluteTimeout: "12 hours",
});

/** A form as a framework has parsed it. */
export type Form = { readonly [field: string]: unknown };

// A real application looks up its users, compares hashes, and slows down guessing.
const ada = { name: "ada", password: "correct horse" };

/** The values for a new session of the user; null if the name or the password is wrong. */
export function authenticate({ name, password }: Form, userAgent = ""): Data | null {
  if (name !== ada.name || password !== ada.password) return null;
  return { user_id: 1, device: /Firefox|Chrome|Safari|curl/.exec(userAgent)?.[0] ?? "A browser" };
}

/** Stores a new password, if the form has the present one. Returns whether it did. */
export function changePassword({ password, new_password }: Form): boolean {
  if (password !== ada.password || typeof new_password !== "string" || new_password === "") {
    return false;
  }
  ada.password = new_password;
  return true;
}

export function signInPage(csrf: string, message = ""): string {
  return page(
    "Sign in",
    `<p>${escapeHTML(message)}</p>
    ${form("/sign-in", csrf, '<input name="name" value="ada"> <input name="password" type="password" value="correct horse">', "Sign in")}`,
  );
}

/** A page of the user's devices, each with a button that signs it out. */
export function devicesPage(
  csrf: string,
  here: Session<Partial<Data>>,
  devices: readonly Session<Data>[],
): string {
  const items = devices.map(({ lineage, data, lastSeenAt }) => {
    const what = `${escapeHTML(data.device ?? "")}, last seen ${lastSeenAt.toISOString()}`;
    if (lineage === here.lineage) return `<li>${what} (this one)</li>`;
    // Unlike the id, the lineage stays the same when the session gets a new token.
    const hidden = `<input type="hidden" name="lineage" value="${escapeHTML(lineage)}">`;
    return `<li>${what} ${form("/devices/end", csrf, hidden, "Sign out")}</li>`;
  });
  return page(
    "Your devices",
    `<ul>${items.join("\n")}</ul>
    ${form("/sign-out", csrf, "", "Sign out here")}
    ${form("/devices/end-others", csrf, "", "Sign out all others")}
    ${form("/sign-out-everywhere", csrf, "", "Sign out everywhere")}
    <a href="/password">Change the password</a>`,
  );
}

/** The form in which a user who knows the present password gives a new one. */
export function passwordPage(csrf: string, message = ""): string {
  return page(
    "Change the password",
    `<p>${escapeHTML(message)}</p>
    ${form("/password", csrf, '<input name="password" type="password"> <input name="new_password" type="password">', "Change it")}`,
  );
}

/** Prints the address of the example. */
export function announce(address: unknown): void {
  const { port } = Object(address);
  console.log(`http://localhost:${port}`);
}

function form(action: string, csrf: string, fields: string, button: string): string {
  return `<form method="post" action="${action}">
    <input type="hidden" name="_csrf" value="${escapeHTML(csrf)}">${fields}<button>${button}</button></form>`;
}

function page(title: string, body: string): string {
  return `<!doctype html><html lang="en"><title>${title}</title><h1>${title}</h1>${body}</html>`;
}

function escapeHTML(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
