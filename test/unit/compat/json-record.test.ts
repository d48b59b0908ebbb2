/* Names and ids in the form that every store accepts. */
import { expect, test } from "vitest";
import { decodeText, encodeText } from "../../../src/compat/shared/json-record.ts";

test.each(["a", "", "@c", '"quoted"', '"', "__proto__", "\ud800", "é", "1"])(
  "%j is decoded as it was encoded",
  (text) => {
    expect(decodeText(encodeText(text))).toBe(text);
  },
);

test("a name that begins with a quote, and was written by hand, stays as it is", () => {
  expect(decodeText('"by hand')).toBe('"by hand');
});
