/* Endings of the sessions of express-session, by their sids. */
import type { Ending } from "session-sets";
import { SessionSetsStore } from "session-sets/compat/express-session";
import { expect, onTestFinished, test } from "vitest";
import { eventually } from "../../support/eventually.ts";

const cookie = { originalMaxAge: 3_600_000, path: "/" };
const ADMIN = { initiator: "admin", reason: "stolen laptop" } as const;

async function open() {
  const store = new SessionSetsStore({ references: { user_id: {} } });
  onTestFinished(() => store.close());
  await store.set("a sid", { cookie, user_id: 1 });
  const told: Ending[] = [];
  return { store, told, tell: (ending: Ending) => void told.push(ending) };
}

test("onEnd tells a destroy as delete, by the sid and by the public id", async () => {
  const { store, told, tell } = await open();
  const id = store.idOf("a sid");
  await store.onEnd("a sid", tell);
  await store.onEnd(id, tell);
  await store.destroy("a sid");
  await eventually("both", 2, async () => told.length);
  expect(told).toMatchObject([
    { id, lineage: id, how: "delete" },
    { id, lineage: id, how: "delete" },
  ]);
  expect(JSON.stringify(told)).not.toContain("a sid");
});

test("onEnd tells how a set ended it, and why", async () => {
  for (const how of ["clear", "delete"] as const) {
    const { store, told, tell } = await open();
    await store.onEnd("a sid", tell);
    const set = store.by("user_id", 1);
    await (how === "clear" ? set.clear(ADMIN) : set.delete(store.idOf("a sid"), ADMIN));
    await eventually("it", 1, async () => told.length);
    expect(told).toMatchObject([{ how, ...ADMIN }]);
  }
});

test("onEnd waits for the saves before it, and can be stopped", async () => {
  const { store, told, tell } = await open();
  const saved = store.set("another sid", { cookie, user_id: 2 });
  const off = await store.onEnd("another sid", tell);
  await saved;
  await off();
  await store.onEnd("another sid", tell);
  await store.destroy("another sid");
  await eventually("it", ["delete"], async () => told.map(({ how }) => how));
});

test("onEnd tells when a nearer deadline of the cookie has passed", async () => {
  const { store, told, tell } = await open();
  await store.onEnd("a sid", tell);
  const maxAge = 50;
  await store.set("a sid", { cookie: { ...cookie, maxAge, originalMaxAge: maxAge }, user_id: 1 });
  await eventually("it", ["expire"], async () => told.map(({ how }) => how));
});

test("onEnd tells a session that is not there as unknown", async () => {
  const { store, told, tell } = await open();
  await store.onEnd("a sid of nobody", tell);
  await eventually("it", ["unknown"], async () => told.map(({ how }) => how));
});

test("close ends all watches, and tells none", async () => {
  const { store, told, tell } = await open();
  await store.onEnd("a sid", tell);
  await store.close();
  await store.destroy("a sid");
  await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
  expect(told).toEqual([]);
});
