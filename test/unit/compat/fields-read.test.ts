/* The fields of a session that the function of a reference reads. */
import { expect, test } from "vitest";
import { findFieldsRead } from "../../../src/compat/express-session/sets/fields-read.ts";

type Session = Record<string, never>;
const find = (from: (session: Session) => unknown) => {
  const read = findFieldsRead(from as (session: object) => unknown);
  return read === null ? null : [...read].sort();
};

test("fields are found that are read only where others are there, or are not", () => {
  expect(find((session) => session.user ?? session.guest)).toEqual(["guest", "user"]);
  expect(find((session) => (session.kind === 1 ? session.a : session.b))).toEqual([
    "a",
    "b",
    "kind",
  ]);
});

test("a function that goes through all fields reads all, under whatever condition", () => {
  expect(find((session) => Object.keys(session).length)).toBeNull();
  expect(find((session) => (session.user === null ? { ...session } : 1))).toBeNull();
  expect(find((session) => (session.a && !session.b ? { ...session } : 1))).toBeNull();
  expect(find((session) => (session.b && !session.a ? { ...session } : 1))).toBeNull();
  expect(find(({ a, b, ...rest }) => [a, b, rest])).toBeNull();
  expect(find((session) => (session.a && session.c && !session.b ? { ...session } : 1))).toBeNull();
});

test("a function that reads very many fields, or loops until nothing is left, is left in time", () => {
  const names = Array.from({ length: 80 }, (_, at) => `field${at}`).sort();
  expect(find((session) => names.map((name) => session[name]))).toEqual(names);
  const loops = (session: Session) => {
    let last: { next?: never } | undefined = session.first;
    while (last) last = new (last as never as { new (): { next?: never } })().next;
    return last;
  };
  expect(find(loops)).toEqual(["first"]);
});
