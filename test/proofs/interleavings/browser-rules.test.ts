/* The rules bite: an outcome in which one of them is broken is refused, and one that is right is not. */
import { describe, expect, test } from "vitest";
import { KINDS, type Kind } from "./browser.ts";
import { BrowserRules } from "./browser-rules.ts";
import type { Outcome } from "./orders.ts";

type Fields = Readonly<Record<string, string>>;

const NAMES = KINDS.map(({ name }) => name);
type Name = (typeof NAMES)[number];

const T = { n: "T", user_id: "1", team: "1", cart: "tea" };
const GONE = { threw: "ERR_SESSION_GONE" };

/** Whether the rules refuse the outcome of two requests with `t3`. */
function refusal(
  names: readonly Name[],
  answers: readonly unknown[],
  sessions: Readonly<Record<string, Fields>>,
  tokens: Readonly<Record<string, string>>,
): string {
  const kinds = names.map((name) => KINDS.find((kind) => kind.name === name) as Kind);
  const outcome: Outcome = {
    answers: answers.map((answer) => [answer]),
    state: { sessions: Object.entries(sessions), tokens: Object.entries(tokens) },
  };
  try {
    new BrowserRules(kinds, { from: "t3", carried: "cookie" }).check(outcome);
    return "";
  } catch (error) {
    return (error as Error).message;
  }
}

const dead = { t0: "superseded", t1: "superseded", t2: "superseded", t3: "superseded" };
const signedIn = { n: "new by 0", user_id: "2" };

describe("after a sign-out and a write back", () => {
  const both = ["sign out", "write back"] as const;

  test("the session is gone", () => {
    expect(refusal(both, [true, GONE], {}, dead)).toBe("");
    expect(refusal(both, [true, undefined], { T }, dead)).toContain("it lives");
    expect(refusal(both, [true, GONE], {}, { ...dead, t3: "T" })).toContain("t3 leads on");
  });

  test("one of nobody has the theme alone", () => {
    expect(refusal(both, [true, undefined], { new: { theme: "by 1" } }, dead)).toBe("");
    const back = { theme: "by 1", cart: "tea" };
    expect(refusal(both, [true, undefined], { new: back }, dead)).toContain("new has");
    const user = { theme: "by 1", user_id: "1" };
    expect(refusal(both, [true, undefined], { new: user }, dead)).toContain("new has");
  });
});

describe("after a sign-in as another user", () => {
  const both = ["sign in as another user", "sign out everywhere"] as const;
  const tokens = { ...dead, "by 0": "new by 0" };

  test("it has what it was given, and lives", () => {
    expect(refusal(both, [{}, 2], { "new by 0": signedIn }, tokens)).toBe("");
    expect(refusal(both, [{}, 2], {}, { ...tokens, "by 0": "gone" })).toContain("0 is signed in");
    const carts = { ...signedIn, cart: "tea" };
    expect(refusal(both, [{}, 2], { "new by 0": carts }, tokens)).toContain("new by 0 has");
    const themes = { ...signedIn, theme: "by 1" };
    expect(refusal(both, [{}, 2], { "new by 0": themes }, tokens)).toContain("new by 0 has");
  });

  test("the first one's session has nothing of it", () => {
    const moved = { ...T, user_id: "2" };
    expect(refusal(both, [{}, GONE], { "new by 0": signedIn, T: moved }, tokens)).toContain(
      "T has",
    );
  });
});

describe("after a change of password", () => {
  const both = ["change of password", "write"] as const;

  test("no old token leads on, and no other session of the user lives", () => {
    expect(refusal(both, [2, GONE], { T }, dead)).toBe("");
    expect(refusal(both, [2, undefined], { T }, { ...dead, t1: "T" })).toContain("t1 leads on");
    expect(refusal(both, [2, GONE], { T, P: { ...T, n: "P" } }, dead)).toContain("P lives");
  });
});
