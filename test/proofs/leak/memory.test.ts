import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { memoryStore } from "session-sets/memory";
import { expect, test } from "vitest";
import { newIdBeside } from "../../../src/testing/ids.ts";
import { change, create, createRotation, of, signIn } from "../../../src/testing/steps.ts";

const MANY = 20_000;
const HOUR = 3_600_000;

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

/** The size of the program's objects in megabytes. */
function heap(): number {
  collectGarbage();
  return process.memoryUsage().heapUsed / 1_000_000;
}

/** A store with room for this many sessions, on a clock that the test sets, and a function that fills it. */
function open() {
  const clock = { now: Date.now() };
  const store = memoryStore({ now: () => clock.now, maxSessions: MANY });
  const fill = async () => {
    const ids: string[] = [];
    for (let n = 0; n < MANY; n++) {
      const references = { user_id: [`${n}`], team_ids: ["7", `of ${n}`] };
      ids.push(await create(store, { fields: { user_id: `${n}` }, references }));
    }
    return ids;
  };
  return { clock, store, fill };
}

/* I3 in memory: the store's own maps cannot be seen from outside, but what they hold on to can. */

test("sessions that were ended or have expired take no memory", async () => {
  const { clock, store, fill } = open();
  const before = heap();
  const ids = await fill();
  expect(heap() - before).toBeGreaterThan(20);
  for (const id of ids) await store.end(id);
  ids.length = 0;
  expect(heap() - before, "after they were ended").toBeLessThan(5);

  await fill();
  clock.now += 2 * HOUR;
  await create(store); // there is room only when the others are gone
  expect(heap() - before, "after they expired").toBeLessThan(5);
});

test("sessions that were rotated leave no lineage when they go", async () => {
  const { clock, store, fill } = open();
  const before = heap();
  const rotation = (id: string) => createRotation(newIdBeside(id), { grace: 0 });
  for (const id of await fill()) {
    await change(store, id, { rotation: rotation(id) });
    await store.end(id, { byName: true });
  }
  expect(heap() - before, "after they were ended").toBeLessThan(5);

  for (const id of await fill()) await change(store, id, { rotation: rotation(id) });
  clock.now += 2 * HOUR;
  await create(store);
  expect(heap() - before, "after they expired").toBeLessThan(5);
});

test("sessions whose place others took take no memory", async () => {
  const { store, fill } = open();
  const before = heap();
  const [spare = "", ...ids] = await fill();
  await store.end(spare); // a new session is made before the old one goes
  for (const id of ids) await signIn(store, id, "1", { tombstone: 0 });
  ids.length = 0;
  expect(await store.endAll(of("user_id", "1"))).toBe(MANY - 1);
  expect(heap() - before).toBeLessThan(5);
});
