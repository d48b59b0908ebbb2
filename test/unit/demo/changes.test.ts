/* What the demo marks of the store's contents as new, changed or deleted, and for how long. */
import { expect, test } from "vitest";
import { Changes, ShownChanges } from "../../../demo/store/changes.ts";
import type { Stored } from "../../../demo/store/reading.ts";

function session(id: string, fields: Record<string, string> = {}): Stored {
  const entries = Object.entries(fields).map(([name, value]) => ({ name, value }));
  const of = { id, lineage: id };
  return { key: `s:${id}`, type: "hash", role: "session", session: of, expiresAt: null, entries };
}

/** Each thing with its mark, and the names of what has changed in it. */
function marks(changes: Changes, reading: Stored[], now: number): unknown {
  const marked = changes.compare(reading, now);
  return marked.map(({ stored, mark, changed }) => [stored.key, mark, ...changed]);
}

test("nothing is new in the first reading", () => {
  const changes = new Changes();
  expect(marks(changes, [session("a", { x: "1" })], 0)).toEqual([["s:a", null]]);
});

test("what has come, changed or gone since is marked for four seconds", () => {
  const changes = new Changes();
  const [a, b] = [session("a", { x: "1", y: "1" }), session("b")];
  changes.compare([a, b], 0);
  const later = [session("a", { x: "2", y: "1", z: "1" }), session("c")];
  const marked = [
    ["s:a", null, "x", "z"],
    ["s:c", "new"],
    ["s:b", "gone"],
  ];
  expect(marks(changes, later, 1000)).toEqual(marked);
  expect(marks(changes, later, 4999)).toEqual(marked);
  expect(marks(changes, later, 5000)).toEqual([
    ["s:a", null],
    ["s:c", null],
  ]);
});

test("what comes back is new, and what changes while it is new stays so", () => {
  const changes = new Changes();
  changes.compare([session("a", { x: "1" })], 0);
  changes.compare([], 1000);
  expect(marks(changes, [session("a", { x: "1" })], 2000)).toEqual([["s:a", "new"]]);
  expect(marks(changes, [session("a", { x: "2" })], 3000)).toEqual([["s:a", "new", "x"]]);
});

test("the ids are those of the last reading's sessions, without what is gone", () => {
  const changes = new Changes();
  expect(changes.ids).toEqual([]);
  const set: Stored = { key: "r", type: "set", role: "set", expiresAt: null, entries: [] };
  changes.compare([set, session("a"), session("b")], 0);
  expect(changes.ids).toEqual(["a", "b"]);
  changes.compare([set, session("b")], 1);
  expect(changes.ids).toEqual(["b"]);
});

test("a session keeps its changes from page to page, and of many the first are dropped", () => {
  const shown = new ShownChanges();
  const first = shown.of("first");
  expect(shown.of("first")).toBe(first);
  for (let i = 0; i < 999; i++) shown.of(`${i}`);
  expect(shown.of("first")).toBe(first);
  shown.of("one more");
  expect(shown.of("first")).not.toBe(first);
});
