import { defineConfig } from "vitest/config";

// The examples that have dependencies of their own, which npm installs: `npm run test:examples`.
export default defineConfig({
  test: {
    include: ["test/examples/**/*.test.ts"],
    hookTimeout: 300_000, // npm installs packages in a hook
    globalSetup: ["test/support/setup/redis.ts", "test/examples/global-setup.ts"],
    testTimeout: 600_000, // only for what hangs
  },
});
