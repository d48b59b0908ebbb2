import { describe, expect, test } from "vitest";
import { encodeValue, findNameFault } from "../../../../../src/shared/codec.ts";
import {
  checkPrefix,
  createKeys,
  encodeName,
  encodeSetName,
  encodeSetNames,
} from "../../../../../src/store/redis/layout/keys.ts";
import { decodeShard } from "../../../../../src/store/shards.ts";
import { anyText, anyValue, fc, jsonLike, runs } from "../../../../support/properties.ts";

/** Characters that mean something in a key, a script, a glob or percent-encoding: made to collide. */
const hostile = fc.string({ unit: fc.constantFrom(..."a:%=~ {}*?[]\\25\0\né") });
const long = fc
  .tuple(fc.constantFrom("x", "é", ":", "%"), fc.nat(400), hostile)
  .map(([unit, count, end]) => unit.repeat(count) + end);
const fieldName = fc
  .oneof(hostile, long, anyText, jsonLike)
  .filter((name) => findNameFault(name) === undefined);
/** The text of a reference's value: a scalar, encoded. */
const valueText = fc
  .oneof(hostile, long, anyText, jsonLike, fc.double({ noNaN: true, noDefaultInfinity: true }))
  .map((value) => encodeValue("f", value));
const reference = fc.record({ field: fieldName, text: valueText, plain: fc.constant(false) });

describe("the name of a session set", () => {
  test("is another one for each field and value", () => {
    const pairs = fc.uniqueArray(reference, {
      minLength: 2,
      maxLength: 30,
      selector: ({ field, text }) => JSON.stringify([field, text]),
    });
    fc.assert(
      fc.property(pairs, (references) => {
        expect(new Set(references.map(encodeSetName)).size).toBe(references.length);
        for (const shards of [1, 4]) {
          const keys = createKeys("p", shards);
          const sets = references.map((one) => keys.deriveSetKey(shards - 1, one));
          expect(new Set(sets).size).toBe(references.length);
          expect(new Set(references.map((one) => keys.derivePublicSetKey(one))).size).toBe(
            sets.length,
          );
        }
      }),
      runs(1000),
    );
  });

  test("is short, and has no character that means something to Redis or a script", () => {
    fc.assert(
      fc.property(reference, ({ field, text }) => {
        const name = encodeSetName({ field, text, plain: false });
        expect(name).toMatch(/^[A-Za-z0-9._~%-]{1,128}:[A-Za-z0-9._~%-]{1,128}$/);
        expect(encodeSetName({ field, text, plain: true })).toBe(`=${name}`);
        expect(encodeSetNames({ field, texts: [text], plain: false })).toEqual([name]);
      }),
      runs(3000),
    );
  });

  test("tells its field: what comes before the colon", () => {
    fc.assert(
      fc.property(reference, (one) => {
        expect(encodeSetName(one).split(":")[0]).toBe(encodeName(one.field));
      }),
      runs(1000),
    );
  });

  test("reads well where the field and the value do", () => {
    expect(encodeSetName({ field: "user_id", text: "1", plain: false })).toBe("user_id:1");
    expect(encodeSetName({ field: "e-mail", text: "a@b.example", plain: true })).toBe(
      "=e-mail:a%40b.example",
    );
    expect(encodeName("")).toBe("~");
    expect(encodeName("x".repeat(128))).toBe("x".repeat(128));
    expect(encodeName("x".repeat(129))).toMatch(/^~[A-Za-z0-9_-]{43}$/);
  });
});

describe("the keys", () => {
  test("of a session and of its sets are under the hash tag of its shard", () => {
    const keys = createKeys("shop.eu-1_a", 4096);
    const id = fc
      .tuple(fc.nat(4095), fc.string({ minLength: 22, maxLength: 22 }))
      .map(([shard, text]) => ({
        shard,
        id: `${BASE64URL[shard >> 6]}${BASE64URL[shard & 63]}${text}`,
      }));
    fc.assert(
      fc.property(id, reference, ({ shard, id }, one) => {
        expect(decodeShard(id)).toBe(shard);
        const tag = `{shop.eu-1_a:${shard}}`;
        expect(keys.deriveSessionKey(id)).toBe(`${tag}:s:${id}`);
        expect(keys.deriveSetKey(shard, one)).toBe(`${tag}:r:${encodeSetName(one)}`);
      }),
      runs(1000),
    );
  });

  test("show a plain set where there is one, and a star for several shards", () => {
    const one = { field: "u", text: "1", plain: false };
    expect(createKeys("p", 1).derivePublicSetKey(one)).toBe("{p:0}:r:u:1");
    expect(createKeys("p", 1).derivePublicSetKey({ ...one, plain: true })).toBe("{p:0}:m:u:1");
    expect(createKeys("p", 4).derivePublicSetKey(one)).toBe("{p:*}:r:u:1");
  });

  test.each(["", "a b", "{a}", "a*", "é", "a\n"])("refuse the prefix %j", (prefix) => {
    const refused = expect.objectContaining({ code: "ERR_SESSION_CONFIG" });
    expect(() => createKeys(prefix, 1)).toThrowError(refused);
    expect(() => checkPrefix(prefix)).toThrowError(refused);
  });

  test("leave colons and ~ to the prefixes that are made of others", () => {
    expect(createKeys("a:b~c", 4).deriveKey(3, "s:")).toBe("{a:b~c:3}:s:");
    for (const prefix of ["a:b", "a~b", null, ["a"]]) {
      expect(() => checkPrefix(prefix as string)).toThrowError(
        expect.objectContaining({ code: "ERR_SESSION_CONFIG" }),
      );
    }
  });

  test.each([0, -1, 1.5, 4097, Number.NaN, "2"])("refuse %j shards", (shards) => {
    expect(() => createKeys("p", shards as number)).toThrowError(
      expect.objectContaining({ code: "ERR_SESSION_CONFIG" }),
    );
  });

  test("can be made for any value of a reference", () => {
    fc.assert(
      fc.property(anyValue, (value) => {
        encodeName(encodeValue("f", value)); // encodeURIComponent throws on a lone surrogate
      }),
      runs(1000),
    );
  });
});

const BASE64URL = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
