import { defineConfig } from "vitest/config";
import Progress from "./test/support/progress.ts";

// luacheck over all Lua files, which is installed where it is missing: `npm run lint:lua`.
export default defineConfig({
  test: {
    include: ["test/luacheck/**/*.test.ts"],
    globalSetup: "test/luacheck/global-setup.ts",
    testTimeout: 300_000, // only for what hangs
    hookTimeout: 300_000,
    reporters: [new Progress()],
  },
});
