/* The program of one process of the histories: does what its parent tells it, many worlds at once. */
import { Cluster, Redis } from "ioredis";
import { createSessions } from "session-sets";
import { redisStore } from "session-sets/redis";
import { allMutations } from "../../support/proofs/all-mutations.ts";
import { mutatedClient } from "../../support/proofs/mutations.ts";
import { OVER } from "./calls.ts";
import { interceptFaults, SHORT_TIMEOUT, waitForAll, withSmallPages } from "./interference.ts";
import { type FirstSession, LIMITS, type LimitsName, type Step } from "./plan.ts";
import {
  type Done,
  listReferences,
  type Order,
  type Result,
  type Setting,
  type Task,
} from "./protocol.ts";
import { Watches } from "./watching.ts";
import { type Fields, type Library, type Place, World } from "./world.ts";

const TIMES = {
  idleTimeout: 3_600_000,
  absoluteTimeout: 86_400_000,
  rotationGrace: 300,
  timeout: 10_000,
};

let offset = 0;

/** The library as it is used by the histories of one run, with certain limits. */
interface Opened {
  find(limits: Place["limits"]): Library;
  close(): Promise<void>;
}

function open({ address, cluster, prefix, shards, mutation, base }: Setting): Opened {
  const client = cluster ? new Cluster([address]) : new Redis(address);
  client.on("error", () => {}); // those of its commands are enough
  const paged = withSmallPages(client);
  const sent = interceptFaults(mutation ? mutatedClient(paged, allMutations[mutation]) : paged);
  const from = BigInt(base);
  const { timeout, ...times } = TIMES;
  const store = redisStore(sent, { prefix, shards, timeout });
  const impatientStore = redisStore(sent, { prefix, shards, timeout: SHORT_TIMEOUT });
  const sessions = (limits: LimitsName | null, one = store) =>
    createSessions<Fields>({
      store: one,
      references: listReferences(shards, limits ? LIMITS[limits] : {}),
      ...times,
    });
  const watches = new Watches();
  const masters = () => (client instanceof Cluster ? client.nodes("master") : [client]);
  const create = (limits: LimitsName | null): Library => ({
    sessions: sessions(limits),
    impatient: sessions(limits, impatientStore),
    watches,
    async cut() {
      await Promise.all(masters().map((one) => one.call("CLIENT", "KILL", "TYPE", "pubsub")));
    },
    ...TIMES,
    now: () => Number(process.hrtime.bigint() - from) / 1e6 + offset,
  });
  const names: readonly Place["limits"][] = [null, ...(Object.keys(LIMITS) as LimitsName[])];
  const libraries = new Map(names.map((limits) => [limits, create(limits)]));
  return {
    find: (limits) => libraries.get(limits) as Library,
    async close() {
      await Promise.all([store, impatientStore].map((one) => one.close()));
      client.disconnect();
    },
  };
}

/** The steps that make a session and renew it. */
function making({ renewals, grace, ...session }: FirstSession): Step[] {
  const step = { pause: 0, fault: null, asOf: null };
  const renewal: Step = { do: "rotate", token: 0, values: {}, grace, ...step };
  return [{ do: "create", ...session, ...step }, ...Array<Step>(renewals).fill(renewal)];
}

async function perform(task: Task, { find }: Opened): Promise<Done> {
  const library = find(task.place.limits);
  const world = new World(task.place, library);
  const { calls, known } = world;
  const cause = { reason: OVER };
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
      await Promise.all(task.ids.map((id) => library.sessions.byId(id).delete(cause)));
      break;
    case "collect":
      return { calls, known, watches: await library.watches.collect(task.place.name) };
  }
  return { calls, known, watches: [] };
}

let opened: Opened | null = null;

async function carryOut(message: Order | Setting): Promise<Result> {
  if ("address" in message) {
    await opened?.close();
    opened = open(message);
    return [];
  }
  const library = opened;
  if (!library) throw new Error("there was no setting");
  offset = message.offset;
  const done = await Promise.all(message.tasks.map((task) => perform(task, library)));
  await waitForAll();
  return done;
}

process.on("message", async (message: Order | Setting) => {
  const failed = (error: Error): Result => ({ error: error.stack ?? String(error) });
  process.send?.(await carryOut(message).catch(failed));
});
process.on("disconnect", () => process.exit());
