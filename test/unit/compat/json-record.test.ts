/* Names and ids in the form that every store accepts, and what is no record. */
import { expect, test } from "vitest";
import { decodeText, encodeText, toJSONRecord } from "../../../src/compat/shared/json-record.ts";

test.each(["a", "", "@c", '"quoted"', '"', "__proto__", "\ud800", "é", "1"])(
  "%j is decoded as it was encoded",
  (text) => {
    expect(decodeText(encodeText(text))).toBe(text);
  },
);

test("a name that begins with a quote, and was written by hand, stays as it is", () => {
  expect(decodeText('"by hand')).toBe('"by hand');
});

test("a promise is no record without fields: it is refused", () => {
  // biome-ignore lint/suspicious/noThenProperty: it stands for a promise of another library
  const thenable = Object.fromEntries([["then", () => {}]]);
  for (const promise of [Promise.resolve({ a: 1 }), thenable]) {
    expect(() => toJSONRecord("data", promise)).toThrow(
      expect.objectContaining({
        code: "ERR_SESSION_VALUE",
        hint: expect.stringMatching(/^data cannot be stored: a promise has to be awaited first/),
      }),
    );
  }
  const field = JSON.parse('{"then":"later"}');
  expect(toJSONRecord("data", field)).toEqual(field);
});
