/*
 * Everything that gets out of the library beside its answers: warnings, lines on the console, events on its
 * channel, rejections that no one waits for. While this watches, nothing of it ends the process.
 */
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { inspect } from "node:util";

/** Something that got out, and where. */
export interface Outlet {
  readonly where:
    | "a warning"
    | "the console"
    | "an event"
    | "an unhandled rejection"
    | "an uncaught exception";
  readonly what: unknown;
}

export interface Watch {
  /** All that has got out since this was last called. */
  since(): Promise<readonly Outlet[]>;
  stop(): void;
}

const CHANNEL = "session-sets:touch-failed";
const FATAL = ["unhandledRejection", "uncaughtException"] as const;
const CONSOLE = ["log", "info", "warn", "error", "debug", "trace"] as const;

export function watch(): Watch {
  let seen: Outlet[] = [];
  const note = (where: Outlet["where"]) => (what: unknown) => void seen.push({ where, what });
  const [onWarning, onEvent] = [note("a warning"), note("an event")];
  const onRejection = note("an unhandled rejection");
  const onException = note("an uncaught exception");
  // The test runner's own listeners would fail the run for what a caller's callback throws.
  const before = FATAL.map((event) => [event, process.listeners(event as never)] as const);
  for (const event of FATAL) process.removeAllListeners(event);
  process.on("unhandledRejection", onRejection);
  process.on("uncaughtException", onException);
  process.on("warning", onWarning);
  subscribe(CHANNEL, onEvent);
  const spoken = CONSOLE.map((name) => [name, console[name]] as const);
  for (const name of CONSOLE) {
    console[name] = (...said: unknown[]) => void seen.push({ where: "the console", what: said });
  }
  return {
    async since() {
      // A warning is told in the next turn, and a rejection is unhandled after the one it is made in.
      for (let turn = 0; turn < 3; turn++) await new Promise(setImmediate);
      const all = seen;
      seen = [];
      return all;
    },
    stop() {
      for (const [name, speak] of spoken) console[name] = speak;
      unsubscribe(CHANNEL, onEvent);
      process.off("warning", onWarning);
      process.off("unhandledRejection", onRejection);
      process.off("uncaughtException", onException);
      for (const [event, listeners] of before) {
        for (const listener of listeners) process.on(event, listener as never);
      }
    },
  };
}

/** All that can be read of a value, whatever it is. */
export function toText(what: unknown): string {
  try {
    return inspect(what, {
      depth: 8,
      showHidden: true,
      maxStringLength: null,
      maxArrayLength: null,
    });
  } catch {
    return ""; // what is made to be unreadable tells no one anything
  }
}
