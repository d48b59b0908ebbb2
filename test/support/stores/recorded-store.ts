import type { SessionStore } from "session-sets";
import type { CommandStore } from "session-sets/testing";

/** The methods of a store for one session or set, which may fail. */
const OPERATIONS = [
  "create",
  "signIn",
  "find",
  "change",
  "command",
  "end",
  "count",
  "has",
  "list",
  "pages",
  "changeAll",
  "endAll",
] as const satisfies readonly (keyof CommandStore)[];

export type Operation = (typeof OPERATIONS)[number];

/**
 * A store that does the same as `store`, calling `before` ahead of each operation (but `pages`, it
 * waits for what that returns).
 */
export function recordedStore(
  store: SessionStore,
  before: (operation: Operation) => Promise<void> | undefined,
): SessionStore {
  return new Proxy(store, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name, target);
      if (typeof member !== "function") return member;
      if (name === "pages") {
        return (...args: unknown[]) => {
          void before(name);
          return Reflect.apply(member, target, args);
        };
      }
      if (!isOperation(name)) return member.bind(target);
      return async (...args: unknown[]) => {
        await before(name);
        return Reflect.apply(member, target, args);
      };
    },
  });
}

function isOperation(name: string | symbol): name is Operation {
  return (OPERATIONS as readonly (string | symbol)[]).includes(name);
}
