/* What every chart has: its colours on light and dark pages, and text. */

const STYLE = `
    svg { font: 12px system-ui, sans-serif; --text: #1f2328; --dim: #59636e; --line: #d1d9e0;
      --ours: #0969da; --other: #afb8c1; --c0: #0969da; --c1: #bc4c00; --c2: #1a7f37; --c3: #8250df;
      --c4: #bf3989; --c5: #9a6700; --c6: #0c7d84; --c7: #57606a; }
    @media (prefers-color-scheme: dark) {
      svg { --text: #f0f6fc; --dim: #9198a1; --line: #3d444d; --ours: #4493f8; --other: #656c76;
        --c0: #4493f8; --c1: #f0883e; --c2: #3fb950; --c3: #ab7df8; --c4: #db61a2; --c5: #d29922;
        --c6: #39c5cf; --c7: #9198a1; }
    }
    text { fill: var(--text); }
    .title { font-weight: 600; font-size: 13px; }
    .label { text-anchor: end; }
    .value, .tick { fill: var(--dim); }
    .tick-y { fill: var(--dim); text-anchor: end; }
    .tick-x { fill: var(--dim); text-anchor: middle; }
    .ours { fill: var(--ours); }
    .other { fill: var(--other); }
    .grid { stroke: var(--line); stroke-width: 1; }
    .curve { fill: none; stroke-width: 2; }
`;

export function wrapSvg(
  width: number,
  height: number,
  label: string,
  parts: readonly string[],
): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${escapeText(label)}">
  <style>${STYLE}  </style>
  ${parts.join("\n  ")}
</svg>
`;
}

export function drawText(x: number, y: number, text: string, kind: string): string {
  return `<text class="${kind}" x="${x.toFixed(1)}" y="${y.toFixed(1)}">${escapeText(text)}</text>`;
}

export function escapeText(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
}
