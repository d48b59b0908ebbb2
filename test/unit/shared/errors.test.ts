/* Errors have two readers: a visitor, who sees the message, and a developer, who sees the hint. */
import { inspect } from "node:util";
import {
  createSessions,
  SessionError,
  type SessionErrorCode,
  type SessionErrorDetails,
} from "session-sets";
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

/** Each name of each code, which the compiler compares. */
const DETAILS: { readonly [Code in SessionErrorCode]: Required<SessionErrorDetails[Code]> } = {
  ERR_SESSION_CONFIG: { option: "except", field: "user_id" },
  ERR_SESSION_VALUE: { field: "cart", references: 1001, maxReferences: 1000 },
  ERR_SESSION_TOO_LARGE: { bytes: 70_001, maxBytes: 65_537 },
  ERR_SESSION_GONE: { field: "user_id" },
  ERR_SESSION_LIMIT: { field: "user_id", limit: 100_003 },
  ERR_STORE_UNAVAILABLE: { operation: "end a session" },
  ERR_STORE_FULL: { maxSessions: 100_001, maxTotalBytes: 134_217_729 },
  ERR_REPLICAS: { operation: "end a session", replicas: 777_002, acknowledged: 777_001 },
  ERR_COOKIE: { cookie: "__Host-session" },
  ERR_CSRF: { reason: "origin", origin: "https://evil.example" },
};

/** An error of any code with all its details. */
function createError(code: SessionErrorCode, options: ErrorOptions = {}): SessionError {
  return new SessionError(code, HINT, { ...DETAILS[code], ...options } as never);
}

/** Where a code is documented. */
const toAddress = (code: string) => `session-sets/docs/errors.md#${code.toLowerCase()}`;

/** The body that a framework or an application makes of an error. */
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
    const error = createError(code);
    expect(error).toMatchObject({ name: "SessionError", code, status, message, expose: true });
    expect(error.hint).toBe(HINT);
    expect(Object.keys(error)).not.toContain("hint");
    for (const text of sendable(error)) expect(text).not.toContain("cart");
  });

  test("tells the developer in its stack, and where it is printed", () => {
    const error = createError(code);
    const lines = String(error.stack).split("\n");
    expect(lines[0]).toBe(`SessionError [${code}]: ${message}`);
    expect(lines[1]).toBe(`  hint: ${HINT}`);
    expect(lines[2]).toBe(`  docs: ${toAddress(code)}`);
    expect(lines[3]).toMatch(/^ {4}at .*errors\.test/);
    expect(inspect(error)).toContain(`SessionError [${code}]: ${message}\n  hint: ${HINT}\n`);
    const logged = inspect({ request: { error } }, { depth: 5 });
    expect(logged.split(HINT)).toHaveLength(2);
  });

  test("is answered with the visitor's sentence where a framework asks for a response", async () => {
    const error = createError(code) as SessionError & { getResponse(): Response };
    const response = error.getResponse();
    expect([response.status, await response.text()]).toEqual([status, message]);
  });
});

describe.each(forDevelopers)("%s, which may not be shown,", (code, status) => {
  test("has one sentence for the developer, and nothing that is made of it to be sent", async () => {
    const error = createError(code);
    expect(error).toMatchObject({ code, status, message: HINT, hint: HINT, expose: false });
    expect(Object.keys(error)).not.toContain("hint");
    expect(JSON.stringify(error)).not.toContain("cart");
    expect(String(error.stack).split("\n")[0]).toBe(`SessionError [${code}]: ${HINT}`);
    expect(inspect(error).split(HINT)).toHaveLength(2);
    expect(inspect(error)).toContain(
      `SessionError [${code}]: ${HINT}\n  docs: ${toAddress(code)}\n    at `,
    );
    const { getResponse } = error as { getResponse?: () => Response };
    const response = getResponse?.();
    expect(status === 500 ? "" : await response?.text()).toBe("");
  });
});

const codes = [...forVisitors, ...forDevelopers].map(([code]) => code);

