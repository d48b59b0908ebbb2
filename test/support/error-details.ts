/* The details of an error that not all errors have. */
import { SessionError } from "session-sets";
import { expect } from "vitest";

const OF_ALL = [
  ...["name", "code", "status", "expose", "message", "hint", "stack", "cause"],
  "getResponse", // for Hono
];

/** The details that belong to an error's code. Its JSON doesn't show them. */
export function readDetails(error: SessionError): Record<string, unknown> {
  const names = Object.getOwnPropertyNames(error).filter((name) => !OF_ALL.includes(name));
  for (const name of names) expect(Object.keys(error)).not.toContain(name);
  return Object.fromEntries(names.map((name) => [name, error[name as keyof SessionError]]));
}

/** The error that a call throws or rejects with. */
export async function thrownBy(call: () => unknown): Promise<SessionError> {
  const thrown = await new Promise((resolve) => resolve(call())).then(
    () => new Error("It did what it was to refuse."),
    (error: unknown) => error,
  );
  expect(thrown).toBeInstanceOf(SessionError);
  return thrown as SessionError;
}
