/* Hostile values as data, so that they can be made again, shown and shortened. */
import { fc } from "../../support/properties.ts";
import { ODD_LONGS, ODD_NUMBERS, ODD_OBJECTS, ODD_TEXTS, ODDITIES } from "./oddities.ts";
import { throwPlanted } from "./planted.ts";

/** How a list or a record comes. */
const DRESSES = [
  "plain",
  "plain",
  "plain",
  "frozen",
  "without a prototype",
  "of a class",
  "a Proxy",
  "by getters",
  "by getters that change their minds",
  "by a getter that throws",
] as const;

export type Dress = (typeof DRESSES)[number];

export type Recipe =
  | { readonly odd: string }
  | { readonly value: string | number | boolean }
  /** Something of the world that the call is made in, such as a token. */
  | { readonly given: string }
  | { readonly list: readonly Recipe[]; readonly dress: Dress }
  | { readonly record: readonly Entry[]; readonly dress: Dress }
  /** A text with something of the world in it. */
  | { readonly around: readonly [before: string, given: string, after: string] };

type Entry = readonly [name: Recipe, value: Recipe];

export const odd = (name: string): Recipe => ({ odd: name });
export const given = (name: string): Recipe => ({ given: name });
export const value = (one: string | number | boolean): Recipe => ({ value: one });

const pickName = (odds: object) => fc.constantFrom(...Object.keys(odds)).map(odd);

/** Names of what the world has secrets under: each world has them. */
export const SECRETS = [
  "the token",
  "another token",
  "a dead token",
  "an unknown token",
  "an old token",
] as const;

const secret: fc.Arbitrary<Recipe> = fc.oneof(
  fc.constantFrom(...SECRETS).map(given),
  fc
    .tuple(
      fc.constantFrom("", "a\n", "x ".repeat(29), "\u0000", "é".repeat(50)),
      fc.constantFrom(...SECRETS),
    )
    .map(([before, name]): Recipe => ({ around: [before, name, " after"] })),
);

export const hostileText: fc.Arbitrary<Recipe> = fc.oneof(
  { weight: 6, arbitrary: pickName(ODD_TEXTS) },
  { weight: 2, arbitrary: fc.string({ unit: "binary", maxLength: 12 }).map(value) },
  { weight: 1, arbitrary: pickName(ODD_LONGS) },
  { weight: 3, arbitrary: secret },
);

/** Anything at all. */
export const { hostile } = fc.letrec<{ hostile: Recipe }>((tie) => ({
  hostile: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.constantFrom("undefined", "null", "true", "false").map(odd),
    pickName(ODD_NUMBERS),
    hostileText,
    pickName(ODD_OBJECTS),
    secret,
    listOf(tie("hostile"), 4),
    fc
      .tuple(
        fc.array(fc.tuple(hostileText, tie("hostile")), { maxLength: 3 }),
        fc.constantFrom(...DRESSES),
      )
      .map(([record, dress]): Recipe => ({ record, dress })),
  ),
}));

export function listOf(element: fc.Arbitrary<Recipe>, maxLength = 5): fc.Arbitrary<Recipe> {
  return fc
    .tuple(fc.array(element, { maxLength }), fc.constantFrom(...DRESSES))
    .map(([list, dress]): Recipe => ({ list, dress }));
}

/** A value that is as it should be, more often than not. */
export function mostly(right: fc.Arbitrary<Recipe>, weight = 2): fc.Arbitrary<Recipe> {
  return fc.oneof({ weight, arbitrary: right }, { weight: 1, arbitrary: hostile });
}

/** A record with some of these members, and perhaps with others. */
export function recordOf(
  members: Readonly<Record<string, fc.Arbitrary<Recipe>>>,
  dresses: readonly Dress[] = DRESSES,
): fc.Arbitrary<Recipe> {
  const entries = Object.entries(members).map(([name, one]) =>
    fc.tuple(fc.constant(value(name)), one),
  );
  const entry = fc.oneof(
    { weight: 8, arbitrary: fc.oneof(...entries) },
    { weight: 1, arbitrary: fc.tuple(hostileText, hostile) },
  );
  return fc
    .tuple(fc.array(entry, { maxLength: entries.length + 1 }), fc.constantFrom(...dresses))
    .map(([record, dress]): Recipe => ({ record, dress }));
}

