/* Bun and Deno, which global-setup.ts has installed: the contract of stores, requests, and the example. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { commandContract, feedContract, storeContract } from "session-sets/testing";
import { describe, expect, test } from "vitest";
import {
  expectDevices,
  expectEndingOthers,
  startExample,
} from "../support/programs/example-app.ts";
import { redisUrl } from "../support/redis/shared.ts";
import { findRuntime, PROGRAMS, RUNTIMES } from "./global-setup.ts";

const CONTRACT = [...storeContract, ...commandContract, ...feedContract];
const ENV = { ...process.env, NODE_OPTIONS: "", NO_COLOR: "1", NODE_ENV: "" };

/** How each runs a program, with what it must be allowed, and serves the `fetch` of a module. */
const COMMANDS = {
  bun: { run: [], runWithoutEnv: [], serve: [] },
  deno: {
    run: ["run", "--no-prompt", "--allow-net", "--allow-env", "--allow-read", "--allow-sys"],
    runWithoutEnv: ["run", "--no-prompt"],
    serve: ["serve", "--no-prompt", "--allow-net", "--allow-env", "--port", "0"],
  },
} as const;

describe.each(["bun", "deno"] as const)("%s", (name) => {
  const run = async (args: readonly string[]) => {
    const options = { cwd: RUNTIMES, env: ENV, maxBuffer: 10_000_000 };
    return (await promisify(execFile)(findRuntime(name), args, options)).stdout;
  };

  // They wait for deadlines most of the time.
  test.concurrent.each(["memory", "ioredis", "redis"])(
    "meets the contract of stores: %s",
    async (kind) => {
      const args = [...COMMANDS[name].run, "programs/contract.ts", kind, redisUrl()];
      const ran = (await run(args))
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line));
      expect(ran.filter(({ fault }) => fault !== "")).toEqual([]);
      expect(ran.map(({ name }) => name).sort()).toEqual(CONTRACT.map(({ name }) => name).sort());
    },
  );

  test("puts cookies on its own responses, and needs no permission for it", async () => {
    expect(await run([...COMMANDS[name].runWithoutEnv, "programs/responses.ts"])).toBe("done\n");
  });

  const start = (variables = {}) =>
    startExample([...COMMANDS[name].serve, "bun-and-deno/server.ts"], {
      program: findRuntime(name),
      cwd: RUNTIMES,
      env: { NODE_ENV: "", ...variables },
    });

  test("serves the example, in memory", async () => {
    const address = await start();
    await expectDevices(address);
    await expectEndingOthers(address);
  });

  // The two have a node:http of their own making.
  test.each(["node", "express", "koa", "fastify", "hono"])(
    "runs the example for %s",
    async (framework) => {
      const args = [...COMMANDS[name].run, `${PROGRAMS}/${framework}/main.js`];
      await expectDevices(await startExample(args, { program: findRuntime(name) }));
    },
  );

  test("serves the example in two processes that share a Redis", async () => {
    const variables = { REDIS_URL: redisUrl() };
    await expectDevices(await start(variables), await start(variables));
  });
});
