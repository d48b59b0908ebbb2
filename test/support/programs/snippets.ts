/* Programs that one run of the compiler checks, so that a test has only to look at what it says of its own. */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { afterAll, beforeAll } from "vitest";
import { ROOT } from "../sources.ts";
import { compile } from "./compile.ts";

/** Takes programs while a test file is read, and compiles all of them before its first test. */
export class Snippets {
  readonly #programs: string[] = [];
  #said = "";

  constructor() {
    let folder = "";
    beforeAll(async () => {
      await mkdir(`${ROOT}.cache`, { recursive: true });
      folder = await mkdtemp(`${ROOT}.cache/types-`);
      const tsconfig = { extends: "../../tsconfig.json", include: ["."], exclude: [] };
      await writeFile(`${folder}/tsconfig.json`, JSON.stringify(tsconfig));
      for (const [i, program] of this.#programs.entries()) {
        await writeFile(`${folder}/program-${i}.ts`, program);
      }
      this.#said = await compile(`${folder}/tsconfig.json`);
    });
    afterAll(() => rm(folder, { recursive: true }));
  }

  /** Adds a program, which is a module. The function gives what the compiler says of it. */
  add(program: string): () => string {
    const name = `program-${this.#programs.push(program) - 1}.ts(`;
    // The lines of an error after its first are indented.
    return () =>
      this.#said
        .split(/\n(?=\S)/)
        .filter((error) => error.includes(name))
        .join("\n");
  }
}
