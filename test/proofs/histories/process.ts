/* The program of one process of the histories: does what its parent tells it, many worlds at once. */
import { Cluster, Redis } from "ioredis";
import { createSessions } from "session-sets";
import { redisStore } from "session-sets/redis";
import { mutatedClient, mutations } from "../../support/proofs/mutations.ts";
import { interceptFaults, SHORT_TIMEOUT, waitForAll, withSmallPages } from "./interference.ts";
import type { FirstSession, Step } from "./plan.ts";
import { listReferences, type Order, type Result, type Setting, type Task } from "./protocol.ts";
import { type Fields, type Library, World } from "./world.ts";

const TIMES = {
  idleTimeout: 3_600_000,
  absoluteTimeout: 86_400_000,
  rotationGrace: 300,
  timeout: 10_000,
};

let offset = 0;

function open({ port, cluster, prefix, shards, mutation, base }: Setting): Library {
  const client = cluster ? new Cluster([{ host: "127.0.0.1", port }]) : new Redis(port);
  client.on("error", () => {}); // those of its commands are enough
  const paged = withSmallPages(client);
  const sent = interceptFaults(mutation ? mutatedClient(paged, mutations[mutation]) : paged);
  const from = BigInt(base);
  const { timeout, ...times } = TIMES;
  const sessions = (limit: number) =>
    createSessions<Fields>({
      store: redisStore(sent, { prefix, shards, timeout: limit }),
      references: listReferences(shards),
      ...times,
    });
  return {
    sessions: sessions(timeout),
    impatient: sessions(SHORT_TIMEOUT),
    ...TIMES,
    now: () => Number(process.hrtime.bigint() - from) / 1e6 + offset,
  };
}

/** The steps that make a session and renew it. */
function making({ renewals, grace, ...session }: FirstSession): Step[] {
  const step = { pause: 0, fault: null };
  const renewal: Step = { do: "rotate", token: 0, values: {}, grace, ...step };
  return [{ do: "create", ...session, ...step }, ...Array<Step>(renewals).fill(renewal)];
}

async function perform(task: Task, library: Library): Promise<World> {
  const world = new World(task.place, library);
  switch (task.do) {
    case "set up":
      await world.run(task.sessions.flatMap(making));
      break;
    case "run":
      await world.run(task.steps);
      break;
    case "read all":
      await world.readAll();
      break;
    case "end all":
      await Promise.all(task.ids.map((id) => library.sessions.byId(id).delete()));
      break;
  }
  return world;
}

const library = open(JSON.parse(process.argv[2] ?? "") as Setting);

async function carryOut({ offset: now, tasks }: Order): Promise<Result> {
  offset = now;
  const worlds = await Promise.all(tasks.map((task) => perform(task, library)));
  await waitForAll();
  return worlds.map(({ calls, known }) => ({ calls, known }));
}

process.on("message", async (order: Order) => {
  const failed = (error: Error): Result => ({ error: error.stack ?? String(error) });
  process.send?.(await carryOut(order).catch(failed));
});
process.on("disconnect", () => process.exit());
