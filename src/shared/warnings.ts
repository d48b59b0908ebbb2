import { asMessage } from "./errors.ts";

const told = new Set<string>();

/** Warns of what works and is likely to be a mistake, as Node shows it. */
export function warn(code: string, message: string): void {
  process.emitWarning(asMessage(message), { type: "SessionSetsWarning", code });
}

/** The same, once in a process for each message. */
export function warnOnce(code: string, message: string): void {
  if (told.has(message)) return;
  told.add(message);
  warn(code, message);
}
