/* The documentation is true: its code compiles and prints what it says, its links lead somewhere. */
import { expect, test } from "vitest";
import {
  compileBlocks,
  findOutputFault,
  IN_PAGES,
  PAGES,
  run,
  temporaryFolder,
} from "../support/docs/blocks.ts";
import { codeBlocks, docstrings, findForeignParagraphs } from "../support/docs/docs.ts";
import { runUnderVitest } from "../support/docs/docs-tests.ts";
import { findLinkFault, localLinks } from "../support/docs/links.ts";
import { redisUrl } from "../support/redis/shared.ts";
import { filesUnder, ROOT, read } from "../support/sources.ts";

const SOURCES = filesUnder("src", ".ts");

const IN_DOCSTRINGS = SOURCES.flatMap((file) => codeBlocks(file, docstrings(read(file))));

/** Names that an example in a docstring takes as given, because the reader stands right before it. */
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
    const lineage: string;
    const socket: import("ws").WebSocket;
    const user: { id: number };
    const client: import("ioredis").Redis;
    const app: import("koa");
    const test: (name: string, run: () => Promise<void>) => void;
    const openMyStore: () => Promise<import("session-sets").SessionStore>;
  }
`;

test("all code in the documentation compiles", async () => {
  expect(await compileBlocks(IN_PAGES)).toBe("");
});

for (const { file, line, from, ...block } of IN_PAGES.filter((one) => one.from !== undefined)) {
  test(`the code at ${file}:${line} stands in ${from}`, () => {
    expect(findForeignParagraphs({ file, line, from, ...block }, read(from ?? ""))).toEqual([]);
  });
}

test("all code in docstrings compiles", async () => {
  expect(await compileBlocks(IN_DOCSTRINGS, GIVEN_IN_DOCSTRINGS)).toBe("");
});

for (const block of [...IN_PAGES, ...IN_DOCSTRINGS].filter((one) => one.run)) {
  test(`the code at ${block.file}:${block.line} prints what is shown under it`, async () => {
    expect(findOutputFault(block.output, await run(block))).toBeUndefined();
  });
}

test("the test files in the documentation pass under vitest, at once with others", async () => {
  const blocks = IN_PAGES.filter(({ runner }) => runner === "vitest");
  expect(blocks.length).toBeGreaterThan(0);
  const variables = { REDIS_URL: redisUrl() };
  const files = await runUnderVitest(blocks, temporaryFolder(), variables);
  for (const { file, fault } of files) expect(fault, file).toBe("");
});

test.each(PAGES)("the links and images of %s exist", (page) => {
  const faults = localLinks(read(page))
    .map((target) => [target, findLinkFault(ROOT, page, target, read)])
    .filter(([, fault]) => fault !== undefined);
  expect(faults).toEqual([]);
});
