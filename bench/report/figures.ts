/* The figures of a result: medians of its rounds, and ratios within them. */
import { median } from "../measure/statistics.ts";
import type { Result } from "../rounds/rounds.ts";
import { OURS } from "../subjects/list.ts";

export interface Figures {
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
  readonly clientCpu: number;
  readonly serverCpu: number;
  readonly commandTime: number;
  readonly writes: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
}

export function toFigures({ clientSamples, serverSamples }: Result): Figures {
  const ofClient = (get: (sample: (typeof clientSamples)[number]) => number) =>
    median(clientSamples.map(get));
  const ofServer = (get: (sample: (typeof serverSamples)[number]) => number) =>
    median(serverSamples.map(get));
  return {
    perSecond: median(listRates({ clientSamples })),
    p50: ofClient(({ p50 }) => p50),
    p99: ofClient(({ p99 }) => p99),
    clientCpu: ofClient(({ cpu }) => cpu),
    writes: ofClient(({ writes }) => writes),
    serverCpu: ofServer(({ cpu }) => cpu),
    commandTime: ofServer(({ commands }) => commands),
    bytesIn: ofServer(({ bytesIn }) => bytesIn),
    bytesOut: ofServer(({ bytesOut }) => bytesOut),
  };
}

/** Operations a second in each round. */
function listRates({ clientSamples }: Pick<Result, "clientSamples">): number[] {
  return clientSamples.map(({ operations, seconds }) => operations / seconds);
}

/** How many times as fast `one` is as `other`: the median of the rounds' own ratios. */
export function compareRates(one: Result, other: Result): number {
  const others = listRates(other);
  return median(listRates(one).map((rate, round) => rate / (others[round] ?? Number.NaN)));
}

/**
 * How many times as fast `one` would be by the processors' time: that of the client's or the server's
 * process, whichever is more, since that one sets the pace. Other work on the machine hardly changes it.
 */
export function compareCosts(one: Result, other: Result): number {
  const others = listCosts(other);
  return median(listCosts(one).map((cost, round) => (others[round] ?? Number.NaN) / cost));
}

function listCosts({ clientSamples, serverSamples }: Result): number[] {
  return clientSamples.map(({ cpu }, round) => Math.max(cpu, serverSamples[round]?.cpu ?? 0));
}

/**
 * This library's result to compare another one with: with the same client where the other has both,
 * and with ioredis where it has only one.
 */
export function findOurs(results: readonly Result[], other: Result): Result | undefined {
  const ours = results.filter(({ subject }) => subject === OURS);
  const clients = results.filter(({ subject }) => subject === other.subject);
  const own = clients.length > 1 && other.subject !== OURS ? other.client : "ioredis";
  return ours.find(({ client }) => client === own);
}

/** Two or three digits: what is less is noise. */
export function formatNumber(value: number): string {
  if (!Number.isFinite(value)) return "";
  if (value >= 1e6) return `${(value / 1e6).toFixed(1)} M`;
  if (value >= 10_000) return `${Math.round(value / 1000)} k`;
  if (value >= 1000) return `${(value / 1000).toFixed(1)} k`;
  if (value >= 100) return String(Math.round(value));
  return String(Number(value.toPrecision(value >= 10 ? 3 : 2)));
}
