/*
 * Whether all is covered that a program can call: every export of every entry of the package, and every
 * method of what these give out. New members without a target are found here, by name.
 */
import { EventEmitter } from "node:events";
import { ROOT, read } from "../../support/sources.ts";

/** The exports of an entry, by their names. */
export type Exports = Readonly<Record<string, unknown>>;

/** The modules of the package, by the names that programs import them by. */
export async function listEntries(): Promise<ReadonlyMap<string, Exports>> {
  const { name, exports } = JSON.parse(read("package.json")) as {
    name: string;
    exports: Record<string, string | { default: string }>;
  };
  const entries = new Map<string, Exports>();
  for (const [path, target] of Object.entries(exports)) {
    if (typeof target === "string") continue; // package.json itself
    const source = target.default.replace("./dist/", "src/").replace(/\.js$/, ".ts");
    entries.set(`${name}${path.slice(1)}`, (await import(ROOT + source)) as Exports);
  }
  return entries;
}

/**
 * The exports that no target covers.
 *
 * @param covered what targets call, whatever it is exported as.
 * @param skipped names of what is left alone, such as `session-sets/testing storeContract`.
 */
export function uncoveredExports(
  entries: ReadonlyMap<string, Exports>,
  covered: ReadonlySet<unknown>,
  skipped: Readonly<Record<string, string>>,
): string[] {
  const all = [...entries].flatMap(([entry, exports]) =>
    Object.entries(exports).map(([name, value]) => ({ name: `${entry} ${name}`, value })),
  );
  const names = new Set(all.map(({ name }) => name));
  return [
    ...all
      .filter(({ name, value }) => !covered.has(value) && !Object.hasOwn(skipped, name))
      .map(({ name }) => `not covered: ${name}`),
    ...Object.keys(skipped)
      .filter((name) => !names.has(name))
      .map((name) => `no longer there: ${name}`),
  ];
}

/** The members of an object of the library's that no target covers. */
export function uncoveredMembers(
  name: string,
  sample: object,
  methods: Readonly<Record<string, unknown>>,
  skipped: Readonly<Record<string, string>> = {},
): string[] {
  const members = listMembers(sample);
  const known = [...Object.keys(methods), ...Object.keys(skipped)];
  return [
    ...[...members]
      .filter((one) => !known.includes(one))
      .map((one) => `not covered: ${name}.${one}`),
    ...known.filter((one) => !members.has(one)).map((one) => `no longer there: ${name}.${one}`),
  ];
}

/** The names of all that a program can call or read of an object; `()` where it can be called itself. */
function listMembers(sample: object): ReadonlySet<string> {
  const names = new Set<string>();
  const add = (name: string | symbol) => {
    if (typeof name === "string") names.add(name);
    else if (name === Symbol.asyncIterator) names.add("[Symbol.asyncIterator]");
  };
  if (typeof sample === "function") names.add("()");
  for (const name of Reflect.ownKeys(sample)) if (isShown(sample, name)) add(name);
  for (let one = Object.getPrototypeOf(sample); isOwnClass(one); one = Object.getPrototypeOf(one)) {
    for (const name of Reflect.ownKeys(one)) if (name !== "constructor") add(name);
  }
  return names;
}

const OF_FUNCTIONS = ["length", "name", "prototype", "arguments", "caller"];
/** What Node puts into an instance of EventEmitter. */
const OF_EMITTERS = /^_events|^_maxListeners$|^domain$/;

/** A plain property of an instance is its own affair, that of a function is there for programs. */
function isShown(sample: object, name: string | symbol): boolean {
  if (typeof sample === "function" && OF_FUNCTIONS.includes(String(name))) return false;
  if (typeof name === "string" && OF_EMITTERS.test(name)) return false;
  const { get, value } = Reflect.getOwnPropertyDescriptor(sample, name) ?? {};
  return typeof sample === "function" || get !== undefined || typeof value === "function";
}

/** Whether a prototype is that of a class of the library. */
function isOwnClass(prototype: object | null): prototype is object {
  const builtIn: readonly (object | null)[] = [
    null,
    Object.prototype,
    Function.prototype,
    EventEmitter.prototype,
  ];
  return !builtIn.includes(prototype) && typeof prototype === "object";
}