describe.each(codes)("%s", (code) => {
  test("keeps its cause, in what is printed and not in what is sent", () => {
    const cause = new Error("the server is down");
    const error = createError(code, { cause });
    expect(error.cause).toBe(cause);
    expect(inspect(error)).toContain("the server is down");
    for (const text of sendable(error)) expect(text).not.toContain("server");
    expect("cause" in createError(code)).toBe(false);
  });

  test("has what belongs to it, to be read and not to be changed", () => {
    const error = createError(code);
    expect(error).toMatchObject(DETAILS[code]);
    for (const name of Object.keys(DETAILS[code])) {
      expect(Object.getOwnPropertyDescriptor(error, name)).toMatchObject({ writable: false });
    }
  });

  test("has nothing of that in what is made of it to be sent, and is the same to all as before", () => {
    const error = createError(code);
    expect(Object.keys(error).sort()).toEqual(["code", "expose", "name", "status"]);
    expect(JSON.parse(JSON.stringify(error))).toEqual({
      name: "SessionError",
      code,
      status: error.status,
      expose: error.expose,
    });
    for (const text of [...sendable(error), String(error.stack)]) {
      for (const detail of Object.values(DETAILS[code])) {
        if (!["origin", "cart"].includes(String(detail))) expect(text).not.toContain(`${detail}`);
      }
    }
  });

  test("has no detail that is left out, holds a token or is no text or number", () => {
    const token = "A".repeat(34);
    for (const value of [undefined, token, `x ${token} y`, { token }, [token]]) {
      const names = Object.keys(DETAILS[code]);
      const given = Object.fromEntries(names.map((name) => [name, value])) as never;
      const error = new SessionError(code, HINT, given);
      for (const name of names) expect(Object.hasOwn(error, name)).toBe(false);
      expect(inspect(error, { showHidden: true })).not.toContain(token);
    }
  });

  test("is an Error like any other, also where stacks are cut off or are no text", () => {
    expect(createError(code)).toBeInstanceOf(Error);
    const { stackTraceLimit, prepareStackTrace } = Error;
    try {
      Error.stackTraceLimit = 0;
      expect(createError(code).stack).toContain(HINT);
      expect(new SessionError("ERR_COOKIE", "").stack).toBe(
        `SessionError [ERR_COOKIE]: \n  docs: ${toAddress("ERR_COOKIE")}`,
      );
      Error.prepareStackTrace = (_error, sites) => sites;
      expect(createError(code).hint).toBe(HINT);
    } finally {
      Object.assign(Error, { stackTraceLimit, prepareStackTrace });
    }
  });
});

describe("the class", () => {
  test.each([5, null, { toString: () => "x".repeat(40) }])("takes %j for a text, too", (text) => {
    const error = new SessionError("ERR_COOKIE", text as string, { cookie: "session" });
    expect(typeof error.hint).toBe("string");
    expect(error.message).toBe(error.hint);
    expect(error.hint).not.toContain("x".repeat(40));
  });

  test("is one, by its name, and can be extended", () => {
    class Full extends SessionError<"ERR_STORE_FULL"> {
      constructor() {
        super("ERR_STORE_FULL", HINT, { maxSessions: 1, maxTotalBytes: 2 });
      }
      readonly shard = 3;
    }
    const error: SessionError<"ERR_STORE_FULL"> & { shard: number } = new Full();
    expect(SessionError.name).toBe("SessionError");
    expect(error).toBeInstanceOf(SessionError);
    expect(error).toBeInstanceOf(Full);
    expect([error.name, error.shard, error.maxSessions]).toEqual(["SessionError", 3, 1]);
    expect(createError("ERR_STORE_FULL")).not.toBeInstanceOf(Full);
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
      () => user.list({ after: asAny }),
      () => user.list({ after: { id: token, expiresAt: new Date() } }),
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
      expect(inspect(error, { showHidden: true, depth: 9 })).not.toContain(token);
    }
    expect((await sessions.get(token))?.data).toEqual({ theme: "dark" });
  });
});
