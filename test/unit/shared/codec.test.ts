import { createContext, runInContext } from "node:vm";
import { describe, expect, test } from "vitest";
import {
  decodeValue,
  encodeReferenceTexts,
  encodeValue,
  findNameFault,
} from "../../../src/shared/codec.ts";
import { SessionError } from "../../../src/shared/errors.ts";
import { anyText, anyValue, fc, jsonLike, runs } from "../../support/properties.ts";

/** JSON has no negative zero, and this is the one thing that the codec changes. */
function withoutNegativeZero(value: unknown): unknown {
  if (Object.is(value, -0)) return 0;
  if (Array.isArray(value)) return value.map(withoutNegativeZero);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).map(([key, inner]) => [key, withoutNegativeZero(inner)]);
  return Object.fromEntries(entries);
}

/** [1, , 3] */
const sparse = Object.assign(new Array(3), { 0: 1, 2: 3 });

function refusal(work: () => unknown): SessionError {
  try {
    work();
  } catch (error) {
    if (error instanceof SessionError) return error;
    throw error;
  }
  throw new Error("nothing was refused");
}

describe("the codec", () => {
  test("gives every JSON value back", () => {
    fc.assert(
      fc.property(anyValue, (value) => {
        expect(decodeValue(encodeValue("f", value))).toStrictEqual(withoutNegativeZero(value));
      }),
      runs(2000),
    );
  });

  test("gives every string back, lone surrogates and all", () => {
    fc.assert(
      fc.property(fc.oneof(anyText, jsonLike), (text) => {
        expect(decodeValue(encodeValue("f", text))).toBe(text);
      }),
      runs(5000),
    );
  });

  test("writes text that UTF-8 carries", () => {
    fc.assert(
      fc.property(fc.oneof(anyText, anyValue), (value) => {
        const text = encodeValue("f", value);
        expect(Buffer.from(text).toString()).toBe(text);
      }),
      runs(2000),
    );
  });

  test("stores a string as it is, unless it begins as JSON does or is no Unicode", () => {
    const plain = fc
      .oneof(anyText, jsonLike)
      .filter((text) => text.isWellFormed() && !/^(["[{]|-?\d)/.test(text))
      .filter((text) => !["true", "false", "null"].includes(text));
    fc.assert(
      fc.property(plain, (text) => {
        expect(encodeValue("f", text)).toBe(text);
      }),
      runs(3000),
    );
  });

  test("keeps a string and the value it reads like apart", () => {
    fc.assert(
      fc.property(anyValue, (value) => {
        fc.pre(typeof value !== "string");
        const text = encodeValue("f", value);
        expect(encodeValue("f", text)).not.toBe(text);
        expect(decodeValue(encodeValue("f", text))).toBe(text);
      }),
      runs(2000),
    );
  });

  test.each([
    ["plain text", "plain text"],
    ["", ""],
    [" 1", " 1"],
    ["01", "01"],
    ["1.2.3", "1.2.3"],
    ["2024-01-01", "2024-01-01"],
    ["truely", "truely"],
    ["Mozilla/5.0 (X11)", "Mozilla/5.0 (X11)"],
    ["1", '"1"'],
    ["-0", '"-0"'],
    ["1e400", '"1e400"'],
    ["true", '"true"'],
    ["null", '"null"'],
    ["[1]", '"[1]"'],
    ["\ud800", '"\\ud800"'],
    [1, "1"],
    [-0, "0"],
    [1e21, "1e+21"],
    [true, "true"],
    [null, "null"],
    [[1, "1"], '[1,"1"]'],
    [{ a: { b: [] } }, '{"a":{"b":[]}}'],
    [Object.assign(Object.create(null), { a: 1 }), '{"a":1}'],
  ])("stores %j as %s", (value, text) => {
    expect(encodeValue("f", value)).toBe(text);
  });

  test("takes plain objects and arrays of another realm", () => {
    const value: unknown = runInContext("({ a: [1, { b: 2 }] })", createContext());
    expect(encodeValue("f", value)).toBe('{"a":[1,{"b":2}]}');
  });

  test("takes the same object twice in one value, which is no cycle", () => {
    const shared = { a: 1 };
    expect(encodeValue("f", [shared, shared])).toBe('[{"a":1},{"a":1}]');
  });

  test("never throws on a text that it did not write", () => {
    const torn = anyValue.map((value) => encodeValue("f", value).slice(0, -1));
    fc.assert(
      fc.property(fc.oneof(anyText, jsonLike, torn), (text) => {
        decodeValue(text);
      }),
      runs(3000),
    );
    expect(decodeValue("[".repeat(1_000_000))).toBe("[".repeat(1_000_000));
    expect(decodeValue('"torn')).toBe('"torn');
  });

  test("keeps __proto__ inside a value a key like any other", () => {
    const value = JSON.parse('{"__proto__":{"admin":true}}') as object;
    const decoded = decodeValue(encodeValue("f", value)) as object;
    expect(Object.keys(decoded)).toEqual(["__proto__"]);
    expect(Object.getPrototypeOf(decoded)).toBe(Object.prototype);
    expect("admin" in decoded).toBe(false);
  });
});

describe("what JSON would change", () => {
  class Money {
    readonly amount = 1;
  }
  class Tags extends Array<string> {}
  const cycle: unknown[] = [];
  cycle.push({ inner: cycle });
  const deep = (levels: number): unknown => (levels === 0 ? 1 : [deep(levels - 1)]);
  const refused: readonly (readonly [string, unknown])[] = [
    ["NaN", Number.NaN],
    ["Infinity", Number.POSITIVE_INFINITY],
    ["-Infinity", Number.NEGATIVE_INFINITY],
    ["a function", () => 1],
    ["a class", Money],
    ["a symbol", Symbol("s")],
    ["a BigInt", 1n],
    ["a Date", new Date()],
    ["a Map", new Map([["a", 1]])],
    ["a Set", new Set([1])],
    ["a WeakMap", new WeakMap()],
    ["a RegExp", /a/],
    ["an Error", new Error("e")],
    ["a Promise", Promise.resolve(1)],
    ["a Buffer", Buffer.from("a")],
    ["a typed array", new Uint8Array(2)],
    ["an ArrayBuffer", new ArrayBuffer(2)],
    ["a boxed number", Object(1)],
    ["a boxed string", Object("a")],
    ["a URL", new URL("https://example.com")],
    ["a class instance", new Money()],
    ["an array of a class of its own", Tags.from(["a"])],
    ["an object that inherits", Object.create({ a: 1 })],
    ["a sparse array", sparse],
    ["an array with a length alone", new Array(3)],
    ["an array with a property", Object.assign([1], { extra: 1 })],
    ["a sparse array with a property", Object.assign(new Array(1), { extra: 1 })],
    ["an array with a symbol key", Object.assign([1], { [Symbol("s")]: 1 })],
    ["an object with a symbol key", { a: 1, [Symbol("s")]: 1 }],
    ["an object with toJSON", { toJSON: () => 1 }],
    ["an object with a hidden toJSON", Object.defineProperty({}, "toJSON", { value: () => 1 })],
    ["a cycle", cycle],
    ["201 levels", deep(201)],
  ];

  test.each(refused)("is refused: %s", (_name, value) => {
    const error = refusal(() => encodeValue("cart", value));
    expect(error.code).toBe("ERR_SESSION_VALUE");
    expect(error.message).toContain('"cart"');
  });

  test.each([...refused, ["undefined", undefined] as const])(
    "is refused inside: %s",
    (_n, value) => {
      for (const outer of [[value], { a: value }, { a: [1, { b: value }] }]) {
        const error = refusal(() => encodeValue("cart", outer));
        expect(error.code).toBe("ERR_SESSION_VALUE");
        expect(error.message).toContain('"cart"');
      }
    },
  );

  test("is refused wherever it stands in a value", () => {
    const outside = fc.oneof(fc.constant("cart"), anyText);
    const wrap = fc.array(fc.oneof(fc.nat(3), anyText), { maxLength: 6 });
    fc.assert(
      fc.property(outside, wrap, fc.constantFrom(...refused), (field, path, [, value]) => {
        const outer = path.reduce<unknown>(
          (inner, step) =>
            typeof step === "number" ? [...Array(step).fill(null), inner] : { [step]: inner },
          value,
        );
        expect(refusal(() => encodeValue(field, outer)).code).toBe("ERR_SESSION_VALUE");
      }),
      runs(1000),
    );
  });

  test("is refused with a path that finds it, and the message stays short", () => {
    const value = { items: [{ at: new Date() }] };
    expect(refusal(() => encodeValue("cart", value)).message).toContain('["items"]["0"]["at"]');
    const long = { ["k".repeat(10_000)]: { ["j".repeat(10_000)]: 1n } };
    expect(refusal(() => encodeValue("f".repeat(10_000), long)).message.length).toBeLessThan(600);
  });

  test("200 levels are stored", () => {
    expect(decodeValue(encodeValue("f", deep(200)))).toEqual(deep(200));
  });
});

describe("field names", () => {
  test.each(["a", "user_id", "a b", "é", "😀", "constructor", "toString", "a:b", "*", "\0", "a@"])(
    "%j is allowed",
    (name) => expect(findNameFault(name)).toBeUndefined(),
  );

  test.each([
    ["", "is empty"],
    ["@", "begins with"],
    ["@x", "begins with"],
    ["__proto__", "not allowed"],
    ["\ud800", "surrogate"],
    ["a\udc00b", "surrogate"],
    ["x".repeat(257), "over 256 bytes"],
    ["é".repeat(129), "over 256 bytes"],
    [undefined, "not a string"],
    [1, "not a string"],
    [Symbol("s"), "not a string"],
    [["a"], "not a string"],
  ])("%s is refused", (name, fault) => expect(findNameFault(name)).toContain(fault));

  test("are allowed up to 256 bytes", () => {
    expect(findNameFault("x".repeat(256))).toBeUndefined();
    expect(findNameFault("é".repeat(128))).toBeUndefined();
  });

  test("are allowed whenever no rule speaks against them", () => {
    fc.assert(
      fc.property(fc.oneof(anyText, jsonLike), (name) => {
        const allowed =
          name !== "" &&
          !name.startsWith("@") &&
          name !== "__proto__" &&
          Buffer.from(name).toString() === name &&
          Buffer.byteLength(name) <= 256;
        expect(findNameFault(name) === undefined).toBe(allowed);
      }),
      runs(2000),
    );
  });
});

describe("the values of a reference", () => {
  test.each([
    [1, ["1"]],
    ["1", ['"1"']],
    [true, ["true"]],
    ["", [""]],
    [-0, ["0"]],
    [null, []],
    [[], []],
    [[null], []],
    [
      [7, "7", 7, null, "a", "7"],
      ["7", '"7"', "a"],
    ],
    [[0, -0], ["0"]],
  ])("of %j are found by %j", (value, texts) => {
    expect(encodeReferenceTexts("team_ids", value)).toEqual(texts);
  });

  test.each([
    ["an object", { a: 1 }],
    ["an array in an array", [[1]]],
    ["an object in an array", [{ a: 1 }]],
    ["undefined in an array", [1, undefined]],
    ["a hole", sparse],
    ["NaN", Number.NaN],
    ["Infinity in an array", [Number.POSITIVE_INFINITY]],
    ["a BigInt", 1n],
    ["a Date", new Date()],
    ["1,001 values", Array.from({ length: 1001 }, (_, i) => i)],
  ])("are refused: %s", (_name, value) => {
    const error = refusal(() => encodeReferenceTexts("team_ids", value));
    expect(error.code).toBe("ERR_SESSION_VALUE");
    expect(error.message).toContain('"team_ids"');
  });

  test("may be 1,000, and more where they repeat", () => {
    const values = Array.from({ length: 1000 }, (_, i) => i);
    expect(encodeReferenceTexts("f", values)).toHaveLength(1000);
    expect(encodeReferenceTexts("f", [...values, ...values])).toHaveLength(1000);
  });

  test("are the same exactly where the values are", () => {
    const scalar = fc.oneof(anyText, jsonLike, fc.double({ noNaN: true }), fc.boolean());
    const finite = scalar.filter((value) => Math.abs(Number(value)) !== Number.POSITIVE_INFINITY);
    fc.assert(
      fc.property(finite, finite, (a, b) => {
        const same = a === b;
        expect(encodeReferenceTexts("f", a)[0] === encodeReferenceTexts("f", b)[0]).toBe(same);
        expect(encodeReferenceTexts("f", [a, b])).toHaveLength(same ? 1 : 2);
        expect(encodeReferenceTexts("f", a)).toEqual([encodeValue("f", a)]);
      }),
      runs(3000),
    );
  });
});
