/* Rules for every call, whatever it is given. */
import { SessionError } from "session-sets";
import { isPlanted } from "../values/planted.ts";
import type { Command } from "./traffic.ts";
import { type Outlet, toText } from "./watch.ts";

/** The outcome of a call. */
export type Outcome =
  | { readonly ended: "thrown" | "rejected"; readonly error: unknown }
  | { readonly ended: "given"; readonly value: unknown }
  /** Where a promise is documented. */
  | { readonly ended: "at once"; readonly value: unknown }
  | { readonly ended: "never" };

/** The expectations of a call. */
export interface Rules {
  /** The call's documented result. */
  readonly gives: "promise" | "value";
  /** Texts that no message may hold. */
  readonly secrets: Iterable<string>;
  /** The prefix of all keys; none if the store has no server. */
  readonly prefixes: readonly string[];
  /** Whether it only reads; `touches`: it may push one deadline forward, where that is due. */
  readonly reads: false | "only" | "and touches";
  /** Whether sets may have entries that have expired, which listing one takes out of it. */
  readonly expires?: boolean;
  /** Whether a framework is in between that writes errors to the console. */
  readonly logs?: boolean;
  /** How many commands it may take, and how many arguments those of its scripts may have. */
  readonly most: { readonly commands: number; readonly byScripts: number };
}

/** The faults in the outcome of a call. */
export function findFaults(
  outcome: Outcome,
  outlets: readonly Outlet[],
  commands: readonly Command[],
  rules: Rules,
): string[] {
  return [
    ...findEndingFaults(outcome, rules),
    ...(outcome.ended === "thrown" || outcome.ended === "rejected"
      ? findErrorFaults(outcome.error, [...rules.secrets])
      : []),
    ...outlets.flatMap((outlet) => findOutletFaults(outlet, rules)),
    ...findCommandFaults(commands, rules),
  ];
}

function findEndingFaults(outcome: Outcome, { gives }: Rules): string[] {
  if (outcome.ended === "never") return ["hang: it never ends"];
  if (outcome.ended === "at once") {
    return [`synchronous: it returns no promise, but ${toText(outcome.value)}`];
  }
  if (outcome.ended === "thrown" && gives === "promise") {
    return ["synchronous: it throws where it is documented to return a promise"];
  }
  return [];
}

/** An error is a SessionError, or the caller's own; and it holds no secret. */
export function findErrorFaults(error: unknown, secrets: readonly string[]): string[] {
  if (isPlanted(error)) return [];
  const leaks = secrets
    .filter((secret) => collectTexts(error).some((text) => text.includes(secret)))
    .map((secret) => `leak: the error holds ${secret}: ${String((error as Error).stack)}`);
  if (!(error instanceof SessionError)) {
    return [`foreign: it is no SessionError: ${shownError(error)}`, ...leaks];
  }
  return [...leaks, ...findHang(error)];
}

/** That there was no answer: a server that answers others at once was given endless work. */
export function findHang(error: unknown): string[] {
  const hint = error instanceof SessionError ? error.hint : "";
  const waited = Number(/\bno answer within (\d+) ms\b/.exec(hint)?.[1] ?? 0);
  return waited >= 1000 ? [`hang: ${hint}`] : [];
}

/** Whether a fault is that a call has no answer. The call's name may stand before it. */
export function isHang(fault: string): boolean {
  return /^(?:[^:]*: )?hang: /.test(fault);
}

/** Where it was thrown, in a few lines. */
function shownError(error: unknown): string {
  const { stack } = Object(error) as { stack?: unknown };
  return typeof stack === "string" ? stack.split("\n").slice(0, 6).join("\n  ") : toText(error);
}

/** All that a log, an answer or a debugger can have of an error and its causes. */
function collectTexts(error: unknown, depth = 0): string[] {
  if (depth > 8 || isPlanted(error)) return [];
  if (typeof error !== "object" || error === null) return [String(error)];
  const { message, hint, stack, cause, errors } = error as SessionError & { errors?: unknown };
  const members = Reflect.ownKeys(error).map((name): unknown => Reflect.get(error, name));
  const own = members.filter((one) => !isPlanted(one)).map(toText);
  const causes = [cause, errors].flat().filter((one) => one !== undefined);
  return [
    ...[message, hint, stack].map(String),
    toJSON(error),
    ...own,
    ...causes.flatMap((one) => collectTexts(one, depth + 1)),
  ];
}

function toJSON(value: unknown): string {
  try {
    return JSON.stringify(value) ?? "";
  } catch {
    return "";
  }
}

function findOutletFaults({ where, what }: Outlet, rules: Rules): string[] {
  const secrets = [...rules.secrets];
  const leaks = secrets
    .filter((secret) => toText(what).includes(secret))
    .map((secret) => `leak: ${where} holds ${secret}: ${toText(what)}`);
  if (where === "an event") {
    return [...leaks, ...findErrorFaults((what as { error?: unknown }).error, secrets)];
  }
  if (where === "the console" && !rules.logs) return [...leaks, `console: ${toText(what)}`];
  const isLost = where === "an unhandled rejection" || where === "an uncaught exception";
  return isLost && !isPlanted(what) ? [...leaks, `unhandled: ${where}: ${toText(what)}`] : leaks;
}

function findCommandFaults(commands: readonly Command[], rules: Rules): string[] {
  const outside = commands
    .filter(({ keys }) =>
      keys.some((key) => !rules.prefixes.some((prefix) => key.startsWith(prefix))),
    )
    .map((command) => `outside: a key outside the prefix: ${shown(command)}`);
  const sent = commands.filter(({ byScript }) => !byScript).length;
  // Each name in a command is work, too.
  const byScripts = commands.reduce(
    (sum, { byScript, args }) => sum + (byScript ? args.length : 0),
    0,
  );
  const work = [
    ...(sent > rules.most.commands ? [`work: ${sent} commands, over ${rules.most.commands}`] : []),
    ...(byScripts > rules.most.byScripts
      ? [`work: ${byScripts} arguments of commands by scripts, over ${rules.most.byScripts}`]
      : []),
  ];
  return [...outside, ...findReadFaults(commands, rules), ...work];
}

function findReadFaults(commands: readonly Command[], { reads, expires = false }: Rules): string[] {
  if (reads === false) return [];
  const writes = ({ name, writes }: Command) => writes && !(expires && isDrop(name));
  const writing = splitScripts(commands).filter((one) => one.some(writes));
  const allowed = reads === "and touches" ? 1 : 0;
  return writing
    .slice(allowed)
    .map((one) => `read: it writes: ${one.filter(writes).map(shown).join("; ")}`);
}

/** The commands, those of a script together with the one that ran it. */
function splitScripts(commands: readonly Command[]): Command[][] {
  const groups: Command[][] = [];
  for (const command of commands) {
    if (command.byScript) groups.at(-1)?.push(command);
    else groups.push([command]);
  }
  return groups;
}

/** Commands that take expired entries out of a set. No answer depends on these. */
function isDrop(name: string): boolean {
  return name === "zrem" || name === "srem";
}

function shown({ name, args }: Command): string {
  return `${name} ${args.join(" ")}`.slice(0, 200);
}
