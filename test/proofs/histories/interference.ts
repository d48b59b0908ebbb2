/*
 * Stands between the store and its client in a process of a history: carries out the faults of a
 * step, makes pages small, and notes facts about the commands of the step.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import type { RedisClient } from "session-sets/redis";
import { type InterceptedClient, intercepted, type Sent } from "../../support/intercept.ts";
import type { Fault } from "./plan.ts";

/** Facts that the commands of one step read and write. */
export interface Context {
  readonly smallPages: boolean;
  /** The fault of the next command that writes. */
  fault: Fault | null;
  /** The id that a command was to make, if any. */
  made: string | null;
  /** After this moment of the server no command that was sent does anything. */
  notAfter: number;
  /** When a clear knew which session it was to leave alone; null where there is none. */
  knownBy: number | null;
  /** The time on the servers' clock. */
  now(): number;
  /** Whether a command may have been carried out once more than its answer tells. */
  again: boolean;
}

/** How long a step waits that is to be sent late, and when it is sent (ms). */
export const SHORT_TIMEOUT = 40;
const LATE = 80;

/** How many arguments of a command come before those of its script: the script, how many keys, and the keys. */
const countHead = (args: readonly string[]) => 2 + Number(args[1]);
/** Where a script has the moment after which it does nothing. */
const NOT_AFTER = 0;
/** Where a script has the number of sessions, or of keys, of a page, and how many it is to be. */
const PAGE_SIZES: Readonly<Partial<Record<Script, readonly [at: number, size: number]>>> = {
  page: [4, 2],
  changeAll: [5, 2],
  endAll: [4, 2],
};
/** The store's own pages are not larger. */
const PAGE = 300;
/** Where `endAll` has the id of a session to leave alone. */
const EXCEPT = 2;
/** Where a script has the id that it is to make. */
const MADE: Readonly<Partial<Record<Script, number>>> = { create: 1, signIn: 2, change: 4 };
/** The scripts without a moment after which they do nothing. */
const READING: readonly string[] = [
  ...["count", "has", "list", "listByDeadline", "page", "sayHello"],
];

type Script = NonNullable<Sent["script"]>;

const contexts = new AsyncLocalStorage<Context>();
const underWay = new Set<Promise<unknown>>();

/** Does the work of a step. */
export function runWithin<T>(context: Context, work: () => Promise<T>): Promise<T> {
  return contexts.run(context, work);
}

/** Waits for the commands that nobody waited for. */
export async function waitForAll(): Promise<void> {
  await Promise.all(underWay);
}

export function interceptFaults(client: InterceptedClient): RedisClient {
  return intercepted(client, async ({ script, args }, send) => {
    const context = contexts.getStore();
    if (!context || !script || READING.includes(script)) return send();
    const own = args.slice(countHead(args));
    context.notAfter = Math.max(context.notAfter, Number(own[NOT_AFTER]));
    const made = MADE[script];
    if (made !== undefined) context.made = own[made] || null;
    const { fault } = context;
    context.fault = null;
    const reply = await (fault ? carryOut(fault, send, context) : send());
    if (script === "endAll" && own[EXCEPT]) context.knownBy ??= context.now();
    return reply;
  });
}

/** A client that takes pages of two sessions, or that touch two keys, where a step asks for it. */
export function withSmallPages(client: InterceptedClient): InterceptedClient {
  return intercepted(client, ({ script, args }, send) => {
    const [own, size] = (script && PAGE_SIZES[script]) ?? [args.length, 0];
    const at = countHead(args) + own;
    const small = contexts.getStore()?.smallPages && Number(args[at]) <= PAGE;
    return small ? send(args.map((arg, i) => (i === at ? String(size) : arg))) : send();
  });
}

async function carryOut(fault: Fault, send: () => Promise<unknown>, context: Context) {
  context.again = true;
  switch (fault) {
    case "sent twice":
      await send();
      return send();
    case "sent late":
      leaveRunning(sleep(LATE).then(send));
      return new Promise(() => {});
    case "answer lost":
      leaveRunning(send());
      throw new Error("The connection was lost.");
    case "not sent":
      throw new Error("There is no connection.");
  }
}

function leaveRunning(work: Promise<unknown>): void {
  const settled = work.catch(() => {}).finally(() => underWay.delete(settled));
  underWay.add(settled);
}
