/* The goals that a run has measured, and which of them it has reached. */
import { GOALS, type Goal, SHARE_OF_CLIENT } from "../goals.ts";
import type { Measured } from "../measure-all.ts";
import type { Result } from "../rounds/rounds.ts";
import { FLOOR, OURS } from "../subjects/list.ts";
import { compareCosts, compareRates } from "./figures.ts";
import { formatTable } from "./markdown.ts";

/** "" if nothing was measured that a goal is about. */
export function formatGoals(measured: readonly Measured[]): string {
  const rows = Object.keys(SHARE_OF_CLIENT).flatMap((client) =>
    GOALS.flatMap((goal) => formatGoal(goal, client, measured)),
  );
  if (rows.length === 0) return "";
  return formatTable(["goal", "client", "at least", "measured", "by CPU", "reached"], rows);
}

/** One row, or none where it was not measured. */
function formatGoal(goal: Goal, client: string, measured: readonly Measured[]): string[][] {
  const { workload, inFlight = 64, who = OURS, than, thanWorkload = workload } = goal;
  const find = (name: string) =>
    measured.find((one) => one.workload === name && one.inFlight === inFlight)?.results ?? [];
  const ours = find(workload).find((one) => one.subject === who && one.client === client);
  if (!ours) return [];
  const others = selectOthers(find(thanWorkload), client, than);
  const ratios = others.map((other) => compareRates(ours, other));
  if (ratios.length === 0) return [];
  const least = Math.min(...ratios);
  const leastByCost = Math.min(...others.map((other) => compareCosts(ours, other)));
  const wanted = goal.atLeast * (SHARE_OF_CLIENT[client] ?? 1);
  const whose = thanWorkload === workload ? (than ?? "the best peer") : `its own ${thanWorkload}`;
  const subject = who === OURS ? workload : `${workload}, ${who}`;
  return [
    [
      `${subject}, ${inFlight} in flight, to ${whose}`,
      client,
      `${wanted.toFixed(2)} ×`,
      `${least.toFixed(2)} ×`,
      `${leastByCost.toFixed(2)} ×`,
      least >= wanted ? "yes" : "no",
    ],
  ];
}

/** With the same client, where there is such a result. */
function selectOthers(results: readonly Result[], client: string, than?: string): Result[] {
  const others = results.filter(({ subject }) =>
    than === undefined ? subject !== OURS && subject !== FLOOR : subject === than,
  );
  const same = others.filter((other) => other.client === client);
  const only = others.filter(
    (other) => !others.some((one) => one.subject === other.subject && one.client === client),
  );
  return [...same, ...only];
}
