import { createConfigError, quote } from "../../shared/errors.ts";
import { Note } from "../../shared/note.ts";

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
 * An object that refuses assignments. Nothing is saved at the end of a response, so an assignment would do
 * nothing. The instance is a Proxy. The private fields of subclasses are on the Proxy itself, so reading
 * them does not call its handler.
 */
export class Unassignable {
  constructor() {
    // biome-ignore lint/correctness/noConstructorReturn: the private fields of subclasses go onto it
    return new Proxy(this, REFUSING_HANDLER);
  }
}

/**
 * The methods of express-session's sessions that other packages call, Passport among them, and what to do
 * here instead. Reading one throws: "is not a function" would say nothing of that.
 */
const FOREIGN_METHODS: ReadonlyMap<string, string> = new Map([
  ["regenerate", "to sign in with a new token, call await session.signIn({ … })"],
  ["save", "each call writes at once, so there is nothing to save"],
  ["reload", "to read, call await session.load()"],
  ["destroy", "to end the session, call await session.delete()"],
]);

for (const [name, advice] of FOREIGN_METHODS) {
  Object.defineProperty(Unassignable.prototype, name, {
    get() {
      throw createForeignMethodError(name, advice);
    },
  });
}

/** The sessions of the objects that have a session property. */
const sessions = new Note<object>();

/**
 * Makes the function that gives an object a property `session`. It can be neither assigned nor deleted,
 * because `ctx.session = null` would not sign out. Only middleware of this library can replace its value.
 * All objects share the getter, so that engines see them as objects of one kind.
 *
 * @param what the property, for messages.
 */
export function createSessionProperty(what: string): (owner: object, session: object) => void {
  const property = {
    configurable: false,
    enumerable: true,
    get(this: object) {
      return findSession(this);
    },
    set() {
      throw createConfigError(
        `${what} cannot be assigned, and that would not sign the user out. To sign out, call await ${what}.delete(); to write, call await ${what}.set({ … })`,
      );
    },
  };
  return (owner, session) => {
    const isNew = sessions.get(owner) === undefined;
    if (isNew && !Reflect.defineProperty(owner, "session", property)) {
      throw createConfigError(
        `${what} cannot be defined: the request is frozen, or it already has a session property that cannot be replaced. Call of(…) instead of using the middleware`,
      );
    }
    sessions.set(owner, session);
  };
}

/** Finds the session of an object, or of one that it inherits from. */
function findSession(owner: object): object | undefined {
  for (let one: object | null = owner; one !== null; one = Reflect.getPrototypeOf(one)) {
    const session = sessions.get(one);
    if (session !== undefined) return session;
  }
  return undefined;
}

function createForeignMethodError(name: string, advice: string) {
  return createConfigError(
    `A session has no ${name}, which is a method of express-session's: ${advice}. Where Passport calls it, give passport.authenticate { session: false } and call signIn yourself; or keep express-session, with the store of session-sets/compat/express-session. See the recipe for Passport`,
    { field: name },
  );
}

function createAssignedError(what: string, name: string | symbol) {
  const advice = FOREIGN_METHODS.get(String(name));
  if (advice !== undefined) return createForeignMethodError(String(name), advice);
  return createConfigError(
    `A session has no properties of the application's, and ${quote(what)} would change nothing. Read with await session.get(), write with await session.set({ … }), remove with await session.unset([ … ]), sign a user in with await session.signIn({ … })`,
    { field: String(name) },
  );
}
