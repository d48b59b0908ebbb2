/* What the documentation says is true: its code compiles and prints what it says, its links lead somewhere. */
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { pathToFileURL } from "node:url";
import { format } from "node:util";
import { afterEach, describe, expect, inject, onTestFinished, test, vi } from "vitest";
import { type CodeBlock, codeBlocks, docstrings, linesMatch } from "../support/docs/docs.ts";
import { runUnderVitest } from "../support/docs/docs-tests.ts";
import { findLinkFault, localLinks } from "../support/docs/links.ts";
import { compile } from "../support/programs/compile.ts";
import { startRedis } from "../support/redis/server.ts";
import { filesUnder, ROOT, read } from "../support/sources.ts";

// docs/api is made from the docstrings, whose code is checked where it is written.
const PAGES = [
  ...["README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md", "examples/README.md"],
  ...filesUnder("docs", ".md"),
].filter((page) => existsSync(ROOT + page) && !page.startsWith("docs/api/"));
const SOURCES = filesUnder("src", ".ts");

const IN_PAGES = PAGES.flatMap((page) => codeBlocks(page, read(page)));
const IN_DOCSTRINGS = SOURCES.flatMap((file) => codeBlocks(file, docstrings(read(file))));

/** What an example in a docstring takes as given, because the reader stands right before it. */
const GIVEN_IN_DOCSTRINGS = `
  export {};
  declare global {
    const createSessions: typeof import("session-sets").createSessions;
    const memoryStore: typeof import("session-sets/memory").memoryStore;
    const redisStore: typeof import("session-sets/redis").redisStore;
    const koaSessions: typeof import("session-sets/koa").koaSessions;
    const csrfGuard: typeof import("session-sets/koa").csrfGuard;
    const fetchSessions: typeof import("session-sets/fetch").fetchSessions;
    const storeContract: typeof import("session-sets/testing").storeContract;
    type Data = { user_id?: number; theme?: string; cart?: string[] };
    const sessions: import("session-sets").Sessions<Data>;
    const session: import("session-sets/koa").RequestSession<Data>;
    const set: import("session-sets").SessionSet<Data>;
    const oldToken: string;
    const user: { id: number };
    const client: import("ioredis").Redis;
    const app: import("koa");
    const test: (name: string, run: () => Promise<void>) => void;
    const openMyStore: () => Promise<import("session-sets").SessionStore>;
  }
`;

/** What a test file for Jest imports, which `npm run test:examples` installs. */
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
function temporaryFolder(): string {
  mkdirSync(`${ROOT}.cache`, { recursive: true });
  const folder = mkdtempSync(`${ROOT}.cache/docs-`);
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function writeModule(folder: string, block: CodeBlock): string {
  const path = `${folder}/${block.file}/${block.line}.${block.language}`;
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, block.source);
  return path;
}

