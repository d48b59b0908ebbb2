import { defineConfig } from "vitest/config";
import { alias } from "./vitest.config.ts";

// What takes a program that is installed where it is missing: the scripts on Lua 5.4 (`npm run
// test:lua54`), and luacheck over them (`npm run lint:lua`).
export default defineConfig({
  resolve: { alias },
  test: {
    include: ["test/lua54/**/*.test.ts", "test/luacheck/**/*.test.ts"],
    testTimeout: 60_000,
    hookTimeout: 300_000,
  },
});
