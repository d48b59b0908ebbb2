import { defineConfig } from "vitest/config";
import Progress from "./test/support/progress.ts";
import { maxWorkers } from "./vitest.config.ts";

// The examples that have dependencies of their own, which npm installs: `npm run test:examples`.
export default defineConfig({
  test: {
    include: ["test/examples/**/*.test.ts"],
    hookTimeout: 300_000, // npm installs packages in a hook
    globalSetup: ["test/support/setup/redis.ts", "test/examples/global-setup.ts"],
    setupFiles: "test/support/setup/empty-redis.ts",
    testTimeout: 300_000, // only for what hangs
    maxWorkers,
    reporters: [new Progress()],
  },
});
