/* Values that no one should give to the library, by names that a report can show. */
import { runInNewContext } from "node:vm";
import { throwPlanted } from "./planted.ts";

const MEGABYTE = 1_000_000;

class Instance {
  readonly field = 1;
}

class Unnamed {}
Object.defineProperty(Unnamed, "name", { value: Symbol("name") });

function nested(levels: number, wrap: (inner: unknown) => unknown): unknown {
  let value: unknown = 1;
  for (let level = 0; level < levels; level++) value = wrap(value);
  return value;
}

function cyclic<Container extends object>(container: Container): Container {
  return Object.assign(container, { 0: container });
}

function chained(prototypes: number): object {
  let object: object = Object.prototype;
  for (let i = 0; i < prototypes; i++) object = Object.create(object);
  return object;
}

function revoked(target: object): object {
  const { proxy, revoke } = Proxy.revocable(target, {});
  revoke();
  return proxy;
}

const TRAPS = [
  "get",
  "has",
  "ownKeys",
  "getOwnPropertyDescriptor",
  "getPrototypeOf",
  "isExtensible",
  "set",
  "defineProperty",
] as const;

/** A Proxy each of whose traps throws what is the caller's own. */
function trapped(target: object): object {
  return new Proxy(
    target,
    Object.fromEntries(TRAPS.map((trap, i) => [trap, () => throwPlanted(i)])),
  );
}

function endless(): object {
  return new Proxy({}, { getPrototypeOf: endless });
}

function handled(promise: Promise<unknown>): Promise<unknown> {
  promise.catch(() => {});
  return promise;
}

/** Texts that mean something somewhere. */
const TEXTS = [
  ...[
    "",
    " ",
    "x",
    "1",
    "-0",
    "1e400",
    "true",
    "null",
    '"',
    '"x',
    "{",
    "[1",
    "*",
    "a:b",
    "{p}",
    "%",
  ],
  ...["__proto__", "constructor", "toString", "hasOwnProperty", "then", "toJSON", "length"],
  ...["user_id", "team_ids", "theme", "cookie", "~~cookie", "~~cookie.x", "@", "@c", "@to", "~"],
  ...["\0", "a\nb", "a\r\nSet-Cookie: x=y", "a\u2028b", "\u202ex", "\ud800", "a\udfff", "é😀"],
  ...[
    "1 day",
    "0",
    "-1 day",
    "101 years",
    "1.5h",
    "GET",
    "https://x.example",
    "Bearer x",
    "a=b; c",
  ],
];

