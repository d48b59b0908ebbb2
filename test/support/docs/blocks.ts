/* Compiles and runs the code that pages show. */
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { pathToFileURL } from "node:url";
import { format } from "node:util";
import { afterEach, onTestFinished, vi } from "vitest";
import { compile } from "../programs/compile.ts";
import { startRedis } from "../redis/server.ts";
import { filesUnder, ROOT, read } from "../sources.ts";
import { type CodeBlock, codeBlocks, linesMatch } from "./docs.ts";

// docs/api is made from the docstrings, whose code is checked where it is written.
export const PAGES = [
  ...["README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md", "examples/README.md"],
  "skills/session-sets/SKILL.md",
  ...filesUnder("docs", ".md"),
].filter((page) => existsSync(ROOT + page) && !page.startsWith("docs/api/"));

export const IN_PAGES = PAGES.flatMap((page) => codeBlocks(page, read(page)));

/** The packages that a test file for Jest imports. `npm run test:examples` installs them. */
const JEST = `
  declare module "@jest/globals" {
    export { afterEach, expect, test } from "vitest";
    export const jest: {
      useFakeTimers(options?: { readonly doNotFake?: readonly string[] }): void;
      useRealTimers(): void;
      runAllTimers(): void;
      advanceTimersByTime(ms: number): void;
      getTimerCount(): number;
    };
  }
`;

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

/** A folder inside the project, so that its modules find the project's packages. */
export function temporaryFolder(): string {
  mkdirSync(`${ROOT}.cache`, { recursive: true });
  const folder = mkdtempSync(`${ROOT}.cache/docs-`);
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function writeModule(folder: string, block: CodeBlock): string {
  const path = `${folder}/${block.file}/${block.line}.${block.language}`;
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, block.source);
  if (block.name !== undefined) {
    // The blocks that import it find it by its name, and errors name the line of the page.
    const again = `export * from "./${block.line}.${block.language}";\n`;
    writeFileSync(`${dirname(path)}/${block.name}`, again);
  }
  return path;
}

/** The compiler's complaints about blocks, with places in the documentation. */
export async function compileBlocks(blocks: readonly CodeBlock[], given = ""): Promise<string> {
  const checked = blocks.filter(({ skip, from }) => skip === undefined && from === undefined);
  if (checked.length === 0) return "";
  const folder = temporaryFolder();
  const files = ["given.ts", "jest.d.ts", ...checked.map((block) => writeModule(folder, block))];
  writeFileSync(`${folder}/given.ts`, given);
  writeFileSync(`${folder}/jest.d.ts`, JEST);
  const tsconfig = `${folder}/tsconfig.json`;
  writeFileSync(
    tsconfig,
    JSON.stringify({
      extends: `${ROOT}tsconfig.json`,
      // An example may show a name that it does not use.
      compilerOptions: {
        allowJs: true,
        checkJs: true,
        noUnusedLocals: false,
        noUnusedParameters: false,
      },
      files,
      include: [],
    }),
  );
  const said = await compile(tsconfig);
  return said.replace(/^.*?docs-[^/]+\/(.+)\/\d+\.[tj]s\((\d+),(\d+)\)/gm, "$1:$2:$3");
}

/** Runs a block. The lines that it printed. */
export async function run(block: CodeBlock): Promise<string[]> {
  if (block.source.includes("REDIS_URL")) {
    const server = await startRedis();
    onTestFinished(() => server.stop());
    vi.stubEnv("REDIS_URL", server.url);
  }
  const printed: string[] = [];
  vi.spyOn(console, "log").mockImplementation((...args) => {
    printed.push(...format(...args).split("\n"));
  });
  await import(/* @vite-ignore */ pathToFileURL(writeModule(temporaryFolder(), block)).href);
  return printed;
}

export function findOutputFault(
  shown: readonly string[],
  printed: readonly string[],
): string | undefined {
  const same = shown.length === printed.length;
  if (same && shown.every((line, index) => linesMatch(line, printed[index] ?? "")))
    return undefined;
  return `printed:\n${printed.join("\n")}\nand the documentation shows:\n${shown.join("\n")}`;
}
