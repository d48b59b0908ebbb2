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

/** Whether this is production, where more is worth a warning. Where the environment may not be read, it isn't. */
export function isProduction(): boolean {
  try {
    return process.env.NODE_ENV === "production";
  } catch {
    return false; // Deno, without --allow-env
  }
}
