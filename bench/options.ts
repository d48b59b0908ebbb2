/* The command line of `npm run bench`. */
import { parseArgs } from "node:util";

export interface Options {
  /** The workloads to run, by name; all if there is none. */
  readonly only: readonly string[];
  /** Fewer and shorter rounds, one client for each subject: under a minute. */
  readonly quick: boolean;
  readonly growth: boolean;
  readonly kindness: boolean;
  /** Files to write to. */
  readonly json: string | undefined;
  readonly svg: string | undefined;
}

export function readOptions(args: readonly string[], known: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: "string", default: "" },
      quick: { type: "boolean", default: false },
      growth: { type: "boolean", default: false },
      kindness: { type: "boolean", default: false },
      json: { type: "string" },
      svg: { type: "string" },
    },
  });
  const only = values.only.split(",").filter((name) => name !== "");
  const unknown = only.find((name) => !known.includes(name));
  if (unknown) throw new Error(`There is no ${unknown}; --only takes ${known.join(", ")}.`);
  if (values.growth && values.kindness) throw new Error("Give one of --growth and --kindness.");
  if ((values.growth || values.kindness) && only.length > 0) {
    throw new Error("--growth and --kindness measure all that they do: omit --only.");
  }
  if (values.kindness && values.svg) throw new Error("--kindness draws no chart: omit --svg.");
  return { ...values, json: values.json, svg: values.svg, only };
}
