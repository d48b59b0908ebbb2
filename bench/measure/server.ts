/* What the server says that something cost it. */
import type { Redis } from "ioredis";

/** What the server measures. Times are in microseconds. */
export interface ServerSample {
  /** Of its process, network included. */
  readonly cpu: number;
  /** In commands, as `INFO commandstats` has it. */
  readonly commands: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
}

/** Which share of a command's calls came from clients, rather than from scripts. */
export type Shares = ReadonlyMap<string, number>;

/** Begins to count. The function ends it, and tells what was counted for each of `operations`. */
export async function watchServer(
  server: Redis,
  shares: Shares,
): Promise<(operations: number) => Promise<ServerSample>> {
  await server.config("RESETSTAT");
  const before = readCpu(await server.info("cpu"));
  return async (operations) => {
    const after = readCpu(await server.info("cpu"));
    const stats = await server.info("stats");
    return {
      cpu: (after - before) / operations,
      commands: sumCommands(await server.info("commandstats"), shares) / operations,
      bytesIn: readNumber(stats, "total_net_input_bytes") / operations,
      bytesOut: readNumber(stats, "total_net_output_bytes") / operations,
    };
  };
}

/** In bytes, without the buffers of clients. */
export async function readMemory(server: Redis): Promise<number> {
  const info = await server.info("memory");
  return readNumber(info, "used_memory") - readNumber(info, "mem_clients_normal");
}

function readCpu(info: string): number {
  const seconds = readNumber(info, "used_cpu_user") + readNumber(info, "used_cpu_sys");
  return seconds * 1e6;
}

function readNumber(info: string, name: string): number {
  const [, value] = new RegExp(`^${name}:([\\d.]+)`, "m").exec(info) ?? [];
  if (value === undefined) throw new Error(`The server's INFO has no ${name}.`);
  return Number(value);
}

/** The benchmark's own commands. */
const OWN = new Set(["info", "config|resetstat"]);

/**
 * The time of all commands that clients sent. The time of a script includes that of its commands, and
 * that of EXEC the transaction's, which the server also counts one by one.
 */
function sumCommands(info: string, shares: Shares): number {
  let sum = 0;
  for (const [, name = "", microseconds] of info.matchAll(/^cmdstat_(.+?):.*?usec=(\d+)/gm)) {
    if (OWN.has(name) || name === "exec") continue;
    sum += Number(microseconds) * (shares.get(name) ?? 1);
  }
  return sum;
}
