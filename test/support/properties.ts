import fc from "fast-check";

/*
 * Property tests are seeded anew each time. A failure prints its seed and path, and
 * `FC_SEED=… FC_PATH=… npx vitest run <file> -t <name>` repeats it; FC_RUNS makes more runs.
 */
const { FC_SEED, FC_PATH, FC_RUNS } = process.env;

fc.configureGlobal({
  ...(FC_SEED ? { seed: Number(FC_SEED) } : {}),
  ...(FC_PATH ? { path: FC_PATH, endOnFailure: true } : {}),
  ...(FC_RUNS ? { numRuns: Number(FC_RUNS) } : {}),
});

/** Runs asked for from outside, or as many as the property itself thinks enough. */
export function runs(enough: number): { numRuns: number } {
  return { numRuns: FC_RUNS ? Number(FC_RUNS) : enough };
}

const [SURROGATES, HOW_MANY, LAST] = [0xd800, 0x800, 0x10ffff];

/** As the unit "binary" of fast-check, which lists all code points in each process, to find the number of some. */
export const anyCodePoint = fc.nat(LAST - HOW_MANY).map(
  (number) => String.fromCodePoint(number < SURROGATES ? number : number + HOW_MANY),
  (character) => {
    const [first, ...more] = Array.from(String(character), (one) => one.codePointAt(0) ?? 0);
    const isSurrogate = first !== undefined && first >= SURROGATES && first < SURROGATES + HOW_MANY;
    if (first === undefined || isSurrogate || more.length > 0) throw new Error("no code point");
    return first < SURROGATES ? first : first - HOW_MANY;
  },
);

/** Any string: each UTF-16 unit by itself, so lone surrogates are among them. */
export const anyText = fc.oneof(
  fc.string({ unit: fc.nat(0xffff).map((unit) => String.fromCharCode(unit)) }),
  fc.string({ unit: fc.constantFrom("\ud83d", "\ude00", "a") }),
  fc.string({ unit: anyCodePoint }),
  fc.string(),
);

/** Texts that are JSON or nearly so: what a codec may take for something else. */
export const jsonLike = fc.oneof(
  fc.string({ unit: fc.constantFrom(..."0123456789.eE+- ") }),
  fc.string({ unit: fc.constantFrom(...'tfn[]{}",:0 \\') }),
  fc.constantFrom("true", "false", "null", "undefined", "NaN", "Infinity", "-0", "1e400", "0x1"),
  fc.json(),
  fc.json().map((text) => ` ${text}`),
  fc.json().map((text) => text.slice(0, -1)),
);

/** Any value that JSON can carry, and -0. */
export const { anyValue } = fc.letrec((tie) => ({
  anyValue: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.constantFrom<unknown>(null, true, false, 0, -0, ""),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.integer(),
    anyText,
    jsonLike,
    fc.array(tie("anyValue"), { maxLength: 5 }),
    fc.dictionary(fc.oneof(anyText, fc.constant("__proto__")), tie("anyValue"), {
      maxKeys: 5,
      noNullPrototype: true,
    }),
  ),
}));

export { fc };
