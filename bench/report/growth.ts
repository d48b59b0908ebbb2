/* Growth as tables and as curves. */
import type { Growth, Point } from "../growth.ts";
import { formatNumber } from "./figures.ts";
import { formatTable } from "./markdown.ts";
import { drawText, escapeText, wrapSvg } from "./svg.ts";

/** A table for each kind of growth. The last column compares the largest number with the smallest. */
export function formatGrowth(growth: readonly Growth[]): string {
  return growth.map(formatOne).join("\n\n");
}

function formatOne({ title, unit, points }: Growth): string {
  const counts = listCounts(points);
  const head = [
    `server + client CPU µs; ${unit}`,
    ...counts.map((count) => count.toLocaleString("en")),
    "last / first, server",
  ];
  const rows = listVerbs(points).map((verb) => {
    const own = points.filter((point) => point.verb === verb);
    const costs = own.map(
      ({ serverCpu, clientCpu }) => `${formatNumber(serverCpu)} + ${formatNumber(clientCpu)}`,
    );
    const ratio = (own.at(-1)?.serverCpu ?? 0) / (own[0]?.serverCpu ?? 0);
    return [verb, ...costs, `${ratio.toFixed(2)} ×`];
  });
  return `${title}:\n\n${formatTable(head, rows)}`;
}

const WIDTH = 760;
const LEFT = 50;
const PLOT_WIDTH = 560;
const PLOT_HEIGHT = 190;
const PANEL_HEIGHT = PLOT_HEIGHT + 90;

/** A panel for each kind of growth. Both axes are logarithmic. */
export function drawGrowth(growth: readonly Growth[]): string {
  const parts = growth.flatMap((one, index) => drawPanel(one, index * PANEL_HEIGHT + 20));
  return wrapSvg(WIDTH, growth.length * PANEL_HEIGHT, "The server's CPU for each operation", parts);
}

function drawPanel({ title, unit, points }: Growth, top: number): string[] {
  const counts = listCounts(points);
  const [first = 1, last = 1] = [counts[0], counts.at(-1)];
  const costs = points.map(({ serverCpu }) => serverCpu);
  const [least, most] = [
    Math.floor(Math.log10(Math.min(...costs))),
    Math.ceil(Math.log10(Math.max(...costs))),
  ];
  const bottom = top + 20 + PLOT_HEIGHT;
  const toX = (count: number) =>
    LEFT + (last === first ? 0 : Math.log(count / first) / Math.log(last / first)) * PLOT_WIDTH;
  const toY = (cost: number) =>
    bottom - ((Math.log10(cost) - least) / (most - least)) * PLOT_HEIGHT;
  const parts = [drawText(0, top, `${title}: the server's CPU, µs an operation`, "title")];
  for (let power = least; power <= most; power++) {
    const y = toY(10 ** power);
    parts.push(
      `<line class="grid" x1="${LEFT}" x2="${LEFT + PLOT_WIDTH}" y1="${y}" y2="${y}"/>`,
      drawText(LEFT - 8, y + 4, formatNumber(10 ** power), "tick-y"),
    );
  }
  for (const count of counts) {
    parts.push(drawText(toX(count), bottom + 18, count.toLocaleString("en"), "tick-x"));
  }
  parts.push(drawText(LEFT + PLOT_WIDTH / 2, bottom + 36, unit, "tick-x"));
  for (const [index, verb] of listVerbs(points).entries()) {
    const own = points.filter((point) => point.verb === verb);
    const path = own.map(
      ({ count, serverCpu }) => `${toX(count).toFixed(1)},${toY(serverCpu).toFixed(1)}`,
    );
    const colour = `var(--c${index})`;
    const y = top + 34 + index * 20;
    parts.push(
      `<polyline class="curve" style="stroke: ${colour}" points="${path.join(" ")}"><title>${escapeText(verb)}</title></polyline>`,
      `<rect x="${LEFT + PLOT_WIDTH + 20}" y="${y - 9}" width="14" height="4" style="fill: ${colour}"/>`,
      drawText(LEFT + PLOT_WIDTH + 42, y - 3, verb, "name"),
    );
  }
  return parts;
}

function listCounts(points: readonly Point[]): number[] {
  return [...new Set(points.map(({ count }) => count))].sort((a, b) => a - b);
}

function listVerbs(points: readonly Point[]): string[] {
  return [...new Set(points.map(({ verb }) => verb))];
}
