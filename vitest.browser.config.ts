import { defineConfig } from "vitest/config";
import Progress from "./test/support/progress.ts";

// The app in a real browser: `npm run test:browser`. It starts what it needs by itself.
export default defineConfig({
  test: {
    include: ["test/browser/**/*.test.ts"],
    globalSetup: "test/browser/global-setup.ts",
    testTimeout: 300_000,
    hookTimeout: 300_000,
    fileParallelism: false,
    // The files share the browser's windows: see test/browser/devices.ts.
    isolate: false,
    reporters: [new Progress()],
  },
});
