/* Errors of a caller's own getters, traps and callbacks, which the library hands on as they are. */

/** An error that only a caller's own code throws. */
export class Planted extends Error {
  override readonly name = "Planted";
}

const SYMBOL = Symbol("planted");
const RECORD = Object.freeze({ planted: true });

/** Throws as a caller's code does: an error, or something that is none. */
export function throwPlanted(how = 0): never {
  if (how % 3 === 1) throw SYMBOL;
  if (how % 3 === 2) throw RECORD;
  throw new Planted("of the caller's own");
}

export function isPlanted(thrown: unknown): boolean {
  if (thrown instanceof Planted || thrown === SYMBOL || thrown === RECORD) return true;
  return thrown instanceof TypeError && NOT_CALLABLE.test(thrown.message);
}

/** A function of the caller's that fails by itself when it is called. */
const NOT_CALLABLE =
  /^Class constructor \w+ cannot be invoked|^Cannot perform 'apply' on a proxy that/;
