/*
 * Measures all competitors of a workload in turn. Every round has each of them, and begins with another
 * one, so that whatever changes on the machine meanwhile meets all alike. A warm-up comes first.
 */
import type { Redis } from "ioredis";
import { countCommands } from "../measure/commands.ts";
import type { ClientSample } from "../measure/operations.ts";
import { type ServerSample, type Shares, watchServer } from "../measure/server.ts";
import type { Competitor } from "./competitor.ts";

export interface Schedule {
  readonly rounds: number;
  readonly ms: number;
  readonly warmUpMs: number;
}

/** What one operation takes. The same in every round. */
export interface Counts {
  /** Commands from the client, MULTI and EXEC included. */
  readonly commands: number;
  /** Commands that scripts call. */
  readonly scripted: number;
  readonly roundTrips: number;
}

export interface Result {
  readonly subject: string;
  readonly client: string;
  readonly counts: Counts;
  /** One for each round. */
  readonly clientSamples: readonly ClientSample[];
  readonly serverSamples: readonly ServerSample[];
}

export interface Rounds {
  readonly schedule: Schedule;
  readonly inFlight: number;
  /** How many operations are counted: as many as there is something for. */
  readonly countedOperations: number;
}

export async function runRounds(
  server: Redis,
  competitors: readonly Competitor[],
  { schedule, inFlight, countedOperations }: Rounds,
): Promise<Result[]> {
  const results: {
    counts: Counts;
    shares: Shares;
    client: ClientSample[];
    server: ServerSample[];
  }[] = [];
  for (const competitor of competitors) {
    if (schedule.warmUpMs > 0) {
      await competitor.prepare();
      await competitor.measure(inFlight, schedule.warmUpMs);
      await competitor.empty();
    }
    await competitor.prepare();
    let roundTrips = 0;
    const { sent, called, shares } = await countCommands(server, competitor.database, async () => {
      roundTrips = await competitor.count(countedOperations);
    });
    await competitor.empty();
    const counts = {
      commands: sent / countedOperations,
      scripted: called / countedOperations,
      roundTrips,
    };
    results.push({ counts, shares, client: [], server: [] });
  }
  for (let round = 0; round < schedule.rounds; round++) {
    for (let turn = 0; turn < competitors.length; turn++) {
      const index = (round + turn) % competitors.length;
      const [competitor, result] = [competitors[index], results[index]];
      if (!competitor || !result) continue;
      await competitor.prepare();
      const stop = await watchServer(server, result.shares);
      const sample = await competitor.measure(inFlight, schedule.ms);
      result.client.push(sample);
      result.server.push(await stop(sample.operations));
      await competitor.empty();
    }
  }
  return results.map(({ counts, client, server }, index) => ({
    subject: competitors[index]?.subject ?? "",
    client: competitors[index]?.client ?? "",
    counts,
    clientSamples: client,
    serverSamples: server,
  }));
}
