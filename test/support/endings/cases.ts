/*
 * The cases of endings as they are heard. They become tests, and a test that has planted a fault in a
 * source runs the one that must find it.
 */
import type { Define } from "../cases.ts";
import type { eventually } from "../eventually.ts";
import { beginning } from "./beginning.ts";
import { costs } from "./costs.ts";
import { found } from "./found.ts";
import { onEnd } from "./on-end.ts";
import type { open } from "./steps.ts";
import { stream } from "./stream.ts";

export interface EndingCases extends Define {
  readonly open: (over?: Parameters<typeof open>[0]) => ReturnType<typeof open>;
  readonly eventually: typeof eventually;
}

export function endingCases(cases: EndingCases): void {
  for (const define of [onEnd, beginning, found, stream, costs]) define(cases);
}
