import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { memoryStore } from "session-sets/memory";
import { expect, test } from "vitest";
import { create } from "../src/testing/steps.ts";

const MANY = 20_000;
const HOUR = 3_600_000;

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

/** What the program's objects take, in megabytes. */
function heap(): number {
  collectGarbage();
  return process.memoryUsage().heapUsed / 1_000_000;
}

/** I3 in memory: the store's own maps cannot be seen from outside, but what they hold on to can. */
test("sessions that were ended or have expired take no memory", async () => {
  let now = Date.now();
  const store = memoryStore({ now: () => now, maxSessions: MANY });
  const before = heap();
  const fill = async () => {
    const ids: string[] = [];
    for (let n = 0; n < MANY; n++) {
      const references = { user_id: [`${n}`], team_ids: ["7", `of ${n}`] };
      ids.push(await create(store, { fields: { user_id: `${n}` }, references }));
    }
    return ids;
  };
  const ids = await fill();
  expect(heap() - before).toBeGreaterThan(20);
  for (const id of ids) await store.end(id);
  ids.length = 0;
  expect(heap() - before, "after they were ended").toBeLessThan(5);

  await fill();
  now += 2 * HOUR;
  await create(store); // there is room only when the others are gone
  expect(heap() - before, "after they expired").toBeLessThan(5);
});
