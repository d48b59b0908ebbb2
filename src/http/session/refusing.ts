import { createConfigError, quote } from "../../shared/errors.ts";

const REFUSING_HANDLER: ProxyHandler<object> = {
  set(_target, name) {
    throw createAssignedError(`session.${String(name)} = …`, name);
  },
  defineProperty(_target, name) {
    throw createAssignedError(`session.${String(name)} = …`, name);
  },
  deleteProperty(_target, name) {
    throw createAssignedError(`delete session.${String(name)}`, name);
  },
};

/**
 * An object that refuses assignments: nothing is saved at the end of a response, so one would do
 * nothing. The instance is a Proxy; private fields of classes below are on it directly, and reached
 * without it.
 */
export class Refusing {
  constructor() {
    // biome-ignore lint/correctness/noConstructorReturn: the private fields of subclasses go onto it
    return new Proxy(this, REFUSING_HANDLER);
  }
}

/** The sessions of the objects that have such a property. */
const sessionsByOwner = new WeakMap<object, object>();

/**
 * Gives an object a property that may be read, and neither assigned nor deleted: `ctx.session = null`
 * signs nobody out. Only middleware of the library replaces what it gives.
 */
export function defineSession(owner: object, what: string, session: object): void {
  const isNew = !sessionsByOwner.has(owner);
  sessionsByOwner.set(owner, session);
  if (!isNew) return;
  const isGiven = Reflect.defineProperty(owner, "session", {
    configurable: false,
    enumerable: true,
    get: () => sessionsByOwner.get(owner),
    set: () => {
      throw createConfigError(
        `${what} cannot be assigned, and that would sign nobody out: call await ${what}.delete(); to write, call await ${what}.set({ … })`,
      );
    },
  });
  if (isGiven) return;
  throw createConfigError(
    `${what} cannot be defined: the request is frozen, or something else has a session there that cannot be replaced; call of(…) instead of using the middleware`,
  );
}

function createAssignedError(what: string, name: string | symbol) {
  return createConfigError(
    `A session has no properties of the application's, and ${quote(what)} would change nothing: read with await session.get(), write with await session.set({ … }), remove with await session.unset([ … ])`,
    { field: String(name) },
  );
}