/** What the compiler says about blocks, in the places of the documentation. */
async function faultsOf(blocks: readonly CodeBlock[], given = ""): Promise<string> {
  const checked = blocks.filter((block) => block.skip === undefined);
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
async function run(block: CodeBlock): Promise<string[]> {
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

function faultOfOutput(shown: readonly string[], printed: readonly string[]): string | undefined {
  const same = shown.length === printed.length;
  if (same && shown.every((line, index) => linesMatch(line, printed[index] ?? "")))
    return undefined;
  return `printed:\n${printed.join("\n")}\nand the documentation shows:\n${shown.join("\n")}`;
}

test("all code in the documentation compiles", async () => {
  expect(await faultsOf(IN_PAGES)).toBe("");
});

test("all code in docstrings compiles", async () => {
  expect(await faultsOf(IN_DOCSTRINGS, GIVEN_IN_DOCSTRINGS)).toBe("");
});

for (const block of [...IN_PAGES, ...IN_DOCSTRINGS].filter((one) => one.run)) {
  test(`the code at ${block.file}:${block.line} prints what is shown under it`, async () => {
    expect(faultOfOutput(block.output, await run(block))).toBeUndefined();
  });
}

test("the test files in the documentation pass under vitest, at once with others", async () => {
  const blocks = IN_PAGES.filter(({ runner }) => runner === "vitest");
  expect(blocks.length).toBeGreaterThan(0);
  const variables = { REDIS_URL: inject("redisUrl") };
  const files = await runUnderVitest(blocks, temporaryFolder(), variables);
  for (const { file, fault } of files) expect(fault, file).toBe("");
}, 120_000);

test.each(PAGES)("the links and images of %s exist", (page) => {
  const faults = localLinks(read(page))
    .map((target) => [target, findLinkFault(ROOT, page, target, read)])
    .filter(([, fault]) => fault !== undefined);
  expect(faults).toEqual([]);
});

describe("the checks themselves", () => {
  const fence = (language: string, ...lines: string[]) => [`\`\`\`${language}`, ...lines, "```"];

  test("report what does not compile, where the documentation says it", async () => {
    const page = [
      "# A page",
      ...fence("ts", "const n = 1;"),
      "<!-- docs:continue -->",
      ...fence("ts", "const text: string = n;"),
      ...fence("js", "const n = await Promise.resolve(2);", "n.nothing();"),
      "<!-- docs:prelude",
      "const a: number = 1;",
      "-->",
      ...fence("ts", "export const b = a + 1;"),
    ].join("\n");
    const said = await faultsOf(codeBlocks("docs/page.md", page));
    const places = said.split("\n").map((line) => line.replace(/: error.*/, ""));
    expect(places.sort()).toEqual(["docs/page.md:11:3", "docs/page.md:7:7"]);
  });

  test("run code, and compare what it prints", async () => {
    const page = [
      "<!-- docs:run -->",
      ...fence("ts", 'const who: string = "world";', 'console.log("hello", who, { a: 1 });'),
      "It prints:",
      ...fence("text", "hello … { a: 1 }"),
    ].join("\n");
    const [block] = codeBlocks("page.md", page);
    if (!block) throw new Error("no block");
    const printed = await run(block);
    expect(printed).toEqual(["hello world { a: 1 }"]);
    expect(faultOfOutput(block.output, printed)).toBeUndefined();
    expect(faultOfOutput(["hello moon"], printed)).toContain("hello world");
    expect(faultOfOutput([], printed)).toContain("hello world");
  });

  test("run test files, and report those that fail, that do not load and that have no test", async () => {
    const blocks = [
      ['test("a", () => {}); test("b", () => { expect(1).toBe(2); });', "b: failed"],
      ['import "./nowhere.ts";', "nowhere"],
      ["", "no test"],
      ['test("a", () => {});', ""],
    ] as const;
    const imported = 'import { expect, test } from "vitest";';
    const page = blocks.map(([code]) =>
      ["<!-- docs:test vitest -->", ...fence("ts", imported + code)].join("\n"),
    );
    const found = codeBlocks("page.md", page.join("\n"));
    const files = await runUnderVitest(found, temporaryFolder(), {});
    for (const [index, [, fault]] of blocks.entries()) {
      const own = files.filter(({ file }) => file.startsWith(`page-md-${found[index]?.line}-`));
      expect(own).toHaveLength(2);
      for (const one of own) {
        if (fault === "") expect(one).toMatchObject({ fault, passed: ["a"] });
        else expect(one.fault).toContain(fault);
      }
    }
  }, 120_000);

  test("find that files that run at once share a prefix", async () => {
    const shared = IN_PAGES.filter(({ file, source }) => {
      return file === "docs/testing-an-app.md" && source.includes("clear()).toBe(1)");
    }).map((block) => ({
      ...block,
      source: block.source.replace(/test-.*?(?=`)/, "test").replace(/.*clear\(\).*\n/, ""),
    }));
    expect(shared).toHaveLength(1);
    const server = await startRedis();
    onTestFinished(() => server.stop());
    const files = await runUnderVitest(shared, temporaryFolder(), { REDIS_URL: server.url });
    expect(files.filter(({ fault }) => fault !== "")).not.toEqual([]);
  }, 120_000);

  test("give code that names REDIS_URL a Redis of its own", async () => {
    const page = [
      "<!-- docs:run -->",
      ...fence(
        "ts",
        'import { Redis } from "ioredis";',
        'const client = new Redis(process.env.REDIS_URL ?? "");',
        'console.log(await client.set("a", "b"), await client.dbsize());',
        "await client.quit();",
      ),
    ].join("\n");
    const blocks = codeBlocks("page.md", page);
    expect(await faultsOf(blocks)).toBe("");
    expect(await Promise.all(blocks.map(run))).toEqual([["OK 1"]]);
  });
});
