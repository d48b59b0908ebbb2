import { defineConfig } from "vitest/config";
import Progress from "./test/support/progress.ts";
import { alias, maxWorkers } from "./vitest.config.ts";

// Hostile input everywhere: `npm run fuzz`. How long it takes, its rounds say: see test/fuzz/runs/runner.ts.
export default defineConfig({
  resolve: { alias },
  test: {
    include: ["test/fuzz/**/*.fuzz.ts"],
    globalSetup: "test/support/setup/redis.ts",
    setupFiles: "test/support/setup/empty-redis.ts",
    testTimeout: 600_000,
    hookTimeout: 300_000,
    maxWorkers,
    reporters: [new Progress()],
  },
});
