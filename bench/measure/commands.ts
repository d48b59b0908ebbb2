/*
 * Counts the commands of some operations, those of clients and those of scripts, with MONITOR. It shows all
 * databases: some packages sweep theirs by a timer, while another one is being counted.
 */
import { connect } from "node:net";
import { createInterface } from "node:readline";
import type { Redis } from "ioredis";
import type { Shares } from "./server.ts";

export interface CountedCommands {
  /** What clients sent, MULTI and EXEC included. */
  readonly sent: number;
  /** What scripts called. */
  readonly called: number;
  readonly shares: Shares;
}

const END = "the end of what is counted";
/** Such as `+1700000000.123456 [0 127.0.0.1:40000] "hgetall" "a key"`; a script's has `lua` for the address. */
const LINE = /^\+[\d.]+ \[(\d+) (\S+)\] "([^"]+)"/;

/** Counts what the server does in a database while `work` runs. */
export async function countCommands(
  server: Redis,
  database: number,
  work: () => Promise<void>,
): Promise<CountedCommands> {
  const fromClients = new Map<string, number>();
  const fromScripts = new Map<string, number>();
  const { host, port } = server.options;
  const socket = connect(port ?? 0, host).setEncoding("latin1");
  socket.write("MONITOR\r\n");
  const lines = createInterface({ input: socket })[Symbol.asyncIterator]();
  await lines.next(); // MONITOR's own reply
  await work();
  await server.echo(END);
  for await (const line of { [Symbol.asyncIterator]: () => lines }) {
    if (line.includes(END)) break;
    const [, number, source, name = ""] = LINE.exec(line) ?? [];
    if (Number(number) !== database) continue;
    const counts = source === "lua" ? fromScripts : fromClients;
    const key = name.toLowerCase();
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  socket.destroy();
  const shares = new Map<string, number>();
  for (const [name, count] of fromScripts) {
    const sent = fromClients.get(name) ?? 0;
    shares.set(name, sent / (sent + count));
  }
  return { sent: sum(fromClients), called: sum(fromScripts), shares };
}

function sum(counts: ReadonlyMap<string, number>): number {
  return [...counts.values()].reduce((total, count) => total + count, 0);
}
