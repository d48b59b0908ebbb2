/* The types of the package: what must compile and, by `@ts-expect-error`, what must not. */
import { describe, expect, test } from "vitest";
import { compile } from "../support/programs/compile.ts";
import { Snippets } from "../support/programs/snippets.ts";
import { ROOT } from "../support/sources.ts";

const snippets = new Snippets();

test("programs that are right compile, and mistakes do not", async () => {
  expect(await compile(`${ROOT}test/package/types/tsconfig.json`)).toBe("");
});

describe.each([
  ["in a list", `["user_di"]`],
  ["in a list after a right one", `["user_id", "user_di"]`],
  ["in a record of a list", `["user_id", { user_di: { identity: false } }]`],
  ["in a record", "{ user_di: true }"],
  ["in a record with options", "{ user_id: {}, user_di: { identity: false } }"],
])("a misspelt reference %s", (_, references) => {
  const said = snippets.add(`
    import { createSessions } from "session-sets";
    createSessions({ data: {} as { user_id?: number }, references: ${references} });
  `);
  test("is named by the compiler", () => {
    expect(said()).toContain("user_di is not a field of the data");
    expect(said().match(/error TS/g)).toHaveLength(1);
  });
});

const signIn = snippets.add(`
  import { createSessions } from "session-sets";
  const sessions = createSessions({
    data: {} as { user_id: number; cart: string[] },
    references: ["user_id"],
  });
  await sessions.signIn(null, { user_id: 1 }, { keep: ["cart"] });
  await sessions.signIn(null, { user_id: 1 });
`);
test("the compiler names the field that a sign-in neither gives nor keeps", () => {
  expect(signIn()).toContain("'cart'");
  expect(signIn().match(/error TS/g)).toHaveLength(1);
});

describe.each([
  ["outside of its case", "error.bytes;"],
  ["in another case", 'switch (error.code) { case "ERR_STORE_FULL": error.bytes; }'],
])("what belongs to one code of an error %s", (_, statement) => {
  const program = (inside: string) => `
    import { SessionError } from "session-sets";
    try { throw new Error(); } catch (error) {
      if (error instanceof SessionError) { ${inside} }
    }
  `;
  const said = snippets.add(program(statement));
  const right = snippets.add(
    program('switch (error.code) { case "ERR_SESSION_TOO_LARGE": error.bytes; }'),
  );
  test("does not compile", () => {
    expect(said()).toContain("Property 'bytes' does not exist");
    expect(said().match(/error TS/g)).toHaveLength(1);
    expect(right()).toBe("");
  });
});

const forgetful = snippets.add(`
  import type { SessionError } from "session-sets";
  export function statusOf(error: SessionError<"ERR_STORE_FULL" | "ERR_CSRF">): number {
    switch (error.code) {
      case "ERR_STORE_FULL": return error.maxSessions;
      default: throw error satisfies never;
    }
  }
`);
test("a switch that forgets a code does not compile, where its default is never reached", () => {
  expect(forgetful()).toContain("ERR_CSRF");
  expect(forgetful().match(/error TS/g)).toHaveLength(1);
});
