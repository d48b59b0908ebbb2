/* The checks of the code in pages: they find what is wrong with it. */
import { describe, expect, onTestFinished, test } from "vitest";
import {
  compileBlocks,
  findOutputFault,
  IN_PAGES,
  run,
  temporaryFolder,
} from "../support/docs/blocks.ts";
import { codeBlocks, findForeignParagraphs } from "../support/docs/docs.ts";
import { runUnderVitest } from "../support/docs/docs-tests.ts";
import { startRedis } from "../support/redis/server.ts";

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
    const said = await compileBlocks(codeBlocks("docs/page.md", page));
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
    expect(findOutputFault(block.output, printed)).toBeUndefined();
    expect(findOutputFault(["hello moon"], printed)).toContain("hello world");
    expect(findOutputFault([], printed)).toContain("hello world");
  });

  test("report a paragraph that isn't in the file of the example that it is said to be from", () => {
    const page = ["<!-- docs:from app.ts -->", ...fence("ts", "a();", "", "b();", "c();")].join(
      "\n",
    );
    const [block] = codeBlocks("page.md", page);
    if (!block) throw new Error("no block");
    expect(block.from).toBe("app.ts");
    expect(findForeignParagraphs(block, "a();\nz();\nb();\nc();\n")).toEqual([]);
    expect(findForeignParagraphs(block, "a();\nb();\nz();\nc();\n")).toEqual(["b();\nc();"]);
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
  });

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
  });

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
    expect(await compileBlocks(blocks)).toBe("");
    expect(await Promise.all(blocks.map(run))).toEqual([["OK 1"]]);
  });
});
