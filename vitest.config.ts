import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { defineConfig, type Plugin } from "vitest/config";
import { writeScripts } from "./scripts/build-lua.mjs";
import Progress from "./test/support/progress.ts";
import { LongestFirst } from "./test/support/setup/longest-first.ts";

// The sources import what this makes, so each run of tests has the Lua files as they are.
writeScripts();

/** And with --watch as they become. */
const scripts: Plugin = {
  name: "lua-scripts",
  configureServer({ watcher }) {
    const folder = fileURLToPath(new URL("./src/store/redis/scripts/", import.meta.url));
    watcher.add(folder).on("change", (path) => {
      if (path.endsWith(".lua")) writeScripts();
    });
  },
};

// The tests import the package by its name and get the sources: an entry of the package is the file
// of that name at the top of src/. What the built package does, the project `package` shows.
const src = fileURLToPath(new URL("./src/", import.meta.url));

export const alias = [
  { find: /^session-sets$/, replacement: `${src}index.ts` },
  { find: /^session-sets\/([a-z-]+(?:\/[a-z-]+)?)$/, replacement: `${src}$1.ts` },
];

/** While a test waits for a server, another one computes: five workers for two cores. */
export const maxWorkers = Math.ceil(2.5 * availableParallelism());

const REDIS = "test/support/setup/redis.ts";
const BUILD = "test/support/setup/build.ts";
const HISTORIES = "test/support/setup/history-program.ts";

/** A folder of test/, and what is there before its tests begin. docs/design.md, "Testing", describes each. */
function project(name: string, ...globalSetup: string[]) {
  return {
    resolve: { alias },
    test: {
      name,
      // The files share the processes: to start one for each takes a fifth of the time.
      isolate: false,
      include: [`test/${name}/**/*.test.ts`],
      globalSetup,
      setupFiles: globalSetup.includes(REDIS) ? ["test/support/setup/empty-redis.ts"] : [],
      // Only for what hangs: other work may fill the machine, and a proof has as many cases as it has.
      testTimeout: name === "proofs" ? 600_000 : 300_000,
      hookTimeout: 300_000,
      expect: { poll: { timeout: 60_000 } },
    },
  };
}

export default defineConfig({
  plugins: [scripts],
  test: {
    projects: [
      project("unit"),
      project("store", REDIS),
      project("http", REDIS),
      project("compat", REDIS),
      project("proofs", REDIS, HISTORIES),
      project("package", REDIS, BUILD),
      project("docs", REDIS),
    ],
    // Not of the projects, whose own number --maxWorkers would not change.
    maxWorkers,
    // Of the tests of one file that are said to be concurrent: most of their time they wait.
    maxConcurrency: 16,
    sequence: { sequencer: LongestFirst },
    // `npm run coverage`: what no test reaches, file by file. The suite for stores is a test by itself.
    coverage: {
      include: ["src/**"],
      exclude: ["src/testing/**"],
      reporter: [["text", { skipFull: true }], "html"],
      reportsDirectory: ".cache/coverage",
      reportOnFailure: true,
    },
    reporters: [new Progress()],
  },
});
