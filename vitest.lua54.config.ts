import { defineConfig } from "vitest/config";
import Progress from "./test/support/progress.ts";
import { alias } from "./vitest.config.ts";

// The scripts on Lua 5.4, which is installed where it is missing: `npm run test:lua54`.
export default defineConfig({
  resolve: { alias },
  test: {
    include: ["test/lua54/**/*.test.ts"],
    globalSetup: "test/lua54/global-setup.ts",
    testTimeout: 300_000, // only for what hangs
    hookTimeout: 300_000,
    reporters: [new Progress()],
  },
});
