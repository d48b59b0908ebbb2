/*
 * Throughput as bars: a group for each workload, a bar for each subject, this library's first. The chart
 * is one SVG without scripts or fonts of its own, legible on light and dark pages.
 */
import type { Measured, Results } from "../measure-all.ts";
import { OURS } from "../subjects/list.ts";
import { formatNumber, toFigures } from "./figures.ts";
import { drawText, escapeText, wrapSvg } from "./svg.ts";

const WIDTH = 760;
const LABEL_WIDTH = 250;
const BAR_HEIGHT = 15;
const BAR_STEP = 19;
const GROUP_GAP = 34;
const LONGEST_BAR = WIDTH - LABEL_WIDTH - 80;

/** The workloads at the most in flight that was measured, with all that took part in them. */
export function drawBars({ measured }: Results): string {
  const most = Math.max(...measured.map(({ inFlight }) => inFlight));
  const groups = measured.filter(({ inFlight }) => inFlight === most);
  let y = 20;
  const parts: string[] = [];
  for (const group of groups) {
    parts.push(drawText(0, y, group.title, "title"));
    y += 10;
    for (const { label, perSecond, isOurs, share } of listBars(group)) {
      const width = Math.max(1, share * LONGEST_BAR);
      const middle = y + BAR_HEIGHT - 3;
      parts.push(
        drawText(LABEL_WIDTH - 8, middle, label, "label"),
        `<rect class="${isOurs ? "ours" : "other"}" x="${LABEL_WIDTH}" y="${y}" width="${width.toFixed(1)}" height="${BAR_HEIGHT}" rx="2"><title>${escapeText(label)}: ${Math.round(perSecond)} a second</title></rect>`,
        drawText(LABEL_WIDTH + width + 6, middle, formatNumber(perSecond), "value"),
      );
      y += BAR_STEP;
    }
    y += GROUP_GAP - 10;
  }
  return wrapSvg(WIDTH, y - 10, "Operations a second", parts);
}

/** One bar for each subject: with the first of its clients. */
function listBars({ results }: Measured) {
  const first = results.filter(
    ({ subject }, index) => results.findIndex((one) => one.subject === subject) === index,
  );
  const bars = first.map((result) => ({
    label: result.subject,
    perSecond: toFigures(result).perSecond,
    isOurs: result.subject === OURS,
  }));
  const most = Math.max(...bars.map(({ perSecond }) => perSecond));
  return bars.map((bar) => ({ ...bar, share: bar.perSecond / most }));
}
