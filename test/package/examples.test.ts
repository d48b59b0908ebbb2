/* The examples, compiled and started as a reader starts them, and used as browsers use them. */
import { existsSync, readdirSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import { compile } from "../support/programs/compile.ts";
import {
  expectDevices,
  expectEndingOthers,
  startExample,
} from "../support/programs/example-app.ts";
import { redisUrl } from "../support/redis/shared.ts";
import { ROOT } from "../support/sources.ts";

const OUT = `${ROOT}.cache/example-programs`;
// The others have dependencies of their own: `npm run test:examples`.
const EXAMPLES = readdirSync(`${ROOT}examples`).filter((name) =>
  existsSync(`${ROOT}examples/${name}/main.ts`),
);

beforeAll(async () => {
  expect(await compile(`${ROOT}examples/tsconfig.json`, ["--outDir", OUT])).toBe("");
});

describe.each(EXAMPLES)("the example for %s", (name) => {
  test("signs in, shows the devices, ends one, and signs out everywhere", async () => {
    await expectDevices(await startExample([`${OUT}/${name}/main.js`]));
  });

  test("ends all others, by a button and by a change of the password", async () => {
    await expectEndingOthers(await startExample([`${OUT}/${name}/main.js`]));
  });

  test("does so in two processes that share a Redis", async () => {
    const start = () =>
      startExample([`${OUT}/${name}/main.js`], { env: { REDIS_URL: redisUrl() } });
    await expectDevices(await start(), await start());
  });
});
