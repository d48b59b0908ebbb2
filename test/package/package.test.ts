/* The package as users get it: packed, installed with npm, and used from each kind of program. */
import { readdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path/posix";
import { storeContract } from "session-sets/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  addPackages,
  type Compiler,
  compileIn,
  openPacked,
  type Packed,
  readOutput,
} from "../support/programs/consumer.ts";
import { filesUnder, listImports, ROOT, read } from "../support/sources.ts";

const { exports: EXPORTS, dependencies: DEPENDENCIES } = JSON.parse(read("package.json"));
const ENTRIES = Object.keys(EXPORTS)
  .filter((name) => name !== "./package.json")
  .map((name) => `session-sets${name.slice(1)}`);
/** The file that declares what each entry exports. */
const DECLARATIONS = Object.values<{ types?: string }>(EXPORTS).flatMap(
  ({ types }) => types?.slice(2) ?? [],
);
const SPOTS = "session-sets/compat/spots-sessions";
const WHAT_IT_LOADS = read("docs/compatibility.md");

let packed: Packed;
/** A project with the package and what npm installs with it, and nothing else. */
let bare = "";
/** A project with ioredis, the frameworks and the types of all of them and of Node, too. */
let full = "";
/** One with the types of Node and nothing else. */
let withTypesOfNode = "";
/** The modules that each entry loads, as URLs. */
let loaded: Record<string, string[]> = {};

const OLDEST = "typescript 5.8";
const TYPES = ["express", "express-session", "koa", "node"].map((name) => `@types/${name}`);
const PEERS = ["express", "express-session", "fastify", "hono", "ioredis", "koa", "redis"];

beforeAll(async () => {
  packed = openPacked();
  bare = packed.project();
  full = packed.project();
  addPackages(full, [...PEERS, ...TYPES]);
  withTypesOfNode = packed.project();
  addPackages(withTypesOfNode, ["@types/node"]);
  loaded = (await readOutput(full, "entries.mjs", ...ENTRIES)) as typeof loaded;
});

afterAll(() => packed?.remove());

describe("the exports", () => {
  const entries = Object.entries(EXPORTS).filter(([name]) => name !== "./package.json");

  test("are the files at the top of src/ and of src/compat/, one each", () => {
    const sources = ["", "compat/"]
      .flatMap((folder) => readdirSync(`${ROOT}src/${folder}`).map((name) => folder + name))
      .filter((name) => name.endsWith(".ts"))
      .map((name) => (name === "index.ts" ? "." : `./${name.replace(/\.ts$/, "")}`));
    expect(entries.map(([name]) => name).sort()).toEqual(sources.sort());
  });

  test.each(entries)("%s has types first, and both files are in the tarball", (name, files) => {
    const file = name === "." ? "./dist/index" : `./dist/${name.slice(2)}`;
    expect(JSON.stringify(files)).toBe(
      JSON.stringify({ types: `${file}.d.ts`, default: `${file}.js` }),
    );
    for (const path of Object.values(files as object)) {
      expect(packed.files).toContain(path.slice(2));
    }
  });
});

