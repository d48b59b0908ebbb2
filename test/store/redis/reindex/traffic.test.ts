/* `sessions.reindex()` while the sessions are in use: it fixes damage, and harms nothing. */
import { redisStore } from "session-sets/redis";
import { describe, expect, test } from "vitest";
import { LOAD_REFERENCES, Load, loadedSessions, summary } from "../../../support/proofs/load.ts";
import {
  openPlace,
  openPlaces,
  type Place,
  reindexToEnd,
} from "../../../support/stores/reindexing.ts";

const shared = openPlaces();

/** Of a session, which by now may be an alias, or gone. */
const MISLIST = `
  if redis.call('HEXISTS', KEYS[1], '@r') == 1 then
    redis.call('HSET', KEYS[1], '@r', 'user_id:404')
  end`;

function start(place: Place) {
  const { client } = place.servers;
  const { prefix, shards } = place;
  const sessions = loadedSessions(redisStore(client, { prefix, shards, timeout: "20 seconds" }));
  const load = new Load(sessions);
  return {
    load,
    reindex: () => reindexToEnd(sessions),
    /** Does it again and again while the load does this many calls. */
    async during(calls: number, work: () => Promise<void>): Promise<void> {
      let over = false;
      const done = load.until("done", calls).finally(() => {
        over = true;
      });
      try {
        while (!over) await work();
      } finally {
        if (!over) await load.stop(); // it has failed, and nobody else would stop it
      }
      await done;
    },
  };
}

describe.each<[string, () => Place]>([
  ["on one server", () => openPlace(shared.single, 1)],
  ["on a cluster", () => openPlace(shared.spread, 16)],
])("%s", (where, open) => {
  test("where nothing is damaged it finds nothing, though sessions are made, moved, rotated and ended", async () => {
    const place = open();
    const { load, reindex, during } = start(place);
    let runs = 0;
    await during(5000, async () => {
      expect(await reindex()).toMatchObject({ added: 0, removed: 0, corrected: 0 });
      runs++;
    });
    await load.stop();
    await place.check(LOAD_REFERENCES);
    const losses = await load.losses();
    console.log(summary(`${runs} runs, ${where}`, load, losses));
    expect(runs).toBeGreaterThan(1);
    expect(losses).toEqual({ sessions: 0, ends: 0, writes: 0 });
    expect(load.counts).toMatchObject({ refused: 0, missing: 0 });
    await load.clearAll();
  });

  test("damage that is done meanwhile is fixed, and no session or write is lost", async () => {
    const place = open();
    const { load, reindex, during } = start(place);
    let harm = 0;
    let fixed = 0;
    await during(4000, async () => {
      for (const set of (await place.keys("*}:r:*")).filter((_, i) => i % 3 === harm % 3)) {
        await place.call("DEL", set);
      }
      for (const key of (await place.keys("*}:s:*")).filter((_, i) => i % 10 === harm % 10)) {
        await place.servers.client.eval(MISLIST, 1, key);
      }
      harm++;
      const { added, removed, corrected } = await reindex();
      fixed += added + removed + corrected;
    });
    expect(fixed).toBeGreaterThan(0);
    await reindex(); // after the last damage, and with the load still on
    await load.stop();
    await place.check(LOAD_REFERENCES);
    const losses = await load.losses();
    console.log(summary(`${fixed} fixes, ${where}`, load, losses));
    // Only what ended a set while that was damaged may have missed a session.
    expect(losses).toMatchObject({ sessions: 0, writes: 0 });
    await load.clearAll();
  });
});
