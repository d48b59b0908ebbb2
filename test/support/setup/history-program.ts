/* The program of the processes of histories, compiled once a run: at `inject("historyProgram")`. */
import type { TestProject } from "vitest/node";
import { buildProgram } from "../programs/build-program.ts";
import { once } from "./once.ts";

declare module "vitest" {
  export interface ProvidedContext {
    historyProgram: string;
  }
}

export default async function setup({ provide }: TestProject): Promise<() => Promise<void>> {
  const program = await once("history-program", () =>
    buildProgram("test/proofs/histories/process.ts"),
  );
  provide("historyProgram", program.path);
  return program.remove;
}
