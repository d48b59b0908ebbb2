/*
 * The set-up that the projects of one run share. Each project has a set-up of its own, for which vitest loads its
 * modules anew: so what was made for the first project is kept where the others find it.
 */
const KEY = Symbol.for("session-sets:made-for-tests");
const holder = globalThis as { [KEY]?: Map<string, Promise<unknown>> };

/** Makes something for the first project that asks for it, and gives the others the same. */
export function once<T>(name: string, make: () => Promise<T>): Promise<T> {
  holder[KEY] ??= new Map();
  const made = (holder[KEY].get(name) as Promise<T> | undefined) ?? make();
  holder[KEY].set(name, made);
  return made;
}
