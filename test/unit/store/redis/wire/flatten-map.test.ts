/* Replies as clients give them: a map comes as an object, as a Map, or as a list of entries. */
import { expect, test } from "vitest";
import { flattenMap } from "../../../../../src/store/redis/wire/connection.ts";

test.each([
  ["an object", { a: "1", b: "2" }],
  [
    "a Map",
    new Map([
      ["a", "1"],
      ["b", "2"],
    ]),
  ],
  [
    "a list of entries",
    [
      { key: "a", value: "1" },
      { key: "b", value: "2" },
    ],
  ],
  ["a list", ["a", "1", "b", "2"]],
])("%s is a list of names and values", (_kind, reply) => {
  expect(flattenMap(reply)).toEqual(["a", "1", "b", "2"]);
});

test.each([null, 1, "a", [], ["a", ["1", "2"]]])("%j is as it is", (reply) => {
  expect(flattenMap(reply)).toEqual(reply);
});
