/* The types of the package: what must compile and, by `@ts-expect-error`, what must not. */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { expect, onTestFinished, test } from "vitest";
import { compile } from "../support/programs/compile.ts";
import { ROOT } from "../support/sources.ts";

/** What the compiler says of a program. */
async function saidOf(program: string): Promise<string> {
  await mkdir(`${ROOT}.cache`, { recursive: true });
  const directory = await mkdtemp(`${ROOT}.cache/types-`);
  onTestFinished(() => rm(directory, { recursive: true }));
  const tsconfig = { extends: "../../tsconfig.json", include: ["."], exclude: [] };
  await writeFile(`${directory}/tsconfig.json`, JSON.stringify(tsconfig));
  await writeFile(`${directory}/program.ts`, program);
  return compile(`${directory}/tsconfig.json`);
}

test("programs that are right compile, and mistakes do not", async () => {
  expect(await compile(`${ROOT}test/package/types/tsconfig.json`)).toBe("");
});

test.each([
  ["in a list", `["user_di"]`],
  ["in a list after a right one", `["user_id", "user_di"]`],
  ["in a record of a list", `["user_id", { user_di: { identity: false } }]`],
  ["in a record", "{ user_di: true }"],
  ["in a record with options", "{ user_id: {}, user_di: { identity: false } }"],
])("the compiler names a misspelt reference %s", async (_, references) => {
  const said = await saidOf(`
    import { createSessions } from "session-sets";
    createSessions({ data: {} as { user_id?: number }, references: ${references} });
  `);
  expect(said).toContain("user_di is not a field of the data");
  expect(said.match(/error TS/g)).toHaveLength(1);
});

test("the compiler names the field that a sign-in neither gives nor keeps", async () => {
  const said = await saidOf(`
    import { createSessions } from "session-sets";
    const sessions = createSessions({
      data: {} as { user_id: number; cart: string[] },
      references: ["user_id"],
    });
    await sessions.signIn(null, { user_id: 1 }, { keep: ["cart"] });
    await sessions.signIn(null, { user_id: 1 });
  `);
  expect(said).toContain("'cart'");
  expect(said.match(/error TS/g)).toHaveLength(1);
});

test.each([
  ["outside of its case", "error.bytes;"],
  ["in another case", 'switch (error.code) { case "ERR_STORE_FULL": error.bytes; }'],
])("what belongs to one code of an error does not compile %s", async (_, statement) => {
  const program = (inside: string) => `
    import { SessionError } from "session-sets";
    try { throw new Error(); } catch (error) {
      if (error instanceof SessionError) { ${inside} }
    }
  `;
  const said = await saidOf(program(statement));
  expect(said).toContain("Property 'bytes' does not exist");
  expect(said.match(/error TS/g)).toHaveLength(1);
  const right = 'switch (error.code) { case "ERR_SESSION_TOO_LARGE": error.bytes; }';
  expect(await saidOf(program(right))).toBe("");
});

test("a switch that forgets a code does not compile, where its default is never reached", async () => {
  const said = await saidOf(`
    import type { SessionError } from "session-sets";
    export function statusOf(error: SessionError<"ERR_STORE_FULL" | "ERR_CSRF">): number {
      switch (error.code) {
        case "ERR_STORE_FULL": return error.maxSessions;
        default: throw error satisfies never;
      }
    }
  `);
  expect(said).toContain("ERR_CSRF");
  expect(said.match(/error TS/g)).toHaveLength(1);
});
