import { toMessage } from "./errors.ts";

const warned = new Set<string>();

/** Warns of what works and is likely to be a mistake, as Node shows it. */
export function warn(code: string, message: string): void {
  process.emitWarning(toMessage(message), { type: "SessionSetsWarning", code });
}

/** The same, once in a process for each message. */
export function warnOnce(code: string, message: string): void {
  if (warned.has(message)) return;
  warned.add(message);
  warn(code, message);
}
