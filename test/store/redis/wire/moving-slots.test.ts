/*
 * Slots that are moved back and forth under a load of every client: key by key, and at once. At once
 * takes Valkey 9: the server of the tests, or the one that `npm run test:matrix` has fetched. Where
 * there is neither, it says so, and the matrix runs this file with that server.
 */
import { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { DOWN, MOVING, NO_REPLICA, underLoad } from "../../../support/proofs/fault-run.ts";
import { type RedisCluster, startCluster } from "../../../support/redis/cluster.ts";
import {
  findOwner,
  type Move,
  moveAtOnce,
  moveKeyByKey,
  serverThatMovesAtOnce,
} from "../../../support/redis/moving-slots.ts";
import { serverProgram } from "../../../support/redis/server.ts";
import { type Kind, steadyClusterClients } from "../../../support/stores/steady-clients.ts";

const TIMEOUT = 1000;
const SHARDS = 3;
const MOVES = 12;

const kinds = Object.keys(steadyClusterClients) as Kind[];

function moving(how: string, move: Move, program: string): void {
  describe(how, () => {
    let cluster: RedisCluster;
    let admins: Redis[];
    beforeAll(async () => {
      cluster = await startCluster({ replicated: true, program });
      admins = cluster.masters.map(({ port }) => new Redis(port));
    });
    afterAll(async () => {
      for (const admin of admins ?? []) admin.disconnect();
      await cluster?.stop();
    });

    test.each(kinds)("%s loses nothing", async (kind) => {
      const masters = cluster.masters.map(({ port }) => port);
      const { client, close } = await steadyClusterClients[kind](masters[0] ?? 0);
      try {
        const { load, prefix, finish } = underLoad(`slots moved ${how}, ${kind}`, client, {
          timeout: TIMEOUT,
          shards: SHARDS,
          replicas: kind.includes("GLIDE") ? undefined : 1, // whose client cannot wait for replicas
        });
        await load.until("done", 100);
        let delay = 0;
        for (let i = 0; i < MOVES; i++) {
          const slot = await admins[0]?.cluster("KEYSLOT", `{${prefix}:${i % 2}}`);
          const owner = await findOwner(slot as number, admins);
          const next = admins[(owner + 1) % admins.length] as Redis;
          const start = performance.now();
          await move(slot as number, admins[owner] as Redis, next, admins);
          delay += Math.ceil(performance.now() - start);
          await load.until("done", 20);
        }
        const reasons = [...DOWN, MOVING, NO_REPLICA];
        const losses = await finish(masters, reasons, delay);
        expect(losses).toMatchObject({ sessions: 0, ends: 0, writes: 0 });
        expect(load.counts.missing, "sessions that a call took for gone").toBe(0);
      } finally {
        await close();
      }
    });
  });
}

moving("key by key", moveKeyByKey, serverProgram());

const program = serverThatMovesAtOnce();
if (program !== undefined) moving("at once", moveAtOnce, program);
else {
  test("slots are moved at once by npm run test:matrix, with Valkey 9", () => {
    console.warn(`${serverProgram()} moves slots key by key only: at once is NOT tested here`);
  });
}
