/* A caller's arguments are read once: whatever they say of themselves later on, the checked values count. */
import { createSessions, SessionError } from "session-sets";
import { koaSessions } from "session-sets/koa";
import { memoryStore } from "session-sets/memory";
import { expect, test } from "vitest";
import { contextWith } from "../../support/http/request.ts";

interface Data {
  user_id?: number;
  theme?: unknown;
}

const sessions = createSessions<Data>({ references: ["user_id"], store: memoryStore() });

/** A property that is one thing when it is read first, and another ever after. */
function changing(name: string, first: unknown, then: unknown): object {
  let reads = 0;
  return Object.defineProperty({}, name, {
    enumerable: true,
    get: () => (reads++ === 0 ? first : then),
  });
}

function readCode(error: unknown): string {
  expect(error).toBeInstanceOf(SessionError);
  return (error as SessionError).code;
}

test("a user that shows up at the second look is written by no verb that signs nobody in", async () => {
  const { token } = await sessions.create({ theme: "dark" });
  const session = koaSessions(sessions).of(contextWith(`session=${token}`));
  await sessions.set(token, changing("user_id", undefined, 7));
  await sessions.by("user_id", 7).set(changing("user_id", undefined, 7));
  await session.set(changing("user_id", undefined, 7));
  expect((await sessions.get(token))?.data).toEqual({ theme: "dark" });
  expect(await sessions.by("user_id", 7).size()).toBe(0);
});

test("a value is stored as it was when it was checked", async () => {
  const { token } = await sessions.create({ theme: changing("name", "dark", 10n) });
  expect((await sessions.get(token))?.data).toEqual({ theme: { name: "dark" } });
  const list = Object.defineProperty(
    ["x"],
    0,
    Object.getOwnPropertyDescriptor(changing("0", "a", new Date()), "0") ?? {},
  );
  await sessions.set(token, { theme: list });
  expect((await sessions.get(token))?.data).toEqual({ theme: ["a"] });
});

test("an element of a reference is the same in the session and in its set", async () => {
  const list = Object.defineProperty(
    [0],
    0,
    Object.getOwnPropertyDescriptor(changing("0", 8, 9), "0") ?? {},
  );
  const { token } = await sessions.signIn(null, { user_id: list as never });
  expect((await sessions.get(token))?.data.user_id).toEqual([8]);
  expect([await sessions.by("user_id", 8).size(), await sessions.by("user_id", 9).size()]).toEqual([
    1, 0,
  ]);
});

test("an option is what it was when it was checked", async () => {
  const { token } = await sessions.signIn(null, { user_id: 3 });
  const options = changing("limit", 1, 10_000);
  expect(await sessions.by("user_id", 3).list(options)).toHaveLength(1);
  expect(await sessions.get(token, changing("touch", false, "x"))).not.toBeNull();
});

test("a list of fields is what it was when it was checked", async () => {
  const { token } = await sessions.create({ theme: "dark" });
  const fields = Object.defineProperty(
    ["theme"],
    0,
    Object.getOwnPropertyDescriptor(changing("0", "theme", "user_id"), "0") ?? {},
  );
  expect(await sessions.unset(token, fields as never)).toBe(true);
  expect((await sessions.get(token))?.data).toEqual({});
});

test("what reading throws is the cause, without what may be a token in it", async () => {
  const own = new RangeError("of the caller's own");
  const values = {
    get theme(): string {
      throw own;
    },
  };
  const refused = await sessions.create(values).catch((error: unknown) => error);
  expect(readCode(refused)).toBe("ERR_SESSION_VALUE");
  expect((refused as SessionError).cause).toBe(own);
  const secret = "aZ09_-".repeat(6);
  const broken = new Proxy(Object.freeze({ [secret]: 1 }), { get: () => 2 });
  const error = await sessions.touch(null, broken as object).catch((one: unknown) => one);
  expect(readCode(error)).toBe("ERR_SESSION_CONFIG");
  expect(
    String((error as SessionError).stack) + String((error as { cause?: Error }).cause?.stack),
  ).not.toContain(secret);
});

test("what reading throws is the cause, whatever it is", async () => {
  const thrown: unknown = "no error";
  const values = {
    get theme(): string {
      throw thrown;
    },
  };
  const refused = await sessions.create(values).catch((error: unknown) => error);
  expect(readCode(refused)).toBe("ERR_SESSION_VALUE");
  expect((refused as SessionError).cause).toBe(thrown);
});

test.each([
  ["a list", []],
  ["a list of names", ["touch"]],
])("%s is no record of options", async (_, given) => {
  const error = await sessions.touch(null, given as object).catch((one: unknown) => one);
  expect(readCode(error)).toBe("ERR_SESSION_CONFIG");
});

test.each<[string, unknown]>([
  ["nothing", undefined],
  ["a text", "fine"],
  ["issues that are no list", { issues: 5 }],
  ["a symbol", Symbol("x")],
])("a schema that resolves to %s is refused, and nothing is written", async (_, result) => {
  const data = { "~standard": { version: 1, vendor: "test", validate: () => result } };
  const checked = createSessions({ data: data as never, store: memoryStore() });
  const error = await checked.create({ theme: 1 } as never).catch((one: unknown) => one);
  expect(readCode(error)).toBe("ERR_SESSION_CONFIG");
});

test("issues of any form are told, or passed over", async () => {
  const issues = [
    null,
    5,
    { path: [] },
    { path: [Symbol("x")] },
    { path: ["theme"], message: Symbol("y") },
  ];
  const data = { "~standard": { version: 1, vendor: "test", validate: () => ({ issues }) } };
  const checked = createSessions({ data: data as never, store: memoryStore() });
  const error = await checked.create({ theme: 1 } as never).catch((one: unknown) => one);
  expect(readCode(error)).toBe("ERR_SESSION_VALUE");
  expect((error as SessionError).hint).toContain('"theme" does not fit the schema: see its issues');
});

test("a schema without a validate is refused at once", () => {
  for (const standard of [null, 5, {}, { validate: 5 }]) {
    expect(() => createSessions({ data: { "~standard": standard } as never })).toThrow(
      SessionError,
    );
  }
});
