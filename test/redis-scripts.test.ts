/* The Lua scripts as they are sent. */
import { describe, expect, test } from "vitest";
import { sources } from "../src/store/redis/scripts.generated.ts";
import { filesUnder, ROOT, read } from "./support/sources.ts";

const all = Object.entries(sources);

test("the generated sources are those of the Lua files: if not, `npm run lua`", async () => {
  const script: string = `${ROOT}scripts/build-lua.mjs`; // by a name that TypeScript does not follow
  const { generate } = (await import(script)) as { generate: () => string };
  expect(read("src/store/redis/scripts.generated.ts")).toBe(generate());
  const files = filesUnder("src/store/redis/scripts", ".lua");
  expect(all.length).toBe(files.length - 1); // lib.lua comes before each
});

/** What scripts send besides: those of `reindex` and of moving old sessions, none on a request's path. */
const MORE: Readonly<Record<string, readonly string[]>> = {
  scanKeys: ["SCAN", "INFO"],
  reindexSession: ["HEXISTS"],
  reindexSet: ["ZSCAN", "SSCAN"],
  walkOld: ["SCAN", "INFO"],
};
const WALKING = [
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

describe.each(all)("%s", (script, source) => {
  const more = MORE[script] ?? [];
  const commands = [...source.matchAll(/redis\.p?call\(([^,)]*)/g)].map(([, name]) => name?.trim());

  test("sends only commands that touch known keys, and none that walks or configures a server", () => {
    // biome-ignore format: a list
    const known = [
      "TIME", "EXISTS", "GET", "SET", "DEL", "RENAME", "PEXPIREAT", "PEXPIRETIME",
      "HGET", "HMGET", "HGETALL", "HKEYS", "HSET", "HDEL",
      "ZADD", "ZREM", "ZCARD", "ZCOUNT", "ZRANGE", "ZRANGEBYSCORE", "ZRANK", "ZSCORE",
      "SADD", "SREM", "SISMEMBER", ...more,
    ];
    for (const command of commands) {
      if (command === "command") continue; // in_parts names it, see below
      expect(known.map((name) => `'${name}'`)).toContain(command);
    }
    expect(source.match(/in_parts\('(?!HSET'|HDEL')/)).toBeNull();
    for (const name of WALKING.filter((one) => !more.includes(one))) {
      expect(source).not.toMatch(new RegExp(`\\b${name}'`));
    }
  });

  test("declares computed keys for Dragonfly, has no shebang, and names one key", () => {
    expect(source.startsWith("--!df flags=allow-undeclared-keys\n")).toBe(true);
    expect(source).not.toMatch(/^#!/m);
    expect(source).not.toMatch(/KEYS\[[^1]/);
  });

  test("leaves values as they are: it decodes no JSON", () => {
    expect(source).not.toMatch(/cjson|cmsgpack|loadstring|math\.random/);
  });
});

test("each Lua file says what its keys, arguments and answers are", () => {
  for (const file of filesUnder("src/store/redis/scripts", ".lua")) {
    if (file.endsWith("/lib.lua")) continue;
    const head = /^(--.*\n)+/.exec(read(file))?.[0] ?? "";
    for (const word of ["KEYS[1]", "ARGV", "Returns"]) {
      expect(head, file).toContain(word);
    }
  }
});
