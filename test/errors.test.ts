/* Errors have two readers: a visitor, who sees the message, and a developer, who sees the hint. */
import { inspect } from "node:util";
import { createSessions, SessionError, type SessionErrorCode } from "session-sets";
import { memoryStore } from "session-sets/memory";
import { describe, expect, test } from "vitest";

const HINT = 'The field "cart" would have $& and $1 bytes; keep it elsewhere';

const forVisitors: [SessionErrorCode, status: number, message: string][] = [
  ["ERR_SESSION_GONE", 409, "Your session has ended. Please sign in again."],
  ["ERR_SESSION_TOO_LARGE", 413, "This could not be saved: there is too much in your session."],
  ["ERR_CSRF", 403, "This request came from another site and was refused."],
];

const forDevelopers: [SessionErrorCode, status: number][] = [
  ["ERR_SESSION_CONFIG", 500],
  ["ERR_SESSION_VALUE", 500],
  ["ERR_STORE_UNAVAILABLE", 503],
  ["ERR_STORE_FULL", 503],
  ["ERR_REPLICAS", 503],
  ["ERR_COOKIE", 500],
];

/** What a framework or an application makes of an error to send it. */
function sendable(error: SessionError): string[] {
  return [
    error.message,
    String(error),
    JSON.stringify(error),
    JSON.stringify({ ...error, message: error.message }),
    JSON.stringify(Object.entries(error)),
  ];
}

describe.each(forVisitors)("%s, which may be shown,", (code, status, message) => {
  test("has a sentence for the visitor, and the developer's apart from it", () => {
    const error = new SessionError(code, HINT);
    expect(error).toMatchObject({ name: "SessionError", code, status, message, expose: true });
    expect(error.hint).toBe(HINT);
    expect(Object.keys(error)).not.toContain("hint");
    for (const text of sendable(error)) expect(text).not.toContain("cart");
  });

  test("tells the developer in its stack, and where it is printed", () => {
    const error = new SessionError(code, HINT);
    const lines = String(error.stack).split("\n");
    expect(lines[0]).toContain(message);
    expect(lines[1]).toBe(`  hint: ${HINT}`);
    expect(lines[2]).toMatch(/^ {4}at .*errors\.test/);
    expect(inspect(error)).toContain(`SessionError: ${message}\n  hint: ${HINT}\n`);
    const logged = inspect({ request: { error } }, { depth: 5 });
    expect(logged.split(HINT)).toHaveLength(2);
  });

  test("is answered with the visitor's sentence where a framework asks for a response", async () => {
    const error = new SessionError(code, HINT) as SessionError & { getResponse(): Response };
    const response = error.getResponse();
    expect([response.status, await response.text()]).toEqual([status, message]);
  });
});

describe.each(forDevelopers)("%s, which may not be shown,", (code, status) => {
  test("has one sentence for the developer, and nothing that is made of it to be sent", async () => {
    const error = new SessionError(code, HINT);
    expect(error).toMatchObject({ code, status, message: HINT, hint: HINT, expose: false });
    expect(Object.keys(error)).not.toContain("hint");
    expect(JSON.stringify(error)).not.toContain("cart");
    expect(String(error.stack).split(HINT)).toHaveLength(2);
    expect(inspect(error).split(HINT)).toHaveLength(2);
    const { getResponse } = error as { getResponse?: () => Response };
    const response = getResponse?.();
    expect(status === 500 ? "" : await response?.text()).toBe("");
  });
});

const codes = [...forVisitors, ...forDevelopers].map(([code]) => code);

describe.each(codes)("%s", (code) => {
  test("keeps its cause, in what is printed and not in what is sent", () => {
    const cause = new Error("the server is down");
    const error = new SessionError(code, HINT, { cause });
    expect(error.cause).toBe(cause);
    expect(inspect(error)).toContain("the server is down");
    for (const text of sendable(error)) expect(text).not.toContain("server");
    expect("cause" in new SessionError(code, HINT)).toBe(false);
  });

  test("is an Error like any other, also where stacks are cut off or are no text", () => {
    expect(new SessionError(code, HINT)).toBeInstanceOf(Error);
    const { stackTraceLimit, prepareStackTrace } = Error;
    try {
      Error.stackTraceLimit = 0;
      expect(new SessionError(code, HINT).stack).toContain(HINT);
      Error.prepareStackTrace = (_error, sites) => sites;
      expect(new SessionError(code, HINT).hint).toBe(HINT);
    } finally {
      Object.assign(Error, { stackTraceLimit, prepareStackTrace });
    }
  });
});

describe("a token that is given where something else belongs", () => {
  test("is in no error: neither its message, nor its hint, stack, cause or what is printed", async () => {
    const sessions = createSessions<{ user_id?: number; theme?: string }>({
      store: memoryStore(),
      references: ["user_id"],
      maxBytes: 100,
    });
    const { token } = await sessions.create({ theme: "dark" });
    const asAny = token as never;
    const user = sessions.by("user_id", 1);
    const mistakes: (() => unknown)[] = [
      () => createSessions({ references: [token, token] }),
      () => createSessions({ references: { [token]: { [token]: 1 } } as object }),
      () => createSessions({ [token]: true } as object),
      () => createSessions({ idleTimeout: asAny }),
      () => createSessions(asAny),
      () => sessions.by(asAny, asAny),
      () => sessions.create({ [`@${token}`]: 1 } as object),
      () => sessions.create({ theme: "x".repeat(100), [token]: token } as object),
      () => sessions.create({}, { [token]: 1 } as object),
      () => sessions.signIn(token, { theme: token }),
      () => sessions.signIn(null, asAny),
      () => sessions.signIn(token, { user_id: 1 }, { keep: asAny }),
      () => sessions.signIn(token, { user_id: 1 }, { keep: [`@${token}`] as never }),
      () => sessions.signIn(token, { user_id: 1 }, { [token]: 1 } as object),
      () => sessions.signIn(token, { user_id: 1 }, { idleTimeout: asAny }),
      () => sessions.signIn(token, { user_id: 1, theme: token.repeat(3) }),
      () => sessions.set(token, { user_id: asAny }),
      () => sessions.set(token, { [`@${token}`]: 1 } as object),
      () => sessions.set(token, { theme: token.repeat(3) }),
      () => sessions.unset(token, asAny),
      () => sessions.unset(token, ["user_id"]),
      () => sessions.rotate(token, {}, { grace: asAny }),
      () => sessions.rotate(token, asAny),
      () => sessions.touch(token, { idleTimeout: asAny }),
      () => sessions.delete(token, { replicas: asAny }),
      () => user.set({ user_id: asAny }),
      () => user.clear({ except: token }),
      () => user.clear({ [token]: true } as object),
      () => user.list({ limit: asAny }),
    ];
    for (const mistake of mistakes) {
      const error = await new Promise((resolve) => resolve(mistake())).then(
        () => null,
        (thrown: unknown) => thrown,
      );
      expect(error, String(mistake)).toBeInstanceOf(SessionError);
      const { hint, stack, cause } = error as SessionError;
      const texts = [...sendable(error as SessionError), hint, stack, cause, inspect(error)];
      for (const text of texts) expect(String(text)).not.toContain(token);
    }
    expect((await sessions.get(token))?.data).toEqual({ theme: "dark" });
  });
});
