/* The example for Next.js: a copy of it, installed with the packed tarball, built, started and used. */
import { execFile } from "node:child_process";
import { cpSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { expectDevices, startExample } from "../support/example-app.ts";
import { ROOT } from "../support/sources.ts";

const SOURCE = `${ROOT}examples/nextjs`;
const APP = `${ROOT}.cache/examples/nextjs`;
const QUIET = { NODE_OPTIONS: "", NEXT_TELEMETRY_DISABLED: "1" };

beforeAll(async () => {
  rmSync(APP, { recursive: true, force: true });
  // What a reader made there is no part of the example.
  const made = ["node_modules", ".next", "next-env.d.ts"];
  cpSync(SOURCE, APP, { recursive: true, filter: (path) => !made.includes(basename(path)) });
  // Without scripts: `npm run test:examples` has built what is packed.
  const pack = ["pack", "--json", "--ignore-scripts", "--pack-destination", APP];
  const [{ filename }] = JSON.parse(await npm(pack, ROOT));
  const manifest = JSON.parse(readFileSync(`${APP}/package.json`, "utf8"));
  manifest.dependencies["session-sets"] = `file:./${filename}`;
  writeFileSync(`${APP}/package.json`, JSON.stringify(manifest, null, 2));
  await npm(["install", "--prefer-offline", "--no-audit", "--no-fund"], APP);
  await npm(["run", "build"], APP);
});

afterAll(() => rmSync(APP, { recursive: true, force: true }));

/** What npm prints. It fails with all that npm says: there is no test without the example. */
async function npm(args: readonly string[], cwd: string): Promise<string> {
  // Next.js and npm have meanings of their own for NODE_ENV, which vitest sets.
  const { NODE_ENV: _, ...variables } = process.env;
  const env = { ...variables, ...QUIET };
  try {
    return (await promisify(execFile)("npm", args, { cwd, env })).stdout;
  } catch (error) {
    const { stdout = "", stderr = "" } = Object(error);
    const said = `npm ${args.join(" ")} failed in ${cwd}:\n${stdout}${stderr}`;
    throw new Error(said, { cause: error });
  }
}

function start(variables: { readonly [name: string]: string } = {}): Promise<string> {
  const env = { ...QUIET, NODE_ENV: "production", ...variables };
  return startExample([`${APP}/node_modules/next/dist/bin/next`, "start"], { cwd: APP, env });
}

test("signs in, shows the devices, ends one, and signs out everywhere, in memory", async () => {
  await expectDevices(await start());
});

test("does so in two processes that share a Redis", async () => {
  const variables = { REDIS_URL: inject("redisUrl") };
  await expectDevices(await start(variables), await start(variables));
});

test("sends Secure cookies behind a proxy that ends TLS", async () => {
  const address = await start();
  const cookies = async (headers: Record<string, string>) =>
    (await fetch(`${address}/sign-in`, { headers })).headers.getSetCookie().join();
  expect(await cookies({})).not.toContain("Secure");
  expect(await cookies({ "x-forwarded-proto": "https" })).toContain("Secure");
});
