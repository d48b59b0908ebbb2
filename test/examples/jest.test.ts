/* The test files for Jest in the documentation, run by Jest itself on the packed library. */
import { execFile } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { codeBlocks } from "../support/docs/docs.ts";
import { parseReport } from "../support/docs/docs-tests.ts";
import { npm, packInto } from "../support/programs/npm.ts";
import { redisUrl } from "../support/redis/shared.ts";
import { filesUnder, ROOT, read } from "../support/sources.ts";

const APP = `${ROOT}.cache/examples/jest`;
const MANIFEST = {
  private: true,
  type: "module",
  dependencies: { express: "^5", ioredis: "^6", jest: "^30", redis: "^6", supertest: "^7" },
};

/** Sentences of the page on Jest that have no block. */
const MORE = `
  import { afterEach, expect, jest, test } from "@jest/globals";
  import express from "express";
  import { Redis } from "ioredis";
  import { createClient } from "redis";
  import { createSessions } from "session-sets";
  import { expressSessions } from "session-sets/express";
  import { redisStore } from "session-sets/redis";
  import { createSessionCookie } from "session-sets/testing";
  import request from "supertest";

  const options = { doNotFake: ["nextTick", "setImmediate"] };
  const url = process.env.REDIS_URL;
  const DAY = 86_400_000;

  afterEach(() => {
    jest.useRealTimers();
  });

  async function use(client) {
    // Two of the tests wait until its timeout has passed.
    const store = redisStore(client, { prefix: "jest-" + Math.random().toString(36).slice(2) });
    const sessions = createSessions({ store, references: ["user_id"] });
    const { token } = await sessions.create({ user_id: 1 });
    jest.advanceTimersByTime(31 * DAY);
    expect((await sessions.get(token)).data).toEqual({ user_id: 1 });
    expect(await sessions.by("user_id", 1).clear()).toBe(1);
  }

  test("ioredis", async () => {
    jest.useFakeTimers(options);
    const client = new Redis(url);
    await use(client);
    client.disconnect();
  });

  test("node-redis", async () => {
    jest.useFakeTimers(options);
    const client = createClient({ url });
    await client.connect();
    await use(client);
    client.destroy();
  });

  test("a client that waits for a fake", async () => {
    const client = createClient({ url });
    await client.connect();
    jest.useFakeTimers();
    await expect(use(client)).rejects.toMatchObject({
      code: "ERR_STORE_UNAVAILABLE",
      message: expect.stringMatching(/fake only the Date/),
    });
    jest.useRealTimers();
    client.destroy();
  });

  test("ioredis that connects under a fake process.nextTick", async () => {
    jest.useFakeTimers({ doNotFake: ["setImmediate"] });
    const client = new Redis(url);
    await expect(use(client)).rejects.toMatchObject({ code: "ERR_STORE_UNAVAILABLE" });
    jest.useRealTimers();
    client.disconnect();
  });

  test("a cookie, and its end", async () => {
    const sessions = createSessions({ references: ["user_id"], idleTimeout: "30 minutes" });
    const web = expressSessions(sessions, { keys: ["a secret"] });
    const app = express().use(web);
    app.get("/", async (req, res) => res.json(await req.session.get()));
    const cookie = await createSessionCookie(web, { user_id: 1 });
    jest.useFakeTimers(options);
    const look = async () => (await request(app).get("/").set("Cookie", cookie)).body;
    expect(await look()).toEqual({ user_id: 1 });
    jest.advanceTimersByTime(DAY);
    expect(await look()).toEqual({});
  });
`;

beforeAll(async () => {
  rmSync(APP, { recursive: true, force: true });
  mkdirSync(APP, { recursive: true });
  const packed = await packInto(APP);
  const dependencies = { ...MANIFEST.dependencies, "session-sets": `file:./${packed}` };
  writeFileSync(`${APP}/package.json`, JSON.stringify({ ...MANIFEST, dependencies }));
  await npm(["install", "--prefer-offline", "--no-audit", "--no-fund"], APP);
});

afterAll(() => rmSync(APP, { recursive: true, force: true }));

test("they pass under Jest, and so does what the page says of it", async () => {
  const pages = ["README.md", ...filesUnder("docs", ".md")];
  const blocks = pages
    .flatMap((page) => codeBlocks(page, read(page)))
    .filter(({ runner }) => runner === "jest");
  expect(blocks.length).toBeGreaterThan(0);
  const files = [...blocks.map(({ source }) => source), MORE];
  for (const [index, source] of files.entries()) {
    writeFileSync(`${APP}/${index}.test.js`, source);
  }
  const jest = ["node_modules/jest/bin/jest.js", "--ci", "--json", "--outputFile=report.json"];
  const said = await promisify(execFile)(process.execPath, jest, {
    cwd: APP,
    env: {
      ...process.env,
      NODE_ENV: "test",
      NODE_OPTIONS: "--experimental-vm-modules",
      REDIS_URL: redisUrl(),
    },
  }).catch(({ stdout, stderr }: { stdout: string; stderr: string }) => stdout + stderr);
  const ran = parseReport(`${APP}/report.json`, said);
  expect(ran).toHaveLength(files.length);
  for (const { file, fault } of ran) expect(fault, file).toBe("");
});
