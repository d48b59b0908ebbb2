/* Every workload, with everyone who takes part in it. */
import type { Redis } from "ioredis";
import type { ClientName } from "./clients/commands.ts";
import { APPS } from "./http/list.ts";
import { readMemory } from "./measure/server.ts";
import type { Options } from "./options.ts";
import type { ReferenceCount } from "./record.ts";
import { showProgress } from "./report/progress.ts";
import { AppCompetitor } from "./rounds/app-competitor.ts";
import type { Competitor } from "./rounds/competitor.ts";
import { type Result, runRounds, type Schedule } from "./rounds/rounds.ts";
import { StoreCompetitor } from "./rounds/store-competitor.ts";
import { findSubject, SUBJECTS } from "./subjects/list.ts";
import { WORKLOADS } from "./workloads/list.ts";
import { type Scale, SESSIONS_A_USER, type Workload } from "./workloads/workload.ts";

/** What was measured of one workload. */
export interface Measured {
  readonly workload: string;
  readonly title: string;
  readonly inFlight: number;
  readonly results: readonly Result[];
}

/** The memory of a session in Redis, index included, in bytes. */
export interface MemoryOfSubject {
  readonly subject: string;
  readonly references: ReferenceCount;
  readonly bytes: number;
}

export interface Results {
  readonly measured: readonly Measured[];
  readonly memory: readonly MemoryOfSubject[];
}

const HTTP_NAMES = [...new Set(APPS.map(({ workload }) => workload))];
export const WORKLOAD_NAMES = [...WORKLOADS.map(({ name }) => name), ...HTTP_NAMES, "memory"];

interface Effort {
  readonly schedule: Schedule;
  readonly scale: Scale;
  readonly inFlight: readonly number[];
  readonly memorySessions: number;
  readonly httpUsers: number;
}

const FULL: Effort = {
  schedule: { rounds: 5, ms: 1000, warmUpMs: 1000 },
  scale: { sessions: 3000, consumed: 8000 },
  inFlight: [64, 1],
  memorySessions: 30_000,
  httpUsers: 300,
};
const QUICK: Effort = {
  schedule: { rounds: 2, ms: 60, warmUpMs: 100 },
  scale: { sessions: 200, consumed: 400 },
  inFlight: [64],
  memorySessions: 3000,
  httpUsers: 30,
};
/** How many operations are counted with MONITOR. */
const COUNTED_OPERATIONS = 20;

export async function measureAll(server: Redis, url: string, options: Options): Promise<Results> {
  const effort = options.quick ? QUICK : FULL;
  const wanted = (name: string) => options.only.length === 0 || options.only.includes(name);
  const workloads = WORKLOADS.filter(({ name, slow }) => wanted(name) && !(slow && options.quick));
  const frameworks = HTTP_NAMES.filter(wanted);
  const measured: Measured[] = [];
  const memory: MemoryOfSubject[] = [];
  const progress = showProgress(workloads.length + frameworks.length + (wanted("memory") ? 1 : 0));

  const stores = openStores(url, options.quick, effort.scale);
  try {
    for (const workload of workloads) {
      progress(workload.title);
      measured.push(...(await measureStores(server, stores, workload, effort)));
    }
    if (wanted("memory")) {
      progress("memory of a session");
      memory.push(...(await measureMemory(server, stores, effort.memorySessions)));
    }
  } finally {
    for (const store of stores) store.close();
  }
  for (const framework of frameworks) {
    progress(framework);
    measured.push(...(await measureApps(server, url, framework, effort)));
  }
  progress(null);
  return { measured, memory };
}

/** Every subject with each of its clients; in a quick run with the first one. Each has a database. */
function openStores(url: string, quick: boolean, scale: Scale): StoreCompetitor[] {
  const pairs = SUBJECTS.flatMap(({ name, clients }) =>
    (quick ? clients.slice(0, 1) : clients).map((client) => [name, client] as [string, ClientName]),
  );
  return pairs.map(
    ([name, client], index) => new StoreCompetitor(name, client, `${url}/${index + 1}`, scale),
  );
}

/** Each subject once, where the client makes no difference, or takes too long to compare. */
function selectFirstClients(stores: readonly StoreCompetitor[]): StoreCompetitor[] {
  return stores.filter(
    ({ subject }, index) => stores.findIndex((one) => one.subject === subject) === index,
  );
}

async function measureStores(
  server: Redis,
  stores: readonly StoreCompetitor[],
  workload: Workload,
  { schedule, inFlight }: Effort,
): Promise<Measured[]> {
  const able: StoreCompetitor[] = [];
  for (const store of stores) if (await store.take(workload)) able.push(store);
  const { name, title, single } = workload;
  if (single) {
    const rounds = {
      schedule: { ...schedule, rounds: 3, warmUpMs: 0 },
      inFlight: 1,
      countedOperations: 1,
    };
    const some = selectFirstClients(able).filter(
      ({ subject }) => !findSubject(subject).smallSetsOnly,
    );
    return [{ workload: name, title, inFlight: 1, results: await runRounds(server, some, rounds) }];
  }
  const all: Measured[] = [];
  for (const number of inFlight) {
    const rounds = { schedule, inFlight: number, countedOperations: COUNTED_OPERATIONS };
    const results = await runRounds(server, able, rounds);
    all.push({ workload: name, title, inFlight: number, results });
  }
  return all;
}

async function measureApps(
  server: Redis,
  url: string,
  framework: string,
  { schedule, inFlight, httpUsers }: Effort,
): Promise<Measured[]> {
  const apps: Competitor[] = [];
  const all: Measured[] = [];
  const descriptions = APPS.filter(({ workload }) => workload === framework);
  try {
    for (const [index, app] of descriptions.entries()) {
      apps.push(await AppCompetitor.start(app, `${url}/${index + 1}`, httpUsers));
    }
    for (const number of inFlight) {
      const rounds = { schedule, inFlight: number, countedOperations: COUNTED_OPERATIONS };
      const results = await runRounds(server, apps, rounds);
      const title = descriptions[0]?.title ?? framework;
      all.push({ workload: framework, title, inFlight: number, results });
    }
  } finally {
    for (const app of apps) app.close();
  }
  return all;
}

async function measureMemory(
  server: Redis,
  stores: readonly StoreCompetitor[],
  sessions: number,
): Promise<MemoryOfSubject[]> {
  const all: MemoryOfSubject[] = [];
  for (const store of selectFirstClients(stores)) {
    for (const references of [1, 3] as const) {
      await store.open(references, 1);
      await store.empty();
      const before = await readMemory(server);
      await store.process.call("beginGrowth", SESSIONS_A_USER);
      await store.process.call("growTo", sessions);
      const bytes = ((await readMemory(server)) - before) / sessions;
      await store.empty();
      all.push({ subject: store.subject, references, bytes });
    }
  }
  return all;
}
