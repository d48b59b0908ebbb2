/* The sources keep their layers: imports point down only (docs/design.md, "Layers"). */
import { dirname, join } from "node:path/posix";
import { describe, expect, test } from "vitest";
import { filesUnder, listImports, read } from "../support/sources.ts";

/** From top to bottom. A file may import its own layer and what is below it. */
const LAYERS = [
  ["entry", /^src\/(?:compat\/)?[a-z-]+\.ts$/],
  ["compat", /^src\/compat\/[a-z-]+\//],
  ["adapters", /^src\/adapters\//],
  ["http", /^src\/http\//],
  ["sessions", /^src\/sessions\//],
  // Beside the library: what it exports is for tests.
  ["testing", /^src\/testing\//],
  ["migrate", /^src\/migrate\//],
  ["store", /^src\/store\//],
  ["shared", /^src\/shared\//],
] as const;

type Layer = (typeof LAYERS)[number][0];

const MAX_LINES = 400;
const RUNTIME_DEPENDENCIES = Object.keys(JSON.parse(read("package.json")).dependencies);
/** Clients are known by their shape, but for a predecessor whose API opens one of its own. */
const OPENS_A_CLIENT: Readonly<Record<string, readonly string[]>> = {
  "src/compat/spots-sessions/spots-sessions.ts": ["ioredis"],
};
/** The one import from outside of src/. In the package it lies beside the build, as it does here. */
const GENERATED = "generated/scripts.js";
const FILES = filesUnder("src", ".ts");
const ENTRIES = FILES.filter((file) => findLayer(file) === "entry");

function findLayer(file: string): Layer {
  const layer = LAYERS.find(([, pattern]) => pattern.test(file));
  if (!layer) throw new Error(`${file} is in no layer: see LAYERS in test/unit/layers.test.ts`);
  return layer[0];
}

function depth(layer: Layer): number {
  return LAYERS.findIndex(([name]) => name === layer);
}

/** Why one file may not import another file of src/, or undefined. */
function findImportFault(file: string, target: string): string | undefined {
  const [from, to] = [findLayer(file), findLayer(target)];
  if (to === "entry") return "nothing imports an entry file";
  if (to === "testing" && from !== "entry" && from !== "testing") return "only tests need testing";
  if (depth(to) < depth(from)) return `${from} is below ${to}`;
  const [api, other] = [parseCompat(file), parseCompat(target)];
  if (api && other && other !== api && other !== "shared") return "one API does not need the other";
  const [here, there] = [parseStore(file), parseStore(target)];
  if (here && there && here !== there) return "one store does not need the other";
  if (from === "testing" && there) return "the contract suite knows no store in particular";
  if (from === "sessions" && there === "redis") return "the memory store alone is a default";
  return undefined;
}

/** The store that a file is part of: "memory", "redis", or undefined. */
function parseStore(file: string): string | undefined {
  return /^src\/store\/([^/]+)\//.exec(file)?.[1];
}

function isGenerated(file: string) {
  return ({ from }: { from: string }) => join(dirname(file), from) === GENERATED;
}

/** The API under compat/ that a file is part of, its entry included; "shared" for what several share. */
function parseCompat(file: string): string | undefined {
  return /^src\/compat\/([a-z-]+)(?:\/|\.ts$)/.exec(file)?.[1];
}

function relativeImports(file: string) {
  return listImports(read(file))
    .filter((one) => one.from.startsWith(".") && !isGenerated(file)(one))
    .map(({ from }) => ({ from, target: join(dirname(file), from) }));
}

describe.each(FILES)("%s", (file) => {
  test("imports only what is below it, by names that end in .ts", () => {
    for (const { from, target } of relativeImports(file)) {
      expect(from, "a relative import ends in .ts").toMatch(/\.ts$/);
      expect(FILES, "a relative import stays in src/").toContain(target);
      expect(findImportFault(file, target), `imports ${from}`).toBeUndefined();
    }
  });

  test("imports no package at run time but Node's own and the declared dependencies", () => {
    const packages = listImports(read(file))
      .filter(({ from, typeOnly }) => !typeOnly && !/^(?:\.|node:)/.test(from))
      .map(({ from }) => from);
    const allowed = [...RUNTIME_DEPENDENCIES, ...(OPENS_A_CLIENT[file] ?? [])];
    for (const name of packages) expect(allowed).toContain(name);
  });
});

/** The timers and the clock that a test of an application fakes, and where the real ones are. */
const REAL = [
  [/\b(?:set|clear)(?:Timeout|Interval|Immediate)\(/, "node:timers"],
  [/\bperformance\./, "node:perf_hooks"],
] as const;

test.each(FILES.filter((file) => /^src\/(?:http|sessions|store)\//.test(file)))(
  "%s takes no timer from the global object, where fakes may be",
  (file) => {
    const source = read(file);
    const code = source.replace(/\/\*[\s\S]*?\*\//g, "").replace(/^\s*\/\/.*$/gm, "");
    const imported = listImports(source).map(({ from }) => from);
    for (const [uses, module] of REAL) if (uses.test(code)) expect(imported).toContain(module);
  },
);

test.each([...FILES, ...filesUnder("src", ".lua")])(
  `%s is at most ${MAX_LINES} lines long`,
  (file) => {
    expect(read(file).split("\n").length - 1).toBeLessThanOrEqual(MAX_LINES);
  },
);

test("one file imports the texts of the Lua scripts, which the build makes", () => {
  const importing = FILES.filter((file) => listImports(read(file)).some(isGenerated(file)));
  expect(importing.map(parseStore)).toEqual(["redis"]);
});

test.each(ENTRIES)("%s is an entry file: it re-exports, and does nothing else", (file) => {
  const rest = read(file)
    .replace(/\/\*[\s\S]*?\*\//g, "")
    .replace(/\/\/.*$/gm, "")
    .replace(/export\s+(?:type\s+\*|(?:type\s+)?\{[^}]*\})\s+from\s+"[^"]+";/g, "")
    .replace(/export\s+\{\s*\};/g, "")
    .replace(/import\s+(?:type\s+)?"[^"]+";/g, "");
  expect(rest.trim()).toBe("");
});

/** The modules of Node that a file needs at run time, itself or through its imports. */
function collectNodeModules(file: string, seen = new Set<string>()): Set<string> {
  seen.add(file);
  const found = listImports(read(file))
    .filter(({ from, typeOnly }) => !typeOnly && from.startsWith("node:"))
    .map(({ from }) => from);
  const below = relativeImports(file).filter(({ target }) => !seen.has(target));
  return new Set([
    ...found,
    ...below.flatMap(({ target }) => [...collectNodeModules(target, seen)]),
  ]);
}

// The build shortens the names in the suite, and Node makes a message of such a call of its source.
test.each(FILES.filter((file) => findLayer(file) === "testing"))(
  "%s says in words what is not so, where it compares nothing",
  (file) => {
    expect(read(file).match(/\bassert(?:\.ok)?\((?![^;]*,\s*["`][^;]*\);)[^;]*;/g)).toBeNull();
  },
);

test("the page on compatibility names the modules of Node that entries need", () => {
  const page = read("docs/compatibility.md");
  const entries = FILES.filter((file) => /^src\/(?:compat\/)?[a-z-]+\.ts$/.test(file));
  expect(entries).toContain("src/redis.ts");
  // The suite for stores is for tests, which run under Node or what imitates all of it.
  const needed = entries
    .filter((file) => file !== "src/testing.ts")
    .flatMap((file) => [...collectNodeModules(file)]);
  for (const name of new Set(needed)) expect(page).toContain(`\`${name}\``);
});

// Bun, Deno and the servers of the edge have these three; node:http they have not, or not all of it.
test.each(["src/fetch.ts", "src/hono.ts", "src/index.ts"])(
  "%s needs nothing of Node but what other runtimes have",
  (file) => {
    const shared = ["node:crypto", "node:diagnostics_channel", "node:timers"];
    expect([...collectNodeModules(file)].sort()).toEqual(shared);
  },
);

describe("the checks themselves", () => {
  test("see every kind of import", () => {
    const source = `
      import ms from "ms";
      import type { A } from "./a.ts";
      import { type B, b } from "./b.ts";
      import "./c.ts";
      export { d } from "./d.ts";
      export type { E } from "./e.ts";
      export * from "./f.ts";
      import {
        g,
      } from "./g.ts";
      export { i, j as "module.exports" } from "./i.ts";
      const h = await import("./h.ts");
      export type * from "./k.ts";
      // import l from "l";
      /* import m from "m"; */
    `;
    const found = listImports(source).map(({ from, typeOnly }) =>
      typeOnly ? `type ${from}` : from,
    );
    expect(found).toEqual([
      "ms",
      "type ./a.ts",
      "./b.ts",
      "./c.ts",
      "./d.ts",
      "type ./e.ts",
      "./f.ts",
      "./g.ts",
      "./i.ts",
      "type ./k.ts",
      "./h.ts",
    ]);
  });

  test.each([
    ["src/store/contract.ts", "src/sessions/token.ts"],
    ["src/shared/codec.ts", "src/store/contract.ts"],
    ["src/shared/warnings.ts", "src/store/contract.ts"],
    ["src/http/csrf-tokens.ts", "src/adapters/koa.ts"],
    ["src/adapters/koa.ts", "src/index.ts"],
    ["src/store/memory/store.ts", "src/store/redis/layout/keys.ts"],
    ["src/sessions/create-sessions.ts", "src/testing/suite.ts"],
    ["src/sessions/create-sessions.ts", "src/store/redis/layout/keys.ts"],
    ["src/testing/suite.ts", "src/sessions/token.ts"],
    ["src/sessions/session-core.ts", "src/compat/shared/json-record.ts"],
    ["src/compat/shared/json-record.ts", "src/compat/redis-user-sessions.ts"],
    ["src/compat/shared/json-record.ts", "src/compat/redis-user-sessions/user.ts"],
    ["src/compat/spots-sessions/stored.ts", "src/compat/redis-user-sessions/user.ts"],
    ["src/compat/spots-sessions.ts", "src/compat/redis-user-sessions/user.ts"],
  ])("refuse that %s imports %s", (file, target) => {
    expect(findImportFault(file, target)).toBeDefined();
  });

  test.each([
    ["src/koa.ts", "src/adapters/koa.ts"],
    ["src/compat/redis-user-sessions.ts", "src/compat/redis-user-sessions/functions.ts"],
    ["src/compat/redis-user-sessions/functions.ts", "src/store/redis/options.ts"],
    ["src/compat/redis-user-sessions/functions.ts", "src/compat/redis-user-sessions/user.ts"],
    ["src/compat/redis-user-sessions/functions.ts", "src/compat/shared/json-record.ts"],
    ["src/sessions/create-sessions.ts", "src/store/memory/store.ts"],
    ["src/testing/suite.ts", "src/store/contract.ts"],
    ["src/store/redis/store.ts", "src/shared/errors.ts"],
    ["src/sessions/options/config.ts", "src/shared/warnings.ts"],
  ])("allow that %s imports %s", (file, target) => {
    expect(findImportFault(file, target)).toBeUndefined();
  });
});
