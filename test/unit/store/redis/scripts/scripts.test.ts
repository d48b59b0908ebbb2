/* The Lua scripts as they are written, and as they are sent. */
import { describe, expect, test } from "vitest";
import { sources } from "../../../../../generated/scripts.js";
import { buildScripts, linkScripts } from "../../../../../scripts/build-lua.mjs";
import { MAX_REFERENCES } from "../../../../../src/shared/errors.ts";
import { MAX_HOPS, MAX_RENEWALS } from "../../../../../src/store/contract.ts";
import { MAX_LIST_LIMIT } from "../../../../../src/store/listing.ts";
import { filesUnder, read } from "../../../../support/sources.ts";

const SCRIPTS = buildScripts();

test("what is sent is made of the Lua files as they are", () => {
  expect(sources).toEqual(Object.fromEntries(SCRIPTS.map(({ name, text }) => [name, text])));
});

/** Commands that only some scripts send: those of `reindex` and of migrating, none on a request's path. */
const MORE: Readonly<Record<string, readonly string[]>> = {
  scanKeys: ["SCAN", "INFO"],
  reindexSet: ["ZSCAN", "SSCAN"],
};
const FORBIDDEN = [
  "KEYS",
  "SCAN",
  "HSCAN",
  "ZSCAN",
  "SSCAN",
  "CONFIG",
  "FLUSHDB",
  "FLUSHALL",
  "CLIENT",
];

const PARTS = new Map(SCRIPTS.map(({ name, parts }) => [name, parts]));

/** The bounds that scripts share with TypeScript. */
const BOUNDS = { MAX_HOPS, MAX_LIST_LIMIT, MAX_REFERENCES, MAX_RENEWALS };

test("bounds of scripts are those of the contract", () => {
  const all = filesUnder("src/store/redis/scripts", ".lua").map(read).join("\n");
  const found = Array.from(all.matchAll(/^local (MAX_\w+) = (\d+)$/gm), ([, name = "", value]) => [
    name,
    Number(value),
  ]);
  const shared = found.filter(([name]) => String(name) in BOUNDS);
  expect(shared.map(([name]) => name).sort()).toEqual(Object.keys(BOUNDS));
  expect(Object.fromEntries(shared)).toEqual(BOUNDS);
});

