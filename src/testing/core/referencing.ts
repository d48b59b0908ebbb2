import assert from "node:assert/strict";
import {
  assertMembers,
  change,
  create,
  createForUser,
  expectDone,
  findLive,
  HOUR_MS,
  of,
  type ReferenceTexts,
  readTexts,
} from "../steps.ts";
import { type StoreTest, type StoreUnderTest, storeTest } from "../store-test.ts";

export const referencing: readonly StoreTest[] = [
  storeTest("a changed reference moves the session to another set", async ({ store }) => {
    const id = await createForUser(store, "1");
    expectDone(await change(store, id, { set: { user_id: "2" }, references: { user_id: ["2"] } }));
    await assertMembers(store, of("user_id", "1"), []);
    await assertMembers(store, of("user_id", "2"), [id]);
    assert.equal(await store.has(of("user_id", "1"), id), false);
  }),

  storeTest("an unset reference takes the session out of its set", async ({ store }) => {
    const id = await createForUser(store, "1", {
      fields: { team: "7" },
      references: { team: ["7"] },
    });
    expectDone(await change(store, id, { unset: ["user_id"], references: { user_id: [] } }));
    await assertMembers(store, of("user_id", "1"), []);
    await assertMembers(store, of("team", "7"), [id]);
    assert.deepEqual(await readTexts(store, id), { team: "7" });
  }),

  storeTest("a reference that is set anew adds the session to its set", async ({ store }) => {
    const id = await create(store);
    expectDone(await change(store, id, { set: { user_id: "1" }, references: { user_id: ["1"] } }));
    await assertMembers(store, of("user_id", "1"), [id]);
  }),

  storeTest("a change that names no reference leaves every set as it is", async ({ store }) => {
    const id = await createForUser(store, "1", { references: { team: ["7", "8"] } });
    expectDone(await change(store, id, { set: { theme: "dark" }, idleTimeout: 2 * HOUR_MS }));
    await assertMembers(store, of("user_id", "1"), [id]);
    await assertMembers(store, of("team", "7"), [id]);
    await assertMembers(store, of("team", "8"), [id]);
  }),

  storeTest("a reference set to the value it has changes no set", async ({ store }) => {
    const id = await createForUser(store, "1");
    expectDone(await change(store, id, { set: { user_id: "1" }, references: { user_id: ["1"] } }));
    await assertMembers(store, of("user_id", "1"), [id]);
  }),

  storeTest("an element added or removed changes exactly its own set", async ({ store }) => {
    const id = await create(store, { references: { team: ["1", "2", "3"] } });
    await assertTeams(store, id, { in: ["1", "2", "3"], out: ["4"] });
    expectDone(await change(store, id, { references: { team: ["2", "3", "4"] } }));
    await assertTeams(store, id, { in: ["2", "3", "4"], out: ["1"] });
    expectDone(await change(store, id, { references: { team: [] } }));
    await assertTeams(store, id, { in: [], out: ["1", "2", "3", "4"] });
    expectDone(await change(store, id, { references: { team: ["1"] } }));
    await assertTeams(store, id, { in: ["1"], out: ["2", "3", "4"] });
  }),

  storeTest("two fields may have the same value in sets of their own", async ({ store }) => {
    const id = await create(store, { references: { owner: ["1"], editor: ["1"] } });
    expectDone(await change(store, id, { references: { editor: [] } }));
    await assertMembers(store, of("owner", "1"), [id]);
    await assertMembers(store, of("editor", "1"), []);
  }),

  storeTest("a reference may have 1,000 values", async ({ store }) => {
    const teams = Array.from({ length: 1000 }, (_, i) => String(i));
    const id = await create(store, { references: { team: teams } });
    const counts = () => Promise.all(teams.map((text) => store.count(of("team", text))));
    assert.deepEqual(await counts(), Array(1000).fill(1));

    const odd = teams.filter((_, i) => i % 2 === 1);
    expectDone(await change(store, id, { references: { team: [...odd, "new"] } }));
    assert.deepEqual(
      await counts(),
      teams.map((_, i) => i % 2),
    );
    await assertMembers(store, of("team", "new"), [id]);

    expectDone(await change(store, id, { references: { team: teams } }));
    assert.deepEqual(await counts(), Array(1000).fill(1));
    assert.equal(await store.end(id), id);
    assert.deepEqual(await counts(), Array(1000).fill(0));
  }),

  storeTest("long values make sets of their own", async ({ store }) => {
    const same = "x".repeat(10_000);
    const values = [`${same}a`, `${same}b`, same, same.slice(1)];
    const ids: string[] = [];
    for (const value of values) ids.push(await createForUser(store, value));
    for (const [i, value] of values.entries()) {
      await assertMembers(store, of("user_id", value), ids.slice(i, i + 1));
    }
  }),

  storeTest("hostile fields and values never share a set", async (under) => {
    const names = [..."ab:|{}*%=. \n\0é😀"];
    names.push("a:b", "a%3Ab", "%25", "constructor", "toString", "{a}", "\r\n", "a b", "=a");
    const values = [...names, "", "1", '"1"', "true", "null", "[]", "A", "%00", "%0"];
    await assertDistinct(under, names, values);
  }),

  storeTest("a colon may stand on either side of a field's end", async ({ store }) => {
    const id = await create(store, { references: { a: ["b:c"] } });
    const other = await create(store, { references: { "a:b": ["c"] } });
    await assertMembers(store, of("a", "b:c"), [id]);
    await assertMembers(store, of("a:b", "c"), [other]);
    assert.notEqual(store.setKey(of("a", "b:c")), store.setKey(of("a:b", "c")));
  }),

  storeTest("values of every kind come back as they were", async ({ store }) => {
    const fields: Record<string, string> = {
      empty: "",
      nul: "\0a\0",
      crlf: "\r\n$5\r\nhello\r\n",
      unicode: "é €  \uFEFF\uFFFF 😀 ẞ",
      json: '{"a":[1,{"b":null}],"__proto__":1}',
      number: "1e400",
      word: "nil",
      long: "0123456789".repeat(5000),
      constructor: "own",
      toString: "own",
      hasOwnProperty: "own",
      length: "0",
      id: "none",
      "a b\n:%{}*?[]^": "any",
      é: "é",
    };
    const id = await create(store, { fields });
    assert.deepEqual(await readTexts(store, id), fields);
    expectDone(await change(store, id, { set: { more: "1" } }));
    assert.deepEqual(await readTexts(store, id), { ...fields, more: "1" });
    const names = Object.keys(fields);
    assert.deepEqual(Object.fromEntries((await findLive(store, id, names)).fields), fields);
    expectDone(await change(store, id, { unset: names }));
    assert.deepEqual(await readTexts(store, id), { more: "1" });
  }),
];

async function assertTeams(
  store: StoreUnderTest["store"],
  id: string,
  expected: { in: readonly string[]; out: readonly string[] },
): Promise<void> {
  for (const text of expected.in) await assertMembers(store, of("team", text), [id]);
  for (const text of expected.out) await assertMembers(store, of("team", text), []);
}

/** One session for each field has all the values; no other name or value may lead to it. */
async function assertDistinct(
  { store }: StoreUnderTest,
  names: readonly string[],
  values: readonly string[],
): Promise<void> {
  const ids = new Map<string, string>();
  for (const name of names) {
    const references: ReferenceTexts = { [name]: values };
    ids.set(name, await create(store, { references }));
  }
  const keys = new Set<string>();
  for (const name of names) {
    const assertOwn = async (text: string) => {
      keys.add(store.setKey(of(name, text)));
      const sessions = await store.list(of(name, text), { limit: 10, order: "last-seen" });
      assert.deepEqual(
        sessions.map(({ id }) => id),
        [ids.get(name)],
        `the set of ${JSON.stringify(name)} = ${JSON.stringify(text)}`,
      );
    };
    await Promise.all(values.map(assertOwn));
  }
  assert.equal(keys.size, names.length * values.length, "setKey gives each set its own key");
}
