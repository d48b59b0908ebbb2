/* Counts the commands of some operations, those of clients and those of scripts, with MONITOR. */
import type { Redis } from "ioredis";
import type { Shares } from "./server.ts";

export interface CountedCommands {
  /** What clients sent, MULTI and EXEC included. */
  readonly sent: number;
  /** What scripts called. */
  readonly called: number;
  readonly shares: Shares;
}

/** Counts what the server does while `work` runs. */
export async function countCommands(
  server: Redis,
  work: () => Promise<void>,
): Promise<CountedCommands> {
  const fromClients = new Map<string, number>();
  const fromScripts = new Map<string, number>();
  const monitor = await server.monitor();
  monitor.on("monitor", (_time: string, [name = ""]: string[], source: string) => {
    const counts = source === "lua" ? fromScripts : fromClients;
    const key = name.toLowerCase();
    counts.set(key, (counts.get(key) ?? 0) + 1);
  });
  await work();
  const seen = new Promise<void>((resolve) => {
    monitor.on("monitor", (_time: string, [name = "", text]: string[]) => {
      if (name.toLowerCase() === "echo" && text === END) resolve();
    });
  });
  await server.echo(END);
  await seen;
  monitor.disconnect();
  fromClients.delete("echo");
  const shares = new Map<string, number>();
  for (const [name, count] of fromScripts) {
    const sent = fromClients.get(name) ?? 0;
    shares.set(name, sent / (sent + count));
  }
  return { sent: sum(fromClients), called: sum(fromScripts), shares };
}

const END = "the end of what is counted";

function sum(counts: ReadonlyMap<string, number>): number {
  return [...counts.values()].reduce((total, count) => total + count, 0);
}
