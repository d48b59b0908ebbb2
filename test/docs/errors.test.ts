/* docs/errors.md has a heading for each code, with its status, its sentences and its details. */
import { SessionError, type SessionErrorCode } from "session-sets";
import { expect, test } from "vitest";
import { anchors } from "../support/docs/links.ts";
import { findSection, listHeadings } from "../support/docs/pages.ts";
import { filesUnder, read } from "../support/sources.ts";

const PAGE = read("docs/errors.md");
const HINT = "a hint";

/** Each code once: the compiler compares it with the type. */
const CODES = Object.keys({
  ERR_SESSION_CONFIG: true,
  ERR_SESSION_VALUE: true,
  ERR_SESSION_TOO_LARGE: true,
  ERR_SESSION_GONE: true,
  ERR_SESSION_LIMIT: true,
  ERR_STORE_UNAVAILABLE: true,
  ERR_STORE_FULL: true,
  ERR_REPLICAS: true,
  ERR_COOKIE: true,
  ERR_CSRF: true,
} satisfies Record<SessionErrorCode, true>) as SessionErrorCode[];

test("each code has a heading, and there are no others", () => {
  expect(listHeadings(PAGE).filter((heading) => heading.startsWith("ERR_"))).toEqual(CODES);
});

test.each(CODES)("%s has its status, and the sentence for the visitor", (code) => {
  const { status, message } = new SessionError(code as "ERR_SESSION_GONE", HINT);
  const section = findSection(PAGE, code).replace(/\s+/g, " ");
  expect(section).toContain(`Status ${status}.`);
  if (message === HINT) expect(section).not.toContain("The visitor reads");
  else expect(section).toContain(`"${message}"`);
});

test.each(CODES)("%s has when it comes, what to do, and its details", (code) => {
  const section = findSection(PAGE, code);
  for (const part of ["When", "What to do", "It has besides"]) {
    expect(section).toContain(`- **${part}:**`);
  }
  const [, members = ""] =
    new RegExp(`^  ${code}: \\{\n([\\s\\S]*?)^  \\};`, "m").exec(read("src/shared/errors.ts")) ??
    [];
  const names = Array.from(members.matchAll(/^ {4}readonly (\w+)/gm), ([, name = ""]) => name);
  expect(names).not.toEqual([]);
  const [, besides = ""] = section.split("- **It has besides:**");
  for (const name of names) expect(besides).toContain(`\`${name}\``);
});

test("the hints that the page quotes are hints of the sources", () => {
  const sources = filesUnder("src", ".ts").map(read).join("\n");
  const quoted = PAGE.replace(/\s+/g, " ").matchAll(/\*\*"(.+?)"\*\*/g);
  const hints = Array.from(quoted, ([, hint = ""]) => hint);
  expect(hints.length).toBeGreaterThan(20);
  expect(hints.filter((hint) => !sources.includes(hint))).toEqual([]);
});

test.each(CODES)("%s has its code in its first line, and leads to its heading", (code) => {
  const { stack = "" } = new SessionError(code as "ERR_SESSION_GONE", HINT);
  expect(stack).toMatch(new RegExp(`^SessionError \\[${code}\\]: `));
  const [, path = "", anchor = ""] = /\n {2}docs: session-sets\/(\S+)#(\S+)\n/.exec(stack) ?? [];
  expect(JSON.parse(read("package.json")).files).toContain(path); // so it is where the package is
  expect(anchors(read(path))).toContain(anchor);
  const [, heading = ""] = read(path).split(new RegExp(`^### (?=${code}$)`, "m"));
  expect([anchor, heading.split("\n")[0]]).toEqual([code.toLowerCase(), code]);
  expect(PAGE).toContain("`SessionError [ERR_…]`");
});
