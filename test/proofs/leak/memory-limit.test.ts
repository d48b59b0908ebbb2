/* The default bound of the memory store is one that a small container survives. */
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { compilePackage } from "../../support/programs/build-program.ts";
import { ROOT } from "../../support/sources.ts";

let folder: string;
beforeAll(async () => {
  const cache = join(ROOT, ".cache");
  await mkdir(cache, { recursive: true });
  folder = await mkdtemp(join(cache, "memory-"));
  await compilePackage(folder, ["memory"]);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

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
  const script = `
    import { memoryStore } from "./src/memory.js";
    const store = memoryStore();
    const others = new Array(1_400_000).fill(0); // the heap that a program has of its own: 11 MB
    let bytes = 0;
    for (let i = 0; bytes < 300_000_000 && i < 110_000; i++) {
      const fields = new Map(Object.entries(${fields}));
      for (const [name, text] of fields) bytes += name.length + text.length + 100;
      const id = String(i).padStart(24, "0");
      await store.create({ id, fields, references: [], idleTimeout: 3_600_000, absoluteTimeout: null });
    }
    console.log("alive", others.length);
    process.exit();
  `;
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [`--max-old-space-size=${HEAP_MB}`, "--input-type=module", "-e", script],
    { cwd: folder },
  );
  expect(stdout).toContain("alive");
});
