/*
 * Before any test's clock runs: copies of the examples with packages of their own, installed with the packed
 * tarball and built; and Bun, Deno and, where this Node is too old for some of the examples, a newer one.
 */
import {
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { basename, delimiter, dirname } from "node:path";
import { announceInstall } from "../../scripts/installing.mjs";
import { compile } from "../support/programs/compile.ts";
import { npm, packInto } from "../support/programs/npm.ts";
import { ROOT } from "../support/sources.ts";

const CACHE = `${ROOT}.cache/examples`;
export const APPS = {
  nextjs: `${CACHE}/nextjs`,
  "react-router": `${CACHE}/react-router`,
  sveltekit: `${CACHE}/sveltekit`,
} as const;
/** A project that has session-sets, the clients of Redis and the example for Bun and Deno. */
export const RUNTIMES = `${CACHE}/runtimes`;

/** The other examples, compiled. They find their packages where this project has them. */
export const PROGRAMS = `${CACHE}/programs`;

export const QUIET = { NODE_OPTIONS: "", NEXT_TELEMETRY_DISABLED: "1" };
const INSTALL = ["install", "--prefer-offline", "--no-audit", "--no-fund"];
/** Files that a reader made in an example aren't part of it. */
const MADE = ["node_modules", ".next", "next-env.d.ts", "build", ".react-router", ".svelte-kit"];

/** React Router 8 and SvelteKit 3 need Node 22. */
const IS_OLD = Number.parseInt(process.versions.node, 10) < 22;
const NODE_PACKAGE = `node-${process.platform === "win32" ? "win" : process.platform}-${process.arch}`;

const RUNTIME_PACKAGES = {
  bun: "1.4.5",
  deno: "2.9.6",
  ioredis: "^6",
  redis: "^6",
  ...(IS_OLD ? { [NODE_PACKAGE]: "24" } : {}),
};

/** The programs of the packages `bun` and `deno`, which npm has put beside them: one for this system. */
export function findRuntime(name: "bun" | "deno"): string {
  const [scope, path] = name === "bun" ? ["@oven", "bin/bun"] : ["@deno", "deno"];
  const folder = `${RUNTIMES}/node_modules/${scope}`;
  return `${folder}/${readdirSync(folder)[0]}/${path}`;
}

/** A Node that the examples for React Router and SvelteKit take. */
export function findNode(): string {
  return IS_OLD ? `${RUNTIMES}/node_modules/${NODE_PACKAGE}/bin/node` : process.execPath;
}

export default async function setup(): Promise<() => void> {
  announceInstall({
    what: "the packages of the examples for Next.js, React Router and SvelteKit and of the tests for Jest, and Bun and Deno",
    how: `\`npm ${INSTALL.join(" ")}\` in folders of ${CACHE}`,
    missing:
      "The examples for Next.js, React Router and SvelteKit, the tests for Jest, and those on Bun and Deno need packages of their own",
    advice: "Unset it for `npm run test:examples`",
  });
  rmSync(CACHE, { recursive: true, force: true });
  mkdirSync(CACHE, { recursive: true });
  const packed = `${CACHE}/${await packInto(CACHE)}`;
  const programs = compile(`${ROOT}examples/tsconfig.json`, ["--outDir", PROGRAMS]);
  const runtimes = step("Installed Bun and Deno", () => installRuntimes(packed));
  await Promise.all([
    runtimes,
    step("Built the example for Next.js", async () => {
      await install("nextjs", packed);
      await npm(["run", "build"], APPS.nextjs);
    }),
    ...(["react-router", "sveltekit"] as const).map((name) =>
      step(`Built the example in examples/${name}`, async () => {
        await install(name, packed);
        await runtimes;
        const path = `${dirname(findNode())}${delimiter}${process.env.PATH}`;
        await npm(["run", "build"], APPS[name], { PATH: path });
        await npm(["run", "types"], APPS[name], { PATH: path });
      }),
    ),
  ]);
  const complaints = await programs;
  if (complaints) throw new Error(complaints);
  return () => rmSync(CACHE, { recursive: true, force: true });
}

async function install(name: keyof typeof APPS, packed: string): Promise<void> {
  const folder = APPS[name];
  cpSync(`${ROOT}examples/${name}`, folder, {
    recursive: true,
    filter: (path) => !MADE.includes(basename(path)),
  });
  const manifest = JSON.parse(readFileSync(`${folder}/package.json`, "utf8"));
  manifest.dependencies["session-sets"] = `file:${packed}`;
  writeFileSync(`${folder}/package.json`, JSON.stringify(manifest, null, 2));
  await npm(INSTALL, folder);
}

async function installRuntimes(packed: string): Promise<void> {
  cpSync(`${ROOT}examples/shop.ts`, `${RUNTIMES}/shop.ts`);
  cpSync(`${ROOT}examples/bun-and-deno`, `${RUNTIMES}/bun-and-deno`, { recursive: true });
  cpSync(`${ROOT}test/examples/runtimes`, `${RUNTIMES}/programs`, { recursive: true });
  const dependencies = { ...RUNTIME_PACKAGES, "session-sets": `file:${packed}` };
  const manifest = { private: true, type: "module", dependencies };
  writeFileSync(`${RUNTIMES}/package.json`, JSON.stringify(manifest));
  // The scripts of these packages only move the programs, which npm may forbid.
  await npm([...INSTALL, "--ignore-scripts"], RUNTIMES);
}

/** Says when a part is done: what comes before the tests takes longer than they do. */
async function step(done: string, work: () => Promise<void>): Promise<void> {
  const from = Date.now();
  await work();
  writeSync(2, `${done} (${((Date.now() - from) / 1000).toFixed(1)} s)\n`);
}
