/* A store in a process of its own, which does one workload after the other. */
import { Redis } from "ioredis";
import type { ClientName } from "../clients/commands.ts";
import { RemoteProcess } from "../process/calls.ts";
import type { subjectCalls } from "../process/subject-process.ts";
import type { ReferenceCount } from "../record.ts";
import type { Scale, Workload } from "../workloads/workload.ts";
import type { Competitor } from "./competitor.ts";

export class StoreCompetitor implements Competitor {
  readonly subject: string;
  readonly client: ClientName;
  readonly database: number;
  readonly #url: string;
  readonly #scale: Scale;
  readonly #redis: Redis;
  readonly process: RemoteProcess<typeof subjectCalls>;
  #workload: Workload | undefined;
  #verbs: readonly string[] = [];
  #opened: { references: ReferenceCount; shards: number } | undefined;

  constructor(subject: string, client: ClientName, url: string, scale: Scale) {
    this.subject = subject;
    this.client = client;
    this.#url = url;
    this.#scale = scale;
    this.#redis = new Redis(url);
    this.database = this.#redis.options.db ?? 0;
    const module = new URL("../process/subject-process.js", import.meta.url);
    this.process = new RemoteProcess(module, `${subject} with ${client}`);
  }

  /** Opens the subject as a workload needs it. Whether it has the verbs for it. */
  async take(workload: Workload): Promise<boolean> {
    await this.open(workload.references, 1);
    this.#workload = workload;
    return workload.needs.every((verb) => this.#verbs.includes(verb));
  }

  async open(references: ReferenceCount, shards: number): Promise<void> {
    if (this.#opened?.references === references && this.#opened.shards === shards) return;
    const options = { client: this.client, url: this.#url, references, shards };
    this.#verbs = await this.process.call("open", this.subject, options);
    this.#opened = { references, shards };
  }

  async prepare(): Promise<void> {
    await this.process.call("prepare", this.#workload?.name ?? "", this.#scale);
  }

  measure(inFlight: number, ms: number) {
    return this.process.call("measure", inFlight, ms);
  }

  count(operations: number): Promise<number> {
    return this.process.call("count", operations);
  }

  async empty(): Promise<void> {
    await this.#redis.flushdb();
  }

  close(): void {
    this.#redis.disconnect();
    this.process.stop();
  }
}
