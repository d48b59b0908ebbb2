import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";
import { writeScripts } from "./scripts/build-lua.mjs";

// The sources import what this makes, so each run of tests has the Lua files as they are.
writeScripts();

// The tests import the package by its name and get the sources: an entry of the package is the file
// of that name at the top of src/. What the built package does is test/package/package.test.ts's to show.
const src = fileURLToPath(new URL("./src/", import.meta.url));

export const alias = [
  { find: /^session-sets$/, replacement: `${src}index.ts` },
  { find: /^session-sets\/([a-z-]+(?:\/[a-z-]+)?)$/, replacement: `${src}$1.ts` },
];

export default defineConfig({
  resolve: { alias },
  test: {
    include: ["test/**/*.test.ts"],
    exclude: ["test/browser/**", "test/examples/**", "test/lua54/**", "test/luacheck/**"],
    globalSetup: "test/global-setup.ts",
    // Generous, because servers and compilers start inside tests; what waits, polls.
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // Tests wait for servers more than they compute, so two at a time even on one core.
    maxWorkers: 2,
  },
});