describe("the tarball", () => {
  test("has the build and what a user reads, and nothing else", () => {
    const others = packed.files.filter((path) => !/^dist\/.+\.(?:js|d\.ts)$/.test(path));
    const pages = ["CHANGELOG.md", "LICENSE", "README.md", "SECURITY.md", "docs/errors.md"];
    const scripts = ["generated/scripts.d.ts", "generated/scripts.js"];
    expect(others.sort()).toEqual([...pages, ...scripts, "package.json"].sort());
  });

  test("has the modules that the entries load, and no other", () => {
    const own = Object.values(loaded)
      .flat()
      .flatMap((module) => ownPath(module) ?? []);
    const built = packed.files.filter((path) => path.endsWith(".js"));
    expect(built.sort()).toEqual([...new Set(own)].sort());
  });

  test("has the declarations that those of the entries lead to, and no other", () => {
    const declared = new Set(DECLARATIONS.flatMap((file) => [file, ...collectDeclarations(file)]));
    const own = [...declared].filter((path) => path.endsWith(".d.ts"));
    const built = packed.files.filter((path) => path.endsWith(".d.ts"));
    expect(built.sort()).toEqual(own.sort());
  });

  test("has comments in its declarations, where editors read them, and not in its JavaScript", () => {
    const text = (ending: string) => filesUnder("dist", ending).map(read).join("\n");
    const code = text(".js");
    expect(docstringsIn(code)).toEqual([]);
    expect(docstringsIn(text(".d.ts"))).toContain("/** The session cookie. */");
    const comments = filesUnder("src", ".ts").flatMap(
      (path) => read(path).match(/^ *\/\/ .+$/gm) ?? [],
    );
    expect(comments.length).toBeGreaterThan(100);
    const kept = comments.map((line) => line.trim()).filter((line) => code.includes(line));
    expect(kept).toEqual([]);
  });

  test("takes less than the sources do, and little of it for the contract suite", () => {
    const written = (folder: string) =>
      sum(filesUnder(folder, ".ts").map((path) => readSize(path)));
    const shipped = (pattern: RegExp) =>
      sum([...packed.bytes].flatMap(([path, bytes]) => (pattern.test(path) ? bytes : [])));
    const suite = written("src/testing");
    expect(shipped(/^dist\/testing\/.+\.js$/)).toBeLessThan(0.6 * suite);
    expect(shipped(/^dist\/(?!testing\/).+\.js$/)).toBeLessThan(0.55 * (written("src") - suite));
    expect(shipped(/\.d\.ts$/)).toBeLessThan(0.3 * written("src"));
    expect(shipped(/^dist\/testing/)).toBeLessThan(shipped(/^dist\//) / 5);
  });

  test("installs its few dependencies and nothing else", () => {
    const installed = readdirSync(`${bare}/node_modules`).filter((name) => !name.startsWith("."));
    expect(installed.sort()).toEqual(["session-sets", ...Object.keys(DEPENDENCIES)].sort());
  });

  test("declares its types without a package that users may not have", () => {
    // The one whose users have ioredis: its API opens a client.
    const spots = "dist/compat/spots-sessions/spots-sessions.d.ts";
    const foreign = (paths: readonly string[]) =>
      paths
        .flatMap((path) => listImports(read(path)))
        .map(({ from }) => from)
        .filter((from) => !/^(?:\.|node:)/.test(from));
    expect(foreign(filesUnder("dist", ".d.ts").filter((path) => path !== spots))).toEqual([]);
    expect(foreign([spots])).toEqual(["ioredis"]);
  });
});

describe("a program that uses the package", () => {
  const small = {
    size: 1,
    error: true,
    types: ["function", "function", "function"],
    contract: true,
  };
  const whole = { memory: [2, 0], redis: [2, 0], koa: '200 {"theme":"dark"} 1', contract: true };

  test("in JavaScript, as an ES module, without Koa and ioredis", async () => {
    const adapters = Array(5).fill("function");
    expect(await readOutput(bare, "esm.mjs")).toEqual({ ...small, adapters });
  });

  test("in JavaScript, as a CommonJS module, without Koa and ioredis", async () => {
    expect(await readOutput(bare, "commonjs.cjs")).toEqual(small);
  });

  test.each(["nodenext", "bundler"])(
    "in TypeScript under %s, without any other package's types",
    async (moduleResolution) => {
      const module = moduleResolution === "bundler" ? "esnext" : moduleResolution;
      const options = {
        module,
        moduleResolution,
        declaration: true,
        outDir: `core-${module}`,
        types: [],
        lib: ["es2023"],
        exactOptionalPropertyTypes: true,
      };
      expect(await compileIn(bare, ["core.ts"], options)).toBe("");
    },
  );

  test("in TypeScript under nodenext, as an ES module", async () => {
    const options = { module: "nodenext", outDir: "nodenext", types: ["node"] };
    expect(await compileIn(full, ["esm.ts"], options)).toBe("");
    expect(await readOutput(full, "nodenext/esm.js")).toEqual(whole);
  });

  test("in TypeScript, with the sessions typed as each framework's users do it", async () => {
    // The frameworks' own declarations aren't this package's to fix.
    const options = {
      module: "nodenext",
      outDir: "frameworks",
      types: ["node"],
      skipLibCheck: true,
    };
    expect(await compileIn(full, ["frameworks.ts"], options)).toBe("");
    const theme = { theme: "dark" };
    expect(await readOutput(full, "frameworks/frameworks.js")).toEqual({
      express: theme,
      fastify: theme,
      hono: theme,
      fetch: theme,
      node: ["function", "function"],
    });
  });

  test("in TypeScript under nodenext, as a CommonJS module", async () => {
    const options = {
      module: "nodenext",
      verbatimModuleSyntax: true,
      outDir: "commonjs",
      types: ["node"],
    };
    expect(await compileIn(full, ["commonjs.cts"], options)).toBe("");
    expect(await readOutput(full, "commonjs/commonjs.cjs")).toEqual(small);
  });

  test("in TypeScript under bundler", async () => {
    const options = {
      module: "esnext",
      moduleResolution: "bundler",
      outDir: "bundler",
      types: ["node"],
    };
    expect(await compileIn(full, ["esm.ts"], options)).toBe("");
    expect(await readOutput(full, "bundler/esm.js")).toEqual(whole);
  });
});

describe("a program that comes from a predecessor", () => {
  const whole = {
    koa: ["id"],
    users: 1,
    spots: { ownerId: "1", data: { a: 1 } },
    same: true,
  };
  const options = { module: "nodenext", skipLibCheck: true, types: ["node"] };

  test("in JavaScript, as a CommonJS module", async () => {
    expect(await readOutput(full, "compat.cjs")).toEqual(whole);
  });

  test("in TypeScript, as an ES module", async () => {
    expect(await compileIn(full, ["compat.ts"], { ...options, outDir: "compat" })).toBe("");
    expect(await readOutput(full, "compat/compat.js")).toEqual(whole);
  });

  test("in TypeScript, as a CommonJS module", async () => {
    const commonJs = { ...options, verbatimModuleSyntax: true, outDir: "compat" };
    expect(await compileIn(full, ["compat-commonjs.cts"], commonJs)).toBe("");
    expect(await readOutput(full, "compat/compat-commonjs.cjs")).toEqual(whole);
  });
});

describe("a program that tests a store of its own", () => {
  interface Outcome {
    readonly names: readonly string[];
    readonly right: readonly object[];
    readonly wrong: readonly { name: string; error: string; message: string }[];
  }

  test("gets every test of the contract, and errors that say what is wrong", async () => {
    const { names, right, wrong } = (await readOutput(bare, "contract.mjs")) as Outcome;
    expect(names).toEqual(storeContract.map(({ name }) => name));
    expect(right).toEqual([]);
    const [first] = wrong.filter(({ name }) => name.startsWith("end ends one session"));
    expect(first?.error).toBe("AssertionError");
    expect(first?.message).toMatch(/^count of user_id = 1\b/);
    // Such a message is made of the source of a call that has none of its own.
    const made = wrong.filter(({ message }) => message.includes("evaluated to a falsy value"));
    expect(made).toEqual([]);
  });
});

describe("a program that gives express-session its store", () => {
  test("in JavaScript, as a CommonJS module, without express-session", async () => {
    const output = { before: 2, ended: 2, after: null };
    expect(await readOutput(bare, "express-session.cjs")).toEqual(output);
  });

  test("in TypeScript, with the types of express-session", async () => {
    const options = {
      module: "nodenext",
      outDir: "express-session",
      types: ["node"],
      skipLibCheck: true,
    };
    expect(await compileIn(full, ["express-session.ts"], options)).toBe("");
    const output = { first: 24, mistake: 0, users: [{ id: 1 }], ended: 1 };
    expect(await readOutput(full, "express-session/express-session.js")).toEqual(output);
  });
});

describe("an entry", () => {
  test("loads no package but what the page on compatibility says, and its own part", () => {
    const entriesThatLoad = (pattern: RegExp) =>
      ENTRIES.filter((entry) => loaded[entry]?.some((module) => pattern.test(module)));
    const packages = new Set(
      Object.entries(loaded)
        .filter(([entry]) => entry !== SPOTS)
        .flatMap(([, modules]) => modules)
        .filter((module) => !module.startsWith("node:"))
        .map((module) => /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(module)?.[1]),
    );
    expect([...packages].sort()).toEqual(["session-sets", ...Object.keys(DEPENDENCIES)].sort());
    expect(entriesThatLoad(/\/node_modules\/ioredis\//)).toEqual([SPOTS]);

    const parts = ENTRIES.map((entry) => {
      const own = loaded[entry]?.map((module) => ownPath(module)?.replace(/^dist\//, "") ?? "");
      const named = /^(?:adapters\/(?:koa|express|fastify|hono|node|fetch)\.js|store\/redis\/)/;
      return [entry, new Set(own?.flatMap((path) => named.exec(path)?.[0] ?? []))];
    });
    const redis = new Set(["store/redis/"]);
    const adapter = (name: string) => [`session-sets/${name}`, new Set([`adapters/${name}.js`])];
    expect(Object.fromEntries(parts)).toEqual({
      ...Object.fromEntries(ENTRIES.map((entry) => [entry, new Set()])),
      ...Object.fromEntries(["koa", "express", "fastify", "hono", "node", "fetch"].map(adapter)),
      ...Object.fromEntries(
        ENTRIES.filter((entry) => entry.includes("/compat/")).map((entry) => [entry, redis]),
      ),
      "session-sets/redis": redis,
      "session-sets/compat/express-session": redis,
    });
  });

  test("loads nothing of a compat entry but itself, and what is shared", () => {
    const compat = ENTRIES.map((entry) => {
      const paths = loaded[entry]?.flatMap((module) => ownPath(module) ?? []) ?? [];
      const parts = paths.map((path) => /^dist\/compat\/([a-z-]+)/.exec(path)?.[1]);
      return [entry, [...new Set(parts)].filter((part) => part !== undefined && part !== "shared")];
    });
    const own = (entry: string) => /\/compat\/(.+)/.exec(entry)?.slice(1) ?? [];
    expect(compat).toEqual(ENTRIES.map((entry) => [entry, own(entry)]));
  });

  test("is imported without any other package, but for the one that opens a client", async () => {
    const others = ENTRIES.filter((entry) => entry !== SPOTS);
    const imported = (await readOutput(bare, "entries.mjs", ...others)) as object;
    expect(Object.keys(imported)).toEqual(others);
    await expect(readOutput(bare, "entries.mjs", SPOTS)).rejects.toThrow(
      /Cannot find package 'ioredis'/,
    );
  });

  /** The entries whose types use those of Node, as the page on compatibility names them. */
  const withNode = /The types of ([^.]+) use\s+those of Node/.exec(WHAT_IT_LOADS)?.[1] ?? "";
  const without = ENTRIES.filter((entry) => entry !== SPOTS && !withNode.includes(`\`${entry}\``));

  test("has types that use those of Node where that page says so, and nowhere else", () => {
    const using = ENTRIES.filter((entry) => {
      const file = entry.replace(/^session-sets/, "dist").replace(/^dist$/, "dist/index");
      return [...collectDeclarations(`${file}.d.ts`)].some((from) => from.startsWith("node:"));
    });
    expect(using).toEqual(ENTRIES.filter((entry) => entry !== SPOTS && !without.includes(entry)));
  });

  test("has types that resolve without those of any other package", async () => {
    expect(await checkTypes(bare, without, [], "typescript")).toBe("");
    const others = ENTRIES.filter((entry) => entry !== SPOTS);
    for (const compiler of [OLDEST, "typescript"] as const) {
      expect(await checkTypes(withTypesOfNode, others, ["node"], compiler)).toBe("");
    }
  });

  test("has types that resolve beside those of all optional peers", async () => {
    const said = await checkTypes(full, ENTRIES, ["node"], "typescript");
    // The frameworks' own declarations are not this package's to fix.
    const own = said.split("\n").filter((line) => /session-sets|entries\.ts/.test(line));
    expect(own).toEqual([]);
  });
});

/** The path of one of the package's own modules in the package, such as `dist/koa.js`. */
function ownPath(module: string): string | undefined {
  return /\/node_modules\/session-sets\/(.+)/.exec(module)?.[1];
}

function docstringsIn(text: string): string[] {
  return text.match(/\/\*\*[\s\S]*?\*\//g) ?? [];
}

function readSize(path: string): number {
  return Buffer.byteLength(read(path));
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0);
}

/** All that a declaration file imports, itself and by what it imports. */
function collectDeclarations(file: string, seen = new Set<string>()): Set<string> {
  for (const { from } of listImports(read(file))) {
    const path = from.startsWith(".")
      ? join(dirname(file), from.replace(/\.[jt]s$/, ".d.ts"))
      : from;
    if (seen.has(path)) continue;
    seen.add(path);
    if (path.endsWith(".d.ts")) collectDeclarations(path, seen);
  }
  return seen;
}

/** The compiler's complaints about a program that imports these entries. */
function checkTypes(
  path: string,
  entries: readonly string[],
  types: readonly string[],
  compiler: Compiler,
): Promise<string> {
  const lines = entries.map((entry, i) => `export * as entry${i} from "${entry}";\n`);
  writeFileSync(`${path}/entries.ts`, lines.join(""));
  const options = {
    module: "nodenext",
    noEmit: true,
    lib: ["es2023"],
    types,
    exactOptionalPropertyTypes: true,
  };
  return compileIn(path, ["entries.ts"], options, compiler);
}
