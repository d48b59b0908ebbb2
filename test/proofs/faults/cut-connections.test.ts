/*
 * Requirement 11 (docs/design.md, "Requirements"): the connection is cut at each command of every
 * operation. Nothing is half done, and it comes back.
 */
import { Redis } from "ioredis";
import { createClient } from "redis";
import { SessionError } from "session-sets";
import { redisStore } from "session-sets/redis";
import { describe, expect, test } from "vitest";
import { eventually } from "../../support/eventually.ts";
import { loopTime } from "../../support/loop-time.ts";
import {
  couldNot,
  createSessionsOn,
  type Made,
  makeSession,
  operations,
  SECRET,
} from "../../support/proofs/operations.ts";
import { CUTS, type Cut, openCuttingProxy } from "../../support/redis/cutting-proxy.ts";
import { startRedis } from "../../support/redis/server.ts";
import type { StoreClient } from "../../support/stores/clients.ts";
import { checkInvariants } from "../../support/stores/invariants.ts";
import { steadyClients } from "../../support/stores/steady-clients.ts";
import { freshPrefix } from "../../support/stores/stores.ts";

const TIMEOUT = 2000;
/** How much later than its time a call may end, in time of the event loop. */
const SLACK = 1500;
/** How many servers work off the operations. */
const LANES = 4;
const LAYOUT = { shards: 1, references: { user_id: {}, team_ids: {} } };
/** These end the session, or leave its old token nothing to read. */
const ENDING = new Set([
  "rotate with the same user",
  "rotate with changes",
  "command that merges",
  "sign in again",
  "sign in as another",
  "change of credentials",
  "sign out everywhere",
  "delete of a set",
  "clear",
  "delete by id",
  "delete by lineage",
  "delete",
]);

const kinds: Record<string, (port: number) => Promise<StoreClient>> = {
  "ioredis 6": async (port) => {
    const client = new Redis({ port, retryStrategy: () => 10 });
    client.on("error", () => {});
    return { client, close: () => client.quit() };
  },
  "ioredis 6 that does not resend": async (port) => {
    const client = new Redis({
      port,
      retryStrategy: () => 10,
      autoResendUnfulfilledCommands: false,
      maxRetriesPerRequest: 0,
    });
    client.on("error", () => {});
    return { client, close: () => client.quit() };
  },
  "redis 6": async (port) => {
    const client = createClient({ socket: { port, reconnectStrategy: () => 10 } });
    client.on("error", () => {});
    await client.connect();
    return { client, close: () => client.close() };
  },
  "Valkey GLIDE 2": steadyClients["Valkey GLIDE 2"],
};

const names = Object.keys(
  operations(createSessionsOn(redisStore(new Redis({ lazyConnect: true }))), {
    oldToken: "",
    token: "",
    session: { id: "" } as Made["session"],
  }),
);

interface Counts {
  cut: number;
  done: number;
  refused: number;
  readonly commands: Set<string>;
}

/** One server with a proxy in front of it, and the client that is cut again and again. */
async function openLane(connect: (port: number) => Promise<StoreClient>) {
  const server = await startRedis();
  const proxy = await openCuttingProxy(server.port);
  const direct = new Redis(server.socket);
  const unsteady = await connect(proxy.port);

  /** Cuts an operation at its nth command; false if it has fewer. */
  async function cutOnce(name: string, cut: Cut, nth: number, counts: Counts): Promise<boolean> {
    const prefix = freshPrefix();
    const steady = createSessionsOn(redisStore(direct, { prefix, timeout: "20 seconds" }));
    const made = await makeSession(steady);
    const beside = await makeSession(steady);
    const other = await steady.create({ user_id: 3, team_ids: [9], secret: "of another" });
    await direct.script("FLUSH");
    const cutting = createSessionsOn(redisStore(unsteady.client, { prefix, timeout: TIMEOUT }));
    const operation = operations(cutting, made)[name];

    proxy.arm(cut, nth);
    const start = loopTime();
    const outcome = await operation?.run().catch((error: unknown) => error);
    const took = loopTime() - start;
    const command = proxy.disarm();
    const what = `${name}, cut ${cut} ${nth} (${command})`;

    expect(took, what).toBeLessThan(TIMEOUT + SLACK);
    if (outcome instanceof Error) {
      expect(outcome, what).toBeInstanceOf(SessionError);
      expect(outcome, what).toHaveProperty("code", "ERR_STORE_UNAVAILABLE");
      expect(outcome.message, what).toMatch(couldNot(operation?.does));
      counts.refused++;
    } else counts.done++;
    await checkInvariants(direct, { ...LAYOUT, prefix });
    expect((await steady.get(other.token))?.data.secret, what).toBe("of another");
    const found = await steady.get(made.token);
    if (!ENDING.has(name)) expect(found?.data.user_id, what).toBe(1);
    if (!ENDING.has(name) && !/set/.test(name)) expect(found?.data.team_ids).toEqual([1, 2]);
    if (name.startsWith("sign in")) {
      // The old session or the new one, and never both nor none.
      const of = (user: number) => steady.by("user_id", user).size();
      expect((await of(1)) + (await of(2)), what).toBe(2);
      if (!(outcome instanceof Error)) expect(found, what).toBeNull();
    }
    if (/^delete/.test(name) && !(outcome instanceof Error)) expect(found, what).toBeNull();
    if (name.startsWith("clear") && !(outcome instanceof Error)) {
      expect(await steady.get(beside.token), what).toBeNull();
    }

    // The client that was cut is the one that goes on.
    const patient = createSessionsOn(
      redisStore(unsteady.client, { prefix, timeout: "20 seconds" }),
    );
    const { token } = await makeSession(patient);
    expect((await patient.get(token))?.data.secret, what).toBe(SECRET);
    await patient.by("user_id", 1).clear();
    expect(await patient.by("user_id", 1).size(), what).toBe(0);
    expect(await steady.get(token), what).toBeNull();
    // So does the store, as soon as the machine lets it answer in its time.
    await eventually(`the store goes on: ${what}`, [SECRET, 0], async () => {
      const again = await makeSession(cutting);
      const secret = (await cutting.get(again.token))?.data.secret;
      await cutting.by("user_id", 1).clear();
      return [secret, await cutting.by("user_id", 1).size()];
    });
    if (command === undefined) return false;
    counts.cut++;
    counts.commands.add(command);
    return true;
  }

  return {
    cutOnce,
    async close() {
      await unsteady.close();
      direct.disconnect();
      await proxy.close();
      await server.stop();
    },
  };
}

describe.each(Object.entries(kinds))("with %s", (kind, connect) => {
  test("every operation succeeds or is refused in time, and leaves everything whole", async () => {
    const counts: Counts = { cut: 0, done: 0, refused: 0, commands: new Set() };
    const left = [...names];
    const work = async () => {
      const lane = await openLane(connect);
      try {
        for (let name = left.shift(); name !== undefined; name = left.shift()) {
          for (const cut of CUTS) {
            let nth = 1;
            while (await lane.cutOnce(name, cut, nth, counts)) nth++;
            expect(nth, `${name} sends commands`).toBeGreaterThan(1);
          }
        }
      } finally {
        await lane.close();
      }
    };
    await Promise.all(Array.from({ length: LANES }, work));
    const { cut, done, refused, commands } = counts;
    console.log(
      `${kind}: ${names.length} operations, ${cut} connections cut; ${done} calls done, ${refused} refused`,
    );
    expect([...commands].sort()).toEqual(["EVAL", "EVALSHA", "HGETALL", "HMGET", "INFO"]);
  });
});