describe.each(Object.entries(sources))("%s", (script, source) => {
  const more = MORE[script] ?? [];
  const commands = [...source.matchAll(/redis\.p?call\(([^,)]*)/g)].map(([, name]) => name?.trim());

  test("sends only commands that touch known keys, and none that scans or configures a server", () => {
    // biome-ignore format: a list
    const known = [
      "TIME", "EXISTS", "GET", "SET", "DEL", "RENAME", "PEXPIREAT", "PEXPIRETIME",
      "HGET", "HMGET", "HGETALL", "HKEYS", "HSET", "HDEL",
      "MEMORY", "ZADD", "ZREM", "ZCARD", "ZCOUNT", "ZRANGE", "ZRANGEBYSCORE", "ZRANK", "ZSCORE",
      "SADD", "SREM", "SISMEMBER", "SPUBLISH", ...more,
    ];
    for (const command of commands) {
      if (command === "command") continue; // call_in_batches names it, see below
      expect(known.map((name) => `'${name}'`)).toContain(command);
    }
    expect(source.match(/call_in_batches\('(?!HSET'|HDEL'|ZREM'|SREM')/)).toBeNull();
    for (const name of FORBIDDEN.filter((one) => !more.includes(one))) {
      expect(source).not.toMatch(new RegExp(`\\b${name}'`));
    }
  });

  test("declares computed keys for Dragonfly, has no shebang, and names one key", () => {
    expect(source.startsWith("--!df flags=allow-undeclared-keys\n")).toBe(true);
    expect(source).not.toMatch(/^#!/m);
    expect(source).not.toMatch(/KEYS\[[^1]/);
  });

  test("leaves values as they are: it decodes no JSON", () => {
    expect(source).not.toMatch(/cjson\.(?!encode\()|cmsgpack|loadstring|math\.random/);
  });

  test("has no helper that it does not reach", () => {
    // Each helper stands after those it names, so one that nothing names further down is not reached.
    const parts = PARTS.get(script) ?? [];
    const texts = parts.map((part) =>
      ("lines" in part ? part.lines : [part]).map(({ code }) => code).join("\n"),
    );
    for (const [at, part] of parts.entries()) {
      if (!("lines" in part)) continue;
      const below = texts.slice(at + 1).join("\n");
      expect(below, part.name).toMatch(new RegExp(`(?<![\\w.'])${part.name}\\b`));
    }
  });
});

test("the text of a script of one line is about as small", () => {
  const main = read("src/store/redis/scripts/count.lua").replace(/^--.*\n|^\n/gm, "");
  expect(sources.count.length).toBeLessThan(main.length + 700);
  expect(sources.count).not.toContain("HMGET");
});

/** Of a script: its header, the block that reads its arguments, and the rest. */
function splitScript(file: string): { header: string; top: string; rest: string } {
  const { header, top, rest } =
    /^(?<header>(?:--[^\n]*\n)+)\n(?<top>(?:[^\n]+\n)+)\n(?<rest>.*)$/s.exec(read(file))?.groups ??
    {};
  if (header === undefined || top === undefined || rest === undefined) {
    throw new Error(
      `${file} is not a header, its arguments and the rest, with empty lines between`,
    );
  }
  return { header, top, rest };
}

const ONLY_READS = "not used: '', as in every script that only reads";

describe.each(SCRIPTS.map(({ file, name }) => [file, name] as const))("%s", (file, name) => {
  const { header, top, rest } = splitScript(file);
  const described = [...header.matchAll(/^-- (KEYS|ARGV)\[(.+?)\] +(.+)$/gm)].map(
    ([, what = "", at = "", text = ""]) => ({ at: `${what}[${at}]`, text }),
  );

  test("describes its key, each argument and each answer on a line of its own", () => {
    expect(header).toMatch(/^-- [A-Z].*\n(?:-- .*\n)*--\n-- KEYS\[1\] {3}\S/);
    const fixed = described.filter(({ at }) => /\[\d+\]$/.test(at)).map(({ at }) => at);
    const last = fixed.length; // KEYS[1], then the arguments from 1 on
    expect(fixed).toEqual([
      "KEYS[1]",
      ...Array.from({ length: last - 1 }, (_, i) => `ARGV[${i + 1}]`),
    ]);
    const lists = described.slice(last).map(({ at }) => at);
    expect(lists).toEqual([`ARGV[${last}…]`, "ARGV[…]"].slice(0, lists.length));
    expect(header).toMatch(/\n-- Returns {3}now, '[a-z-]+'.*\n(?:-- {11}.*\n)*$/);
  });

  test("says the unit of each time", () => {
    for (const { text } of described) {
      if (!/timeout|deadline|moment|stays?\b|created/.test(text)) continue;
      if (/^the id to go on after/.test(text)) continue;
      expect(text).toMatch(/\((?:ms|µs)\)/);
    }
  });

  test("reads its arguments at the top, each one that it describes, and nowhere else", () => {
    const local = /^local [\w, ]+ = .*\b(?:KEYS|ARGV|read_list|read_limits|read_changes)\b.*$/;
    for (const line of top.trimEnd().split("\n")) expect(line).toMatch(local);
    const read = /ARGV\[\d+\]|(?:read_(?:list|limits|changes)\(|unpack\(ARGV, )(\w+)\)/g;
    const reads = [...top.matchAll(read)].map(([all, at]) =>
      at === undefined ? all : `ARGV[${at === "next_argument" ? "" : at}…]`,
    );
    const used = described.filter(({ at, text }) => at !== "KEYS[1]" && text !== ONLY_READS);
    expect(reads).toEqual(used.map(({ at }) => at));
    expect(rest).not.toMatch(/\b(?:KEYS|ARGV|read_list|read_limits|read_changes)\b/);
  });

  test("does nothing after the moment that it is given, or only reads and drops what has expired", () => {
    const reads = described.some(({ text }) => text === ONLY_READS);
    const refusal = "if is_late(not_after) then\n  return { now, 'late' }\nend\n";
    expect(rest.startsWith(refusal)).toBe(!reads);
    if (!reads) return;
    const sent = [...sources[name as keyof typeof sources].matchAll(/redis\.p?call\('(\w+)'/g)];
    const writing = ["SET", "DEL", "RENAME", "PEXPIREAT", "HSET", "HDEL", "ZADD", "SADD"];
    for (const [, command] of sent) expect(writing).not.toContain(command);
  });
});

describe("linking", () => {
  const INCLUDES = [
    [
      "includes/a.lua",
      "-- A comment.\n\nlocal unit = 'ms' -- here, too\n\nlocal function to_text(n)\n  return n .. unit\nend\n",
    ],
    [
      "includes/b.lua",
      "local function to_list(n)\n  return { to_text(n) }\nend\n\nlocal function other()\nend\n",
    ],
  ] as const;
  const buildText = (source: string) =>
    linkScripts(
      [
        ["one.lua", source],
        ["rest.lua", "return to_list(other())"],
      ],
      INCLUDES,
    )[0]?.text;

  test("puts the helpers that a script names before it, with those that they name before them", () => {
    expect(buildText("-- What it does.\nreturn to_list(1) -- this\n")).toBe(
      [
        "--!df flags=allow-undeclared-keys",
        "local unit = 'ms'",
        "local function to_text(n)",
        "  return n .. unit",
        "end",
        "local function to_list(n)",
        "  return { to_text(n) }",
        "end",
        "return to_list(1)",
        "",
      ].join("\n"),
    );
  });

  describe("lets a call make only the helpers that it reaches", () => {
    const includes = [
      ["a.lua", "local function a()\nend\nlocal function b()\n  a()\nend\nlocal function c()\nend"],
    ] as const;
    /** The lines of a script, with each helper as its name alone. */
    const link = (...lines: string[]) => {
      const rest = ["rest.lua", "b(c())"] as const;
      const [linked] = linkScripts([["one.lua", lines.join("\n")], rest], includes);
      return linked?.parts.map((part) => ("lines" in part ? part.name : part.code));
    };

    test("each stands right before the first statement that needs it", () => {
      const lines = ["local x = {", "  y,", "}", "f({", "  b,", "})", "return a()"];
      expect(link(...lines)).toEqual([...lines.slice(0, 3), "a", "b", ...lines.slice(3)]);
    });

    test("what one branch needs alone stands in it, also where branches are in branches", () => {
      const before = ["if x then", "  if y then", "    f()", "  else"];
      const after = ["    b()", "  end", "elseif z then", "  c()", "else", "  f()", "end"];
      expect(link(...before, ...after)).toEqual([
        ...before,
        ...["a", "b"],
        ...after.slice(0, 3),
        "c",
        ...after.slice(3),
      ]);
    });

    test("what several branches, a condition or the rest needs stands before them", () => {
      const branches = ["if x then", "  b()", "else", "  a()", "end"];
      expect(link(...branches)).toEqual(["a", "if x then", "b", ...branches.slice(1)]);
      const condition = ["if x then", "  f()", "elseif a() then", "  b()", "end"];
      expect(link(...condition)).toEqual([
        "a",
        ...condition.slice(0, 3),
        "b",
        ...condition.slice(3),
      ]);
      const then = ["if x then", "  b()", "end", "return b"];
      expect(link(...then)).toEqual(["a", "b", ...then]);
    });

    test("no loop and no function makes a helper anew", () => {
      for (const head of ["while x do", "for i = 1, 2 do", "local function f()", "repeat"]) {
        const lines = [
          head,
          "  if x then",
          "    a()",
          "  end",
          head === "repeat" ? "until x" : "end",
        ];
        expect(link(...lines)).toEqual(["a", ...lines]);
      }
      const long = ["if x", "  and y then", "  a()", "end"];
      expect(link(...long)).toEqual(["a", ...long]);
    });
  });

  test("takes no word of a comment or a text, and no field, for a helper", () => {
    const alone = (line: string) => `--!df flags=allow-undeclared-keys\n${line}\n`;
    expect(buildText("return 'unit -- ' .. \"unit\" -- unit")).toBe(
      alone("return 'unit -- ' .. \"unit\""),
    );
    expect(buildText("return one.unit")).toBe(alone("return one.unit"));
    expect(buildText("return 'n'..unit")).toContain("local unit");
  });

  test.each([
    [
      "a name that is defined twice",
      [["c.lua", "local unit = 1"]],
      "c.lua:1: unit is defined in includes/a.lua, too",
    ],
    [
      "a helper that no script uses",
      [["c.lua", "\nlocal third = 1"]],
      "c.lua:2: no script uses third",
    ],
    [
      "an include that does something",
      [["c.lua", "local third = 1\nthird = 2"]],
      "c.lua:2: an include only defines",
    ],
    [
      "an include that defines two names at once",
      [["c.lua", "local third, fourth = 1, 2"]],
      "c.lua:1: an include only defines",
    ],
    [
      "long strings",
      [["c.lua", "local third = [[\nunit]]"]],
      "c.lua:1: the build knows no long strings",
    ],
    ["long comments", [["c.lua", "--[[\n]]"]], "c.lua:1: the build knows no long strings"],
  ] as const)("refuses %s", (_, more, message) => {
    const link = () =>
      linkScripts([["one.lua", "return to_list(other())"]], [...INCLUDES, ...more]);
    expect(link).toThrow(message);
  });

  test("refuses helpers that need each other", () => {
    const includes = [
      ["a.lua", "local function a()\n  b()\nend\nlocal function b()\n  a()\nend"],
    ] as const;
    expect(() => linkScripts([["one.lua", "a()"]], includes)).toThrow("a needs b needs a");
    const itself = [["a.lua", "local function a()\n  a()\nend"]] as const;
    expect(() => linkScripts([["one.lua", "a()"]], itself)).not.toThrow();
  });
});
