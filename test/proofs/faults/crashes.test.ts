/*
 * Requirement 11 (docs/design.md, "Requirements"): a server that is killed under load comes back, with
 * what its append-only file kept, or empty.
 */
import { expect, test } from "vitest";
import { DOWN, underLoad } from "../../support/proofs/fault-run.ts";
import { type RedisServer, startRedis } from "../../support/redis/server.ts";
import { type Kind, steadyClients } from "../../support/stores/steady-clients.ts";

const TIMEOUT = 500;
const KILLS = 3;

const aof = (fsync: string) => ["--appendonly", "yes", "--appendfsync", fsync];

test.concurrent.each<[Kind, string]>([
  ["ioredis 6", "always"],
  ["redis 6", "always"],
  ["Valkey GLIDE 2", "always"],
  ["ioredis 6", "everysec"],
  ["redis 6", "everysec"],
])("%s: a server that fsyncs %s is killed and comes back", async (kind, fsync) => {
  const server = await startRedis({ args: aof(fsync) });
  const { losses, missing } = await killUnderLoad(`kill -9, AOF ${fsync}, ${kind}`, kind, server);
  if (fsync === "always") {
    expect(losses).toMatchObject({ sessions: 0, ends: 0, writes: 0 });
    expect(missing).toBe(0);
  }
});

test.concurrent.each<Kind>(["ioredis 6", "redis 6"])(
  "%s: a server that keeps nothing is killed",
  async (kind) => {
    const { losses } = await killUnderLoad(`kill -9, no AOF, ${kind}`, kind, await startRedis());
    expect(losses.sessions).toBeGreaterThan(0);
    expect(losses.ends).toBe(0);
    expect(losses.writes).toBe(0);
  },
);

async function killUnderLoad(what: string, kind: Kind, server: RedisServer) {
  const { client, close } = await steadyClients[kind](server.port);
  try {
    const { load, finish } = underLoad(what, client, { timeout: TIMEOUT });
    for (let kill = 0; kill < KILLS; kill++) {
      await load.until("done", 300);
      await server.kill();
      await load.until("refused", 6);
      await server.restart();
    }
    const losses = await finish([server.port], DOWN);
    return { losses, missing: load.counts.missing };
  } finally {
    await close();
    await server.stop();
  }
}
