/* An app in a process of its own, and the requests that this process sends to it. */
import { Redis } from "ioredis";
import type { AppDescription } from "../http/app.ts";
import { Connection } from "../http/requests.ts";
import { measureOperations } from "../measure/operations.ts";
import type { appCalls } from "../process/app-process.ts";
import { RemoteProcess } from "../process/calls.ts";
import { makeRecord } from "../record.ts";
import type { Competitor } from "./competitor.ts";

const MAX_CONNECTIONS = 64;

export class AppCompetitor implements Competitor {
  readonly subject: string;
  readonly client: string;
  readonly database: number;
  readonly #users: number;
  readonly #redis: Redis;
  readonly #process: RemoteProcess<typeof appCalls>;
  readonly #connections: Connection[];
  #cookies: string[] = [];

  private constructor(
    app: AppDescription,
    url: string,
    users: number,
    process: RemoteProcess<typeof appCalls>,
    port: number,
  ) {
    this.subject = app.subject;
    this.client = app.client;
    this.#users = users;
    this.#redis = new Redis(url);
    this.database = this.#redis.options.db ?? 0;
    this.#process = process;
    this.#connections = Array.from({ length: MAX_CONNECTIONS }, () => new Connection(port));
  }

  static async start(app: AppDescription, url: string, users: number): Promise<AppCompetitor> {
    const module = new URL("../process/app-process.js", import.meta.url);
    const remote = new RemoteProcess<typeof appCalls>(module, `${app.title} with ${app.subject}`);
    const port = await remote.call("open", app.workload, app.subject, url);
    return new AppCompetitor(app, url, users, remote, port);
  }

  /** Signs the users in. */
  async prepare(): Promise<void> {
    const [connection] = this.#connections;
    this.#cookies = [];
    for (let user = 1; user <= this.#users; user++) {
      const answer = await connection?.send(`/login?user=${user}`, "");
      if (!answer?.cookie) throw new Error(`${this.subject} sent no cookie.`);
      this.#cookies.push(answer.cookie);
    }
  }

  /** Sends requests on as many connections as there are requests in flight. */
  async measure(inFlight: number, ms: number) {
    const before = await this.#process.call("usage");
    const idle = this.#connections.slice(0, inFlight);
    const operate = async (index: number) => {
      const connection = idle.pop();
      if (!connection) throw new Error(`There are no more than ${MAX_CONNECTIONS} connections.`);
      await this.#request(connection, index);
      idle.push(connection);
    };
    const run = { operate, limit: Number.POSITIVE_INFINITY };
    const sample = await measureOperations(run, inFlight, ms);
    const after = await this.#process.call("usage");
    return {
      ...sample,
      cpu: (after.cpu - before.cpu) / sample.operations,
      writes: (after.writes - before.writes) / sample.operations,
    };
  }

  async count(operations: number): Promise<number> {
    const before = await this.#process.call("usage");
    const [connection] = this.#connections;
    for (let i = 0; i < operations; i++) if (connection) await this.#request(connection, i);
    const after = await this.#process.call("usage");
    return (after.roundTrips - before.roundTrips) / operations;
  }

  async #request(connection: Connection, index: number): Promise<void> {
    const slot = index % this.#users;
    const { body } = await connection.send("/", this.#cookies[slot] ?? "");
    const { name } = makeRecord(slot + 1);
    if (body !== name) throw new Error(`${this.subject} answered "${body}", not "${name}".`);
  }

  async empty(): Promise<void> {
    await this.#redis.flushdb();
  }

  close(): void {
    for (const connection of this.#connections) connection.close();
    this.#redis.disconnect();
    this.#process.stop();
  }
}
