/* docs/errors.md has a heading for each code, with its status and the sentence for the visitor. */
import { SessionError, type SessionErrorCode } from "session-sets";
import { expect, test } from "vitest";
import { findSection, listHeadings } from "../support/docs/pages.ts";
import { read } from "../support/sources.ts";

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