/** Makes the value of a recipe; `of` gives what the world has under a name. */
export function make(recipe: Recipe, of: (name: string) => unknown): unknown {
  if ("odd" in recipe) return ODDITIES[recipe.odd]?.();
  if ("value" in recipe) return recipe.value;
  if ("given" in recipe) return of(recipe.given);
  if ("around" in recipe) {
    const [before, name, after] = recipe.around;
    return `${before}${String(of(name))}${after}`;
  }
  if ("list" in recipe) {
    const elements = recipe.list.map((one) => make(one, of));
    return dressed(
      elements,
      elements.map((one, i) => [String(i), one] as const),
      recipe.dress,
    );
  }
  const entries = recipe.record.map(([name, one]) => {
    const key = make(name, of);
    return [typeof key === "symbol" ? key : toName(key), make(one, of)] as const;
  });
  return dressed({}, entries, recipe.dress);
}

function toName(key: unknown): string {
  return typeof key === "string" ? key : typeof key;
}

type Property = readonly [name: string | symbol, value: unknown];

function dressed(container: object, properties: readonly Property[], dress: Dress): object {
  const target =
    dress === "without a prototype" ? Object.setPrototypeOf(container, null) : container;
  for (const [i, [name, one]] of properties.entries()) {
    Object.defineProperty(target, name, {
      configurable: true,
      enumerable: true,
      ...createDescriptor(one, dress, i),
    });
  }
  if (dress === "frozen") return Object.freeze(target);
  if (dress === "a Proxy") return new Proxy(target, {});
  if (dress === "of a class")
    return Object.setPrototypeOf(target, Object.create(Object.getPrototypeOf(target)));
  return target;
}

function createDescriptor(one: unknown, dress: Dress, i: number): PropertyDescriptor {
  switch (dress) {
    case "by getters":
      return { get: () => one };
    case "by getters that change their minds": {
      let reads = 0;
      return {
        get: () => (reads++ === 0 ? one : [10n, Symbol("later"), undefined, {}][reads % 4]),
      };
    }
    case "by a getter that throws":
      return i === 0 ? { get: () => throwPlanted(i) } : { value: one, writable: true };
    default:
      return { value: one, writable: true };
  }
}

/** How large an input is: in characters, elements and members. */
export function measureRecipe(recipe: Recipe): number {
  if ("odd" in recipe) return recipe.odd.startsWith("a megabyte") ? 1_000_000 : 20_000;
  if ("value" in recipe) return typeof recipe.value === "string" ? recipe.value.length + 1 : 1;
  if ("list" in recipe) return 1 + sum(recipe.list.map(measureRecipe));
  if ("record" in recipe)
    return 1 + sum(recipe.record.map(([name, one]) => measureRecipe(name) + measureRecipe(one)));
  return 200;
}

/** A recipe as a report shows it. */
export function show(recipe: Recipe): string {
  if ("odd" in recipe) return `<${recipe.odd}>`;
  if ("value" in recipe) return JSON.stringify(recipe.value);
  if ("given" in recipe) return `<${recipe.given}>`;
  if ("around" in recipe)
    return `<${JSON.stringify(recipe.around[0])} + ${recipe.around[1]} + ${JSON.stringify(recipe.around[2])}>`;
  const dress = recipe.dress === "plain" ? "" : ` (${recipe.dress})`;
  if ("list" in recipe) return `[${recipe.list.map(show).join(", ")}]${dress}`;
  const members = recipe.record.map(([name, one]) => `${show(name)}: ${show(one)}`);
  return `{ ${members.join(", ")} }${dress}`;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0);
}