const NUMBERS = [
  ...[0, -0, 1, -1, 0.5, 1.5, 501, 1e21, 1e308, 5e-324, 2 ** 31, 2 ** 32, 2 ** 53, -(2 ** 53)],
  ...[Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
];

const OBJECTS: Readonly<Record<string, () => unknown>> = {
  "a bigint": () => 10n ** 40n,
  "a symbol": () => Symbol("odd"),
  "Symbol.iterator": () => Symbol.iterator,
  "a function": () => () => "given",
  "a function that gives a symbol": () => () => Symbol("given"),
  "a function that gives nothing": () => () => undefined,
  "a function that throws": () => () => throwPlanted(),
  "a function that throws a symbol": () => () => throwPlanted(1),
  "a function that rejects": () => async () => throwPlanted(),
  "a class": () => Instance,
  "an instance": () => new Instance(),
  "an instance of a class whose name is a symbol": () => new Unnamed(),
  "a Date": () => new Date(0),
  "an invalid Date": () => new Date(Number.NaN),
  "a RegExp": () => /x/g,
  "a Map": () => new Map([["user_id", 1]]),
  "a Set": () => new Set(["user_id"]),
  "a WeakMap": () => new WeakMap(),
  "an error": () => new RangeError("of the caller's own"),
  "a Buffer": () => Buffer.from("user_id"),
  "a boxed text": () => Object("user_id"),
  "a boxed number": () => Object(1),
  "a generator": () => [1].values(),
  "a promise": () => Promise.resolve(1),
  "a promise that was rejected": () => handled(Promise.reject(new Error("of the caller's own"))),
  "a promise that never ends": () => new Promise(() => {}),
  // biome-ignore lint/suspicious/noThenProperty: hostile on purpose
  "a thenable that throws": () => Object.fromEntries([["then", () => throwPlanted()]]),
  "an empty list": () => [],
  "a list with a hole": () => Object.assign(new Array(3), { 0: 1, 2: 2 }),
  "the longest list of holes": () => new Array(2 ** 32 - 1),
  "a list with a property": () => Object.assign([1], { extra: 1 }),
  "a list of lists": () => [[1], [[2]]],
  "a list of another realm": () => runInNewContext("[1]"),
  "an object of another realm": () => runInNewContext("({ user_id: 1 })"),
  "a cyclic object": () => cyclic({}),
  "a cyclic list": () => cyclic([]),
  "an object 250 levels deep": () => nested(250, (inner) => ({ inner })),
  "a list 20,000 levels deep": () => nested(20_000, (inner) => [inner]),
  "an object of 20,000 prototypes": () => chained(20_000),
  "an object of endless prototypes": endless,
  "an empty object": () => ({}),
  "an object without a prototype": () => Object.create(null),
  "an object with a __proto__ of its own": () => JSON.parse('{ "__proto__": { "user_id": 1 } }'),
  "an object with toJSON": () => ({ toJSON: () => ({ user_id: 1 }) }),
  "an object whose toJSON throws": () => ({ toJSON: () => throwPlanted(1) }),
  "an object that says nothing of itself": () => ({
    toString: null,
    valueOf: null,
    constructor: null,
  }),
  "an object whose class has a symbol for a name": () => ({
    constructor: { name: Symbol("odd") },
    [Symbol.toStringTag]: Symbol("odd"),
  }),
  "an object whose parts cannot be texts": () => ({
    name: Object.create(null),
    message: Object.create(null),
    code: Symbol("odd"),
  }),
  "an object with symbols": () => ({ [Symbol("odd")]: 1 }),
  "an object whose tag throws": () => ({
    get [Symbol.toStringTag](): string {
      return throwPlanted();
    },
  }),
  "a Proxy": () => new Proxy({ user_id: 1 }, {}),
  "a Proxy of a list": () => new Proxy(["theme"], {}),
  "a revoked Proxy": () => revoked({}),
  "a revoked Proxy of a list": () => revoked([]),
  "a revoked Proxy of a function": () => revoked(() => {}),
  "a Proxy of a revoked one": () => new Proxy(revoked({}), {}),
  "a Proxy by a revoked one": () => new Proxy({}, revoked({}) as ProxyHandler<object>),
  "a Proxy whose traps throw": () => trapped({}),
  "a Proxy of a list whose traps throw": () => trapped([]),
  "a Proxy of a function whose traps throw": () => trapped(() => {}),
  "a Proxy that breaks the rules": () =>
    new Proxy(Object.freeze({ user_id: 1 }), { get: () => 2, ownKeys: () => [] }),
  "the arguments of a function": () =>
    (function given() {
      // biome-ignore lint/complexity/noArguments: they are what this is about
      return arguments;
    })(),
};

const LONG: Readonly<Record<string, () => string>> = Object.fromEntries(
  ["x", "é", "a_-9", "[", "{", '"', ";", "=", " ", "\ud800", "a ", "1"].map((unit) => [
    `a megabyte of ${JSON.stringify(unit)}`,
    () => unit.repeat(MEGABYTE / unit.length),
  ]),
);

/** Values that are neither numbers nor texts. */
const NOTHINGS: Readonly<Record<string, () => unknown>> = {
  undefined: () => undefined,
  null: () => null,
  true: () => true,
  false: () => false,
};

const named = (values: readonly (string | number)[], name: (value: never) => string) =>
  Object.fromEntries(values.map((value) => [name(value as never), () => value]));

export const ODD_TEXTS = named(TEXTS, (text: string) => JSON.stringify(text));
export const ODD_NUMBERS = named(NUMBERS, (value: number) =>
  Object.is(value, -0) ? "-0" : String(value),
);
export const ODD_OBJECTS = OBJECTS;
export const ODD_LONGS = LONG;

/** Makes each of them, by its name. */
export const ODDITIES: Readonly<Record<string, () => unknown>> = {
  ...NOTHINGS,
  ...ODD_NUMBERS,
  ...ODD_TEXTS,
  ...OBJECTS,
  ...LONG,
};
