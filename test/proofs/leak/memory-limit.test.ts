/* The default bound of the memory store is one that a small container survives. */
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const memory = fileURLToPath(new URL("../../../src/memory.ts", import.meta.url));
/** What V8 allows itself in a container of 512 MB. */
const HEAP_MB = 256;

test.each([
  ["Latin text", "({ text: 'x'.repeat(60_000) })"],
  ["text that is not Latin", "({ text: '€' + 'x'.repeat(60_000) })"],
  [
    "very many small fields",
    "Object.fromEntries(Array.from({ length: 5000 }, (_, i) => ['f' + i, 'x']))",
  ],
  ["next to nothing", "({ a: 'b' })"],
])("a flood of anonymous sessions of %s ends no process of a small heap", async (_, fields) => {
  // Node 20 does not run TypeScript: vite's loader does.
  const script = `
    import { runnerImport } from "vite";
    const { module } = await runnerImport(${JSON.stringify(memory)});
    const store = module.memoryStore();
    let bytes = 0;
    for (let i = 0; bytes < 300_000_000 && i < 110_000; i++) {
      const fields = new Map(Object.entries(${fields}));
      for (const [name, text] of fields) bytes += name.length + text.length + 100;
      const id = String(i).padStart(24, "0");
      await store.create({ id, fields, references: [], idleTimeout: 3_600_000, absoluteTimeout: null });
    }
    console.log("alive");
    process.exit();
  `;
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [`--max-old-space-size=${HEAP_MB}`, "--input-type=module", "-e", script],
    { cwd: fileURLToPath(new URL("../../..", import.meta.url)) },
  );
  expect(stdout).toContain("alive");
});
