import { expect, test } from "vitest";
import { codeBlocks, docstrings, linesMatch } from "../../support/docs/docs.ts";
import { anchors, findLinkFault, localLinks } from "../../support/docs/links.ts";
import { ROOT } from "../../support/sources.ts";

const page = (...lines: string[]) => lines.join("\n");

test("each ts and js block is a module, its lines where they are in the page", () => {
  const blocks = codeBlocks("a.md", page("# A", "```ts", "one();", "```", "```sh", "ls", "```"));
  expect(blocks).toEqual([
    {
      file: "a.md",
      line: 3,
      language: "ts",
      source: "\n\none();\nexport {};\n",
      run: false,
      output: [],
      runner: undefined,
      skip: undefined,
    },
  ]);
});

test("a block in a list loses its indentation", () => {
  const [block] = codeBlocks("a.md", page("- item", "  ```js", "  if (a)", "    b();", "  ```"));
  expect(block?.source).toBe("\n\nif (a)\n  b();\nexport {};\n");
});

test("a block can go on where the one before it ended, over other blocks", () => {
  const blocks = codeBlocks(
    "a.md",
    page(
      ...["```ts", "one();", "```", "```sh", "ls", "```"],
      ...["<!-- docs:continue -->", "```ts", "two();", "```"],
      ...["<!-- docs:continue -->", "```ts", "three();", "```"],
    ),
  );
  expect(blocks.map(({ source }) => source.match(/\w+(?=\(\))/g))).toEqual([
    ["one"],
    ["one", "two"],
    ["one", "two", "three"],
  ]);
});

test("a block goes on where the last one of its file did", () => {
  const blocks = codeBlocks(
    "a.md",
    page(
      ...["<!-- docs:file app.js -->", "```js", "one();", "```"],
      ...["<!-- docs:file users.js -->", "```js", "two();", "```"],
      ...["<!-- docs:continue -->", "<!-- docs:file app.js -->", "```js", "three();", "```"],
    ),
  );
  expect(blocks.map(({ name, source }) => [name, source.match(/\w+(?=\(\))/g)])).toEqual([
    ["app.js", ["one"]],
    ["users.js", ["two"]],
    ["app.js", ["one", "three"]],
  ]);
});

test("a prelude is put before its own block alone", () => {
  const blocks = codeBlocks(
    "a.md",
    page(
      ...["<!-- docs:prelude", "zero();", "-->", "```ts", "one();", "```"],
      ...["```ts", "two();", "```"],
    ),
  );
  expect(blocks.map(({ source }) => source.match(/\w+(?=\(\))/g))).toEqual([
    ["zero", "one"],
    ["two"],
  ]);
});

test("a block that runs has the text that follows it as its output", () => {
  const [first, second] = codeBlocks(
    "a.md",
    page(
      ...["<!-- docs:run -->", "```ts", "one();", "```", "prints", "```text", "1", "2", "```"],
      ...[
        "<!-- docs:run -->",
        "```ts",
        "two();",
        "```",
        "```sh",
        "ls",
        "```",
        "```text",
        "3",
        "```",
      ],
    ),
  );
  expect(first).toMatchObject({ run: true, output: ["1", "2"] });
  expect(second).toMatchObject({ run: true, output: [] });
});

test("a skipped block keeps its reason", () => {
  const [block] = codeBlocks("a.md", page("<!-- docs:skip not code -->", "```ts", "…", "```"));
  expect(block?.skip).toBe("not code");
});

test("a test file has its runner", () => {
  const [block] = codeBlocks("a.md", page("<!-- docs:test jest -->", "```js", "one();", "```"));
  expect(block?.runner).toBe("jest");
});

test.each([
  ["an unknown directive", "<!-- docs:ignore -->", "there is no docs:ignore"],
  ["a skip without a reason", "<!-- docs:skip -->", "docs:skip needs a reason"],
  ["a file without a name", "<!-- docs:file -->", "docs:file names a file, such as users.js"],
  ["a file in a folder", "<!-- docs:file ../a.js -->", "docs:file names a file"],
  ["a test without a runner", "<!-- docs:test -->", "docs:test names its runner: vitest or jest"],
  ["a test of another runner", "<!-- docs:test mocha -->", "docs:test names its runner"],
  [
    "a directive before another language",
    "<!-- docs:run -->\n```sh\nls\n```",
    "no ts or js block follows",
  ],
  ["a directive at the end", "<!-- docs:run -->", "no ts or js block follows"],
  [
    "a block to continue that is not there",
    "<!-- docs:continue -->\n```ts\n```",
    "no block before",
  ],
  ["a block without an end", "```ts\none();", "a.md:1: this code block has no end"],
  ["a prelude without an end", "<!-- docs:prelude\none();", "has no end"],
  ["another name for a language", "```typescript\none();\n```", "call the language ts or js"],
])("%s is refused", (_, text, message) => {
  expect(() => codeBlocks("a.md", text)).toThrow(message);
});

test("the docstrings of a source are read as pages", () => {
  const source = page(
    "/**",
    " * Says it.",
    " * ```ts",
    " * say({",
    " *   a: 1,",
    " * });",
    " * ```",
    " */",
    "const text = `\n```ts\nno\n```\n`;",
    "/** One line. */",
  );
  const blocks = codeBlocks("a.ts", docstrings(source));
  expect(blocks.map((block) => block.source)).toEqual(["\n\n\nsay({\n  a: 1,\n});\nexport {};\n"]);
});

test("an ellipsis in an output stands for any text, other characters for themselves", () => {
  expect(linesMatch("id … (new)", "id a1b2 (new)")).toBe(true);
  expect(linesMatch("id … (new)", "id a1b2 (old)")).toBe(false);
  expect(linesMatch("a.c", "abc")).toBe(false);
});

test("links are found in every notation, but not in code", () => {
  const text = page(
    '[a](a.md "title") ![b](b.png) [c][ref] `[d](d.md)` [e](https://example.com)',
    "[ref]: c.md#part",
    '<img src="f.png" alt="">',
    "```md",
    "[g](g.md)",
    "```",
  );
  expect(localLinks(text)).toEqual(["a.md", "b.png", "c.md#part", "f.png"]);
});

test("headings have the names that code hosts give them", () => {
  const text = page("# The `get` (fast), again!", "## One", "## One", '<a id="own"></a>');
  expect([...anchors(text)]).toEqual(["the-get-fast-again", "one", "one-1", "own"]);
});

test.each([
  ["LICENSE", undefined],
  ["../src", undefined],
  ["#one", undefined],
  ["#two", "no such heading"],
  ["missing.md", "does not exist"],
  ["/LICENSE", "begins with a slash"],
])("a link to %s: %s", (target, fault) => {
  const file = target === "LICENSE" ? "README.md" : "docs/page.md";
  const found = target.startsWith("#")
    ? findLinkFault(ROOT, "SECURITY.md", target, () => "# One")
    : findLinkFault(ROOT, file, target, () => "# One");
  if (fault) expect(found).toContain(fault);
  else expect(found).toBeUndefined();
});
