/* Sessions whose endings are heard, on a memory store that counts its calls. */

import { createSessions, type Ending, type SessionStore } from "session-sets";
import { memoryStore } from "session-sets/memory";
import type { FeedListener, FeedStore } from "session-sets/testing";
import { onTestFinished, type TestContext } from "vitest";

type Data = { user_id?: number; theme?: string };

/** Lets everything happen that was asked for. */
export const settle = () => new Promise((resolve) => setTimeout(resolve, 20));

/**
 * Sessions on a memory store, whose clock moves with `clock.now`, and how often each method was called.
 *
 * @param atEnd takes what closes them: where tests run side by side, the one of the test's context.
 */
export function open(
  over: (store: FeedStore) => Partial<FeedStore> = () => ({}),
  create = createSessions,
  atEnd: TestContext["onTestFinished"] = onTestFinished,
) {
  const clock = { now: 1_700_000_000_000 };
  const memory = memoryStore({ now: () => clock.now }) as FeedStore;
  const calls: Record<string, number> = {};
  const listeners = new Set<FeedListener>();
  const counted: Partial<FeedStore> = {
    async subscribe(id, listener) {
      const stop = await memory.subscribe(id, listener);
      listeners.add(listener);
      return async () => {
        calls.stop = (calls.stop ?? 0) + 1;
        listeners.delete(listener);
        await stop();
      };
    },
  };
  const replaced: Partial<FeedStore> = {
    ...counted,
    ...over({ ...memory, ...counted } as FeedStore),
  };
  const store = new Proxy(memory, {
    get(target, name) {
      const method: unknown = Reflect.get(replaced, name) ?? Reflect.get(target, name, target);
      if (typeof method !== "function") return method;
      return (...args: unknown[]) => {
        calls[String(name)] = (calls[String(name)] ?? 0) + 1;
        return Reflect.apply(method, target, args);
      };
    },
  });
  const sessions = create({
    data: {} as Data,
    references: ["user_id"],
    store: store as SessionStore,
  });
  atEnd(() => sessions.close());
  return { clock, sessions, store, memory, calls, listeners };
}

export type Opened = ReturnType<typeof open>;

/** Watches a session, and collects what is told. */
export async function watch(sessions: Opened["sessions"], name: string) {
  const told: Ending[] = [];
  const off = await sessions.onEnd(name, (ending) => void told.push(ending));
  return { told, off };
}

/** The errors that were thrown where nothing catches them. */
export function catchUncaught(): unknown[] {
  const errors: unknown[] = [];
  const before = process.listeners("uncaughtException");
  process.removeAllListeners("uncaughtException");
  process.on("uncaughtException", (error) => errors.push(error));
  onTestFinished(() => {
    process.removeAllListeners("uncaughtException");
    for (const listener of before) process.on("uncaughtException", listener);
  });
  return errors;
}

export const ADMIN = { initiator: "admin", reason: "stolen laptop" } as const;
export const NONE = { initiator: null, reason: null };

/** Holds looks up while it is shut. */
export class Gate {
  readonly #held: (() => void)[] = [];
  #isShut = false;

  /** How many have been held. */
  get waiting(): number {
    return this.#held.length;
  }

  async pass(): Promise<void> {
    if (this.#isShut) await new Promise<void>((resolve) => this.#held.push(resolve));
  }

  shut(): void {
    this.#isShut = true;
  }

  /** Lets later ones pass. Those it holds wait on. */
  open(): void {
    this.#isShut = false;
  }

  /** Lets those go that it holds. */
  release(): void {
    for (const resolve of this.#held) resolve();
  }
}
