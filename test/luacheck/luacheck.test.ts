/*
 * luacheck has nothing to say of the Lua in this project (.luacheckrc): of the scripts as they are
 * sent, so that a name that no helper has is found, and so is a helper that is not used; and of the
 * form of all files. It is installed where it is missing.
 */
import { spawnSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import { buildScripts, type LinkedScript, linkScripts } from "../../scripts/build-lua.mjs";
import { filesUnder, ROOT } from "../support/sources.ts";
import { provideLuacheck } from "./program.ts";

const luacheck = provideLuacheck();

/** The complaints of luacheck, each as file, line and text. */
function listWarnings(
  args: readonly string[],
  input = "",
): [file: string, line: number, text: string][] {
  const plain = ["--codes", "--no-color", "--no-cache", "--formatter", "plain"];
  const { status, stdout, stderr, error } = spawnSync(luacheck, [...plain, ...args], {
    cwd: ROOT,
    encoding: "utf8",
    input,
  });
  const warnings = [...stdout.matchAll(/^(.+?):(\d+):\d+: (.*)$/gm)].map(
    ([, file = "", line, text = ""]): [string, number, string] => [file, Number(line), text],
  );
  // 0: nothing, 1: warnings, 2: what is no Lua; above that it could not check at all.
  if (error || status === null || status > 2 || (status > 0 && warnings.length === 0)) {
    throw new Error(`luacheck failed: ${error?.message ?? stderr + stdout}`);
  }
  return warnings;
}

/**
 * The complaints of luacheck about a script as it is sent, with places in the files it is made of. A helper
 * may have names that the script has, too, and stands among its lines: so it is checked once more with all
 * helpers first, where none of them sees a name of the script's.
 */
function listLinkedWarnings({ file, text, origins, parts }: LinkedScript): string[] {
  const filename = file.replace(/^.*\//, "generated/");
  const list = (lua: string, from: LinkedScript["origins"], ...options: string[]) =>
    listWarnings(["-", "--filename", filename, ...options], lua).map(([, line, warning]) => {
      const origin = from[line - 1];
      return `${origin?.file ?? file}:${origin?.line ?? 1}: ${warning}`;
    });
  const lines = [
    ...parts.flatMap((part) => ("lines" in part ? part.lines : [])),
    ...parts.flatMap((part) => ("lines" in part ? [] : [part])),
  ];
  const joined = lines.map(({ code }) => `${code}\n`).join("");
  return [...new Set([...list(text, origins, "--ignore", "431"), ...list(joined, lines)])];
}

describe("luacheck finds nothing in", () => {
  test.each(buildScripts().map((script) => [script.file, script] as const))(
    "%s with its helpers",
    (_, script) => {
      expect(listLinkedWarnings(script)).toEqual([]);
    },
  );

  test.each(["src", "test"].flatMap((folder) => filesUnder(folder, ".lua")))("%s", (file) => {
    const warnings = listWarnings([file]).map(([, line, text]) => `${file}:${line}: ${text}`);
    expect(warnings).toEqual([]);
  });
});

describe("luacheck finds", () => {
  /** The warnings of a script with these includes. */
  const found = (source: string, includes: readonly string[] = []) =>
    linkScripts(
      [["a.lua", source]],
      includes.map((text, i) => [`includes/${i}.lua`, text] as const),
    ).flatMap(listLinkedWarnings);

  test("a name that no helper has, where it stands", () => {
    expect(found("-- A comment.\n\nreturn to_text(KEYS[1])")).toEqual([
      "a.lua:3: (W113) accessing undefined variable 'to_text'",
    ]);
  });

  test("a helper that is in a script only because one of its own names is the same", () => {
    const helper = "-- A comment.\nlocal function page()\n  return 1\nend";
    expect(found("local page = ARGV[1]\nreturn page", [helper])).toEqual([
      "includes/0.lua:2: (W211) unused function 'page'",
      "a.lua:1: (W411) variable 'page' was previously defined on line 2", // after the line of flags
      "a.lua:1: (W411) variable 'page' was previously defined on line 1", // with the helpers first
    ]);
  });

  test("a decoder of values, which no script may use", () => {
    expect(found("return cjson.decode(ARGV[1])")).toEqual([
      "a.lua:1: (W143) accessing undefined field 'decode' of global 'cjson'",
    ]);
  });

  test("a global that is set, and what is no Lua", () => {
    expect(found("total = 1\nreturn total")).toContain(
      "a.lua:1: (W111) setting non-standard global variable 'total'",
    );
    expect(found("return return")).toEqual([expect.stringMatching(/^a\.lua:1: \(E011\) /)]);
  });
});
