/*
 * Stands between the store and its client in a process of a history: carries out the faults of a
 * step, makes pages small, and notes what the commands of the step tell about it.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import type { RedisClient } from "session-sets/redis";
import { type InterceptedClient, intercepted, type Sent } from "../support/intercept.ts";
import type { Fault } from "./plan.ts";

/** What the commands of one step are told, and tell. */
export interface Context {
  readonly smallPages: boolean;
  /** What is to become of the next command that writes. */
  fault: Fault | null;
  /** The id that a command was to make, if any. */
  made: string | null;
  /** After this moment of the server no command that was sent does anything. */
  notAfter: number;
  /** Whether a command may have been carried out once more than its answer tells. */
  again: boolean;
}

/** How long a step waits that is to be sent late, and when it is sent (ms). */
export const SHORT_TIMEOUT = 40;
const LATE = 80;

/** Where a command has the moment after which it does nothing. */
const NOT_AFTER = 3;
/** Where a script has the number of sessions, or of keys, of a page, and how many it is to be. */
const PAGE_SIZES: Readonly<
  Partial<Record<NonNullable<Sent["script"]>, readonly [number, number]>>
> = { scan: [7, 2], changeAll: [8, 2], endAll: [7, 2] };
const WRITING = ["create", "change", "end", "endAll", "changeAll"];

const contexts = new AsyncLocalStorage<Context>();
const underWay = new Set<Promise<unknown>>();

/** Does the work of a step. */
export function within<T>(context: Context, work: () => Promise<T>): Promise<T> {
  return contexts.run(context, work);
}

/** Waits for the commands that nobody waited for. */
export async function allArrived(): Promise<void> {
  await Promise.all(underWay);
}

export function interfering(client: InterceptedClient): RedisClient {
  return intercepted(client, async ({ script, args }, pass) => {
    const context = contexts.getStore();
    if (!context || !script) return pass();
    const send = () => pass(context.smallPages ? withSmallPage(script, args) : args);
    if (!WRITING.includes(script)) return send();
    context.notAfter = Math.max(context.notAfter, Number(args[NOT_AFTER]));
    if (script === "create") context.made = args[4] ?? null;
    if (script === "change") context.made = args[6] || null;
    const { fault } = context;
    context.fault = null;
    return fault ? carryOut(fault, send, context) : send();
  });
}

function withSmallPage(script: NonNullable<Sent["script"]>, args: readonly string[]): string[] {
  const [at, size] = PAGE_SIZES[script] ?? [args.length, 0];
  return args.map((arg, i) => (i === at ? String(size) : arg));
}

async function carryOut(fault: Fault, send: () => Promise<unknown>, context: Context) {
  context.again = true;
  switch (fault) {
    case "sent twice":
      await send();
      return send();
    case "sent late":
      nobodyWaitsFor(sleep(LATE).then(send));
      return new Promise(() => {});
    case "answer lost":
      nobodyWaitsFor(send());
      throw new Error("The connection was lost.");
    case "not sent":
      throw new Error("There is no connection.");
  }
}

function nobodyWaitsFor(work: Promise<unknown>): void {
  const settled = work.catch(() => {}).finally(() => underWay.delete(settled));
  underWay.add(settled);
}
