/* What was measured, as tables in Markdown. */
import type { Measured, MemoryOfSubject, Results } from "../measure-all.ts";
import type { Result } from "../rounds/rounds.ts";
import { compareCosts, compareRates, findOurs, formatNumber, toFigures } from "./figures.ts";
import { formatGoals } from "./goals.ts";
import { formatTable } from "./markdown.ts";

const HEAD = [
  "workload, in flight",
  "who",
  "client",
  "ops/s",
  "session-sets is",
  "by CPU",
  "p50 / p99 µs",
  "client CPU µs",
  "server CPU µs",
  "commands' time µs",
  "commands",
  "in scripts",
  "round trips",
  "writes",
  "bytes in / out",
];

export function formatTables({ measured, memory }: Results): string {
  const parts: string[] = [];
  if (measured.length > 0) parts.push(formatTable(HEAD, measured.flatMap(listRows)));
  if (memory.length > 0) parts.push(formatMemory(memory));
  const goals = formatGoals(measured);
  if (goals) parts.push(goals);
  return parts.join("\n\n");
}

function listRows({ workload, inFlight, results }: Measured): string[][] {
  return results.map((result, index) => [
    index === 0 ? `${workload}, ${inFlight}` : "",
    ...formatResult(result, results),
  ]);
}

function formatResult(result: Result, all: readonly Result[]): string[] {
  const figures = toFigures(result);
  const ours = findOurs(all, result);
  const ratios =
    ours && ours !== result ? [compareRates(ours, result), compareCosts(ours, result)] : [];
  return [
    result.subject,
    result.client,
    formatNumber(figures.perSecond),
    ...(ratios.length > 0 ? ratios.map((ratio) => `${ratio.toFixed(2)} ×`) : ["", ""]),
    `${formatNumber(figures.p50)} / ${formatNumber(figures.p99)}`,
    formatNumber(figures.clientCpu),
    formatNumber(figures.serverCpu),
    formatNumber(figures.commandTime),
    formatNumber(result.counts.commands),
    formatNumber(result.counts.scripted),
    formatNumber(result.counts.roundTrips),
    formatNumber(figures.writes),
    `${formatNumber(figures.bytesIn)} / ${formatNumber(figures.bytesOut)}`,
  ];
}

function formatMemory(memory: readonly MemoryOfSubject[]): string {
  const subjects = [...new Set(memory.map(({ subject }) => subject))];
  const find = (subject: string, references: number) =>
    memory.find((one) => one.subject === subject && one.references === references)?.bytes ?? NaN;
  const rows = subjects.map((subject) => [
    subject,
    formatNumber(find(subject, 1)),
    formatNumber(find(subject, 3)),
  ]);
  return formatTable(["memory of a session, bytes", "one reference", "three references"], rows);
}
