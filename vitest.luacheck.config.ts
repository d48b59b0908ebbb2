import { defineConfig } from "vitest/config";

// luacheck over all Lua files, which is installed where it is missing: `npm run lint:lua`.
export default defineConfig({
  test: {
    include: ["test/luacheck/**/*.test.ts"],
    globalSetup: "test/luacheck/global-setup.ts",
  },
});
