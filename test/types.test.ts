/* The types of the package: what must compile and, by `@ts-expect-error`, what must not. */
import { expect, test } from "vitest";
import { compile } from "./support/compile.ts";
import { ROOT } from "./support/sources.ts";

test("programs that are right compile, and mistakes do not", async () => {
  expect(await compile(`${ROOT}test/types/tsconfig.json`)).toBe("");
});
