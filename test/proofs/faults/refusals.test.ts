/* A server that goes on and refuses, under load: paused, full, demoted, loading, without its scripts. */
import { Redis } from "ioredis";
import { describe, expect, test } from "vitest";
import { eventually } from "../../support/eventually.ts";
import { DOWN, type FaultRun, LATE, LOADING, underLoad } from "../../support/proofs/fault-run.ts";
import { startReplicated } from "../../support/redis/replicated.ts";
import { type RedisServer, startRedis } from "../../support/redis/server.ts";
import { type Kind, steadyClients } from "../../support/stores/steady-clients.ts";

const TIMEOUT = 400;
/** Where the server answers at once: no call is refused because the machine is busy. */
const PATIENCE = 10_000;
const NOTHING = { sessions: 0, ends: 0, writes: 0, unheard: 0 };
const FULL =
  /^the server is out of memory; raise maxmemory\. Sessions can still be read and ended$/;
const READ_ONLY = /^the client is connected to a read-only replica; connect it to the master$/;

const kinds = Object.keys(steadyClients) as Kind[];

/** A load on a server, and a connection to do it harm. */
async function runLoad(
  what: string,
  kind: Kind,
  server: RedisServer,
  work: (run: FaultRun, admin: Redis) => Promise<void>,
  timeout = TIMEOUT,
): Promise<void> {
  const { client, close } = await steadyClients[kind](server.port);
  const admin = new Redis(server.port, { enableReadyCheck: false }); // ready while the server loads
  admin.on("error", () => {});
  try {
    const run = underLoad(`${what}, ${kind}`, client, { timeout });
    await run.load.until("done", 200);
    await work(run, admin);
    expect(run.load.counts.missing, "sessions that a call took for gone").toBe(0);
  } finally {
    admin.disconnect();
    await close();
    await server.stop();
  }
}

const listReasons = ({ load }: FaultRun) => [...load.counts.reasons.keys()];

/** Gives a server keys that it loads for ten seconds, longer than any client pauses to connect. */
async function prolongLoading(admin: Redis): Promise<void> {
  await admin.mset(Array.from({ length: 30_000 }, (_, n) => [`key ${n}`, n]).flat());
  await admin.bgrewriteaof();
  await eventually("a file of keys", true, async () =>
    /aof_last_rewrite_time_sec:\d/.test(await admin.info("persistence")),
  );
}

describe.concurrent.each(kinds)("%s", (kind) => {
  test("a server that is paused for longer than the timeout does nothing of it afterwards", async () => {
    await runLoad("paused", kind, await startRedis(), async ({ load, finish }, admin) => {
      for (let pause = 0; pause < 3; pause++) {
        const { refused } = load.counts;
        // On a busy machine nothing may be asked for while a pause lasts.
        while (load.counts.refused === refused) {
          await admin.client("PAUSE", 3 * TIMEOUT);
          await admin.ping(); // answered after it
        }
        await load.until("done", 200);
      }
      expect(await finish([admin.options.port ?? 0], LATE)).toEqual(NOTHING);
    });
  });

  test("a server whose memory is full still reads and ends sessions", async () => {
    const server = await startRedis({ args: ["--maxmemory-policy", "noeviction"] });
    const fill = async ({ load, finish }: FaultRun, admin: Redis) => {
      const used = Number(/used_memory:(\d+)/.exec(await admin.info("memory"))?.[1]);
      await admin.config("SET", "maxmemory", String(used + 50_000)); // soon, and again and again
      await load.until("refused", 100);
      await admin.config("SET", "maxmemory", "1"); // for good
      await load.until("refused", 50);
      await load.until("done", 100);
      await admin.config("SET", "maxmemory", "0");
      expect(await finish([server.port], [FULL])).toEqual(NOTHING);
      // A sign-in comes after a create that was done, so perhaps none was refused.
      const { operations } = load.counts;
      expect([...operations].filter((what) => what !== "sign in").sort()).toEqual([
        "change a session",
        "change a session set",
        "create a session",
      ]);
    };
    await runLoad("full", kind, server, fill, PATIENCE);
  });

  test("a master that becomes a replica refuses to write until it is the master again", async () => {
    const { master, replicas, stop } = await startReplicated(1);
    const [replica] = replicas as [RedisServer];
    const other = new Redis(replica.port);
    try {
      await runLoad("demoted", kind, master, async (run, admin) => {
        await admin.call("FAILOVER", "TO", "127.0.0.1", String(replica.port));
        await run.load.until("refused", 50);
        await eventually("a replica in step", "connected", async () => {
          return ((await admin.call("ROLE")) as string[])[3];
        });
        await other.call("FAILOVER", "TO", "127.0.0.1", String(master.port));
        await eventually("a master again", "master", async () => {
          return ((await admin.call("ROLE")) as string[])[0];
        });
        expect(await run.finish([master.port], [READ_ONLY, ...LATE])).toMatchObject({
          sessions: 0,
          ends: 0,
          writes: 0,
        });
        expect(listReasons(run)).toContainEqual(expect.stringMatching(READ_ONLY));
      });
    } finally {
      other.disconnect();
      await stop();
    }
  });

  test("a server that is loading its data after a crash", async () => {
    const server = await startRedis({
      args: [
        ...["--appendonly", "yes", "--appendfsync", "always"],
        // It takes this many µs for each key or command, and looks up from it often.
        ...["--key-load-delay", "300", "--loading-process-events-interval-bytes", "1024"],
      ],
    });
    await runLoad("loading", kind, server, async (run, admin) => {
      const { load, finish } = run;
      // The others do not come back before it has loaded.
      const meetsLoading = kind === "redis 6";
      if (meetsLoading) await prolongLoading(admin);
      await load.until("done", 800);
      await server.kill();
      const restarted = server.restart(); // when it has loaded
      await load.until("refused", 24);
      if (meetsLoading) {
        const isMet = async () => listReasons(run).some((reason) => LOADING.test(reason));
        await eventually("a refusal while it loads", true, isMet);
        await admin.config("SET", "key-load-delay", "0");
      }
      await restarted;
      const outcome = await finish([server.port], DOWN);
      expect(outcome).toMatchObject({ sessions: 0, ends: 0, writes: 0 });
      if (meetsLoading) {
        expect(listReasons(run)).toContainEqual(expect.stringMatching(LOADING));
      }
    });
  });

  test("a server whose scripts are flushed refuses nothing", async () => {
    const server = await startRedis();
    const flush = async ({ load, finish }: FaultRun, admin: Redis) => {
      for (let i = 0; i < 20; i++) {
        await admin.script("FLUSH");
        await load.until("done", 20);
      }
      expect(await finish([server.port], [])).toEqual(NOTHING);
      expect(load.counts.refused).toBe(0);
    };
    await runLoad("flushed", kind, server, flush, PATIENCE);
  });
});
