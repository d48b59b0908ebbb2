/* What the library keeps about objects of others. */
import { expect, test } from "vitest";
import { Note } from "../../../src/shared/note.ts";

const KINDS: Record<string, () => object> = {
  "an object": () => ({}),
  "a frozen object": () => Object.freeze({}),
  "a function": () => () => {},
  "a Proxy": () => new Proxy({}, {}),
  "a Proxy that refuses properties": () => new Proxy({}, { defineProperty: () => false }),
  "a Proxy that throws": () =>
    new Proxy(
      {},
      {
        defineProperty() {
          throw new Error("no");
        },
        getOwnPropertyDescriptor() {
          throw new Error("no");
        },
      },
    ),
  "a Proxy that pretends to take properties": () => new Proxy({}, { defineProperty: () => true }),
  "a revoked Proxy"() {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    return proxy;
  },
};

test.each(Object.entries(KINDS))("%s has a note of its own, which can be replaced", (_, create) => {
  const [note, other] = [new Note<number>(), new Note<number>()];
  const [one, two] = [create(), create()];
  expect(note.get(one)).toBeUndefined();
  note.set(one, 1);
  note.set(two, 2);
  other.set(one, 3);
  expect([note.get(one), note.get(two), other.get(one), other.get(two)]).toEqual([
    1,
    2,
    3,
    undefined,
  ]);
  note.set(one, 4);
  expect(note.get(one)).toBe(4);
});

test("an object that inherits from one with a note has none", () => {
  const note = new Note<number>();
  const base = {};
  note.set(base, 1);
  const heir = Object.create(base);
  expect(note.get(heir)).toBeUndefined();
  note.set(heir, 2);
  expect(note.get(base)).toBe(1);
});

test("nobody sees a note, and no copy has it", () => {
  const note = new Note<number>();
  const owner = { field: 1 };
  note.set(owner, 1);
  const seen: string[] = [];
  for (const name in owner) seen.push(name);
  expect(seen).toEqual(["field"]);
  expect(JSON.stringify(owner)).toBe('{"field":1}');
  expect(note.get({ ...owner })).toBeUndefined();
  expect(note.get(structuredClone(owner))).toBeUndefined();
});
