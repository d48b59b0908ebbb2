/* Messages never quote a token or a line of a client's, and building one never fails. */
import { inspect } from "node:util";
import fc from "fast-check";
import { createSessions, SessionError } from "session-sets";
import { describe, expect, test } from "vitest";
import { quote } from "../../../src/shared/errors.ts";
import { anyCodePoint, runs } from "../../support/properties.ts";

interface Data {
  user_id?: number;
  team_ids?: (string | number)[];
  theme?: unknown;
  [field: string]: unknown;
}

const sessions = createSessions<Data>({
  references: ["user_id", { team_ids: { identity: false } }],
});

/** Calls that are given what they do not take; each is refused. */
const CALLS: Record<string, (given: never) => unknown> = {
  "create's values": (given) => sessions.create(given),
  "create's options": (given) => sessions.create({}, given),
  "a field of create": (given) => sessions.create({ theme: given }),
  "a reference of create": (given) => sessions.create({ user_id: given }),
  "get's fields": (given) => sessions.get("A".repeat(34), given),
  "a field of get": (given) => sessions.get("A".repeat(34), [given]),
  "set's values": (given) => sessions.set("A".repeat(34), given),
  "unset's fields": (given) => sessions.unset("A".repeat(34), given),
  "a field of unset": (given) => sessions.unset("A".repeat(34), [given]),
  "touch's options": (given) => sessions.touch("A".repeat(34), given),
  "rotate's grace": (given) => sessions.rotate("A".repeat(34), {}, { grace: given }),
  "rotate's options": (given) => sessions.rotate("A".repeat(34), {}, given),
  "signIn's keep": (given) => sessions.signIn(null, { user_id: 1 }, { keep: [given] }),
  "signIn's options": (given) => sessions.signIn(null, { user_id: 1 }, given),
  "by's field": (given) => sessions.by(given, 1),
  "by's value": (given) => sessions.by("user_id", given),
  "list's options": (given) => sessions.by("user_id", 1).list(given),
  "list's after": (given) => sessions.by("user_id", 1).list({ after: given }),
  "clear's except": (given) => sessions.by("user_id", 1).clear({ except: given }),
  "delete's options": (given) => sessions.delete(null, given),
  "createSessions' options": (given) => createSessions(given),
  "createSessions' timeout": (given) => createSessions({ idleTimeout: given }),
  "createSessions' references": (given) => createSessions({ references: given }),
};

async function catchError(call: () => unknown): Promise<unknown> {
  try {
    await call();
    return null;
  } catch (error) {
    return error;
  }
}

function expectClean(error: unknown, token: string): void {
  if (error === null) return;
  expect(error).toBeInstanceOf(SessionError);
  const { message, hint, stack = "" } = error as SessionError;
  for (const text of [message, hint, stack]) expect(text).not.toContain(token);
  expect(inspect(error, { showHidden: true, depth: 9 })).not.toContain(token);
  expect(message + hint).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}]/u);
}

function revoked(target: object): object {
  const { proxy, revoke } = Proxy.revocable(target, {});
  revoke();
  return proxy;
}

function endless(): object {
  return new Proxy({}, { getPrototypeOf: endless });
}

function chained(prototypes: number): object {
  let object: object = Object.prototype;
  for (let i = 0; i < prototypes; i++) object = Object.create(object);
  return object;
}

const TOKEN = `${"aZ09_-".repeat(6)}`.slice(0, 34);

describe.each(Object.entries(CALLS))("%s", (_, call) => {
  test.each<[string, unknown]>([
    ["a token", TOKEN],
    ["a token in a list", [TOKEN]],
    ["a token in a list in a list", [[TOKEN]]],
    ["a token in a record", { [TOKEN]: TOKEN }],
    ["a token after many characters", `${"x ".repeat(29)}${TOKEN}`],
    ["a token behind a line feed", `a\n${TOKEN}`],
    ["a line feed in a list", ["a\nFAKE"]],
    ["a separator of lines", "a\u2028FAKE\u0085"],
    ["an object without a prototype", Object.create(null)],
    ["an object that says nothing of itself", { toString: null, constructor: { name: TOKEN } }],
    ["a symbol", Symbol(TOKEN)],
    ["a function", () => TOKEN],
    ["a bigint", 10n ** 40n],
    ["null", null],
    ["NaN", Number.NaN],
    ["a Proxy that was revoked", revoked({})],
    ["a list that was revoked", revoked([])],
    ["a Proxy of one that was revoked", { [TOKEN]: revoked({}) }],
    [
      "a getter that throws",
      {
        get theme(): string {
          throw new RangeError(TOKEN.slice(0, 9));
        },
      },
    ],
    ["a Proxy that breaks the rules", new Proxy(Object.freeze({ [TOKEN]: 1 }), { get: () => 2 })],
    ["a list without a prototype", Object.setPrototypeOf(["theme"], null)],
    ["the longest list of holes", new Array(2 ** 32 - 1)],
    ["an object whose prototypes have no end", endless()],
    ["a long chain of prototypes", chained(20_000)],
    [
      "a class whose name is no text",
      new (Object.defineProperty(class {}, "name", { value: Symbol(TOKEN) }))(),
    ],
  ])("is refused without a word of it: %s", async (_name, given) => {
    expectClean(await catchError(() => call(given as never)), TOKEN);
  });
});

test("whatever is given, no message has the token in it, or a second line", async () => {
  const token = fc.stringMatching(/^[A-Za-z0-9_-]{34}$/);
  const around = fc.tuple(fc.string({ unit: anyCodePoint }), fc.string({ unit: anyCodePoint }));
  const given = fc.tuple(token, around, fc.nat(4)).map(([secret, [before, after], depth]) => {
    let value: unknown = `${before} ${secret} ${after}`;
    for (let i = 0; i < depth; i++) value = i % 2 === 0 ? [value] : { [String(i)]: value };
    return { secret, value };
  });
  await fc.assert(
    fc.asyncProperty(given, fc.constantFrom(...Object.keys(CALLS)), async (one, name) => {
      expectClean(await catchError(() => CALLS[name]?.(one.value as never)), one.secret);
    }),
    runs(500),
  );
});

test("quote masks before it cuts, and shows of what is no text only its kind", () => {
  expect(quote(`${"x ".repeat(20)}${TOKEN}`)).toBe(JSON.stringify(`${"x ".repeat(20)}…`));
  expect(quote(`${"é".repeat(50)}${TOKEN}`)).not.toContain(TOKEN.slice(0, 8));
  expect([[TOKEN], { a: 1 }, null, undefined, 5, true].map(quote)).toEqual([
    "an array",
    "an object",
    "null",
    "undefined",
    "5",
    "true",
  ]);
  expect([() => 1, Symbol("x"), 5n].map(quote)).toEqual(["a function", "a symbol", "a bigint"]);
});
