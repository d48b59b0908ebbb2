import { toMessage } from "./errors.ts";

const warned = new Set<string>();

/** Warns, by a warning of Node, of something that works and is likely a mistake. */
export function warn(code: string, message: string): void {
  process.emitWarning(toMessage(message), { type: "SessionSetsWarning", code });
}

/** Warns once in a process for each message. */
export function warnOnce(code: string, message: string): void {
  if (warned.has(message)) return;
  warned.add(message);
  warn(code, message);
}
