/* A schema checks the fields of every write, as they are written: in parts. */
import { createSessions, type StandardSchema } from "session-sets";
import { memoryStore } from "session-sets/memory";
import { describe, expect, test } from "vitest";

interface Data {
  user_id: number;
  theme?: "dark" | "light";
}

const RULES: Record<string, (value: unknown) => string | undefined> = {
  user_id: (value) => (typeof value === "number" ? undefined : "a number is needed"),
  theme: (value) =>
    ["dark", "light", undefined].includes(value as undefined) ? undefined : "dark or light",
};

type Path = readonly (string | { readonly key: string })[];

function listIssues(value: unknown, pathOf: (field: string) => Path) {
  return Object.entries(RULES).flatMap(([field, faultOf]) => {
    const message = faultOf((value as Record<string, unknown>)[field]);
    return message === undefined ? [] : [{ message, path: pathOf(field) }];
  });
}

/** Schemas of each kind that the standard allows: https://standardschema.dev */
function schema(pathOf: (field: string) => Path): StandardSchema<Data> {
  return {
    "~standard": {
      version: 1,
      vendor: "test",
      validate: (value) => {
        const issues = listIssues(value, pathOf);
        return issues.length > 0 ? { issues } : { value };
      },
    },
  };
}

const plain = schema((field) => [field]);
const kinds: Record<string, StandardSchema<Data>> = {
  "of plain paths": plain,
  "of paths in objects": schema((field) => [{ key: field }]),
  "that takes its time": {
    "~standard": {
      ...plain["~standard"],
      validate: async (value) => {
        await Promise.resolve();
        return plain["~standard"].validate(value);
      },
    },
  },
  "that is a function": Object.assign(() => {}, plain),
};

describe.each(Object.entries(kinds))("a schema %s", (_, data) => {
  const open = () =>
    createSessions({
      data,
      store: memoryStore(),
      references: { user_id: {} },
      idleTimeout: "1 hour",
    });
  const refused = (field: string, why: string) =>
    expect.objectContaining({
      code: "ERR_SESSION_VALUE",
      message: `The field "${field}" does not fit the schema: ${why}`,
    });
  const wrong = (value: unknown) => value as never;

  test("refuses a field that does not fit, wherever it is written, and nothing is written", async () => {
    const sessions = open();
    const make = sessions.create({ user_id: 1, theme: wrong("blue") });
    await expect(make).rejects.toThrowError(refused("theme", "dark or light"));
    expect(await sessions.by("user_id", 1).size()).toBe(0);
    const { token } = await sessions.create({ user_id: 1, theme: "dark" });
    const bad = { theme: wrong("blue") };
    const all = [
      () => sessions.set(token, bad),
      () => sessions.signIn(token, { user_id: 2, ...bad }),
      () => sessions.rotate(token, bad),
      () => sessions.by("user_id", 1).set(bad),
    ];
    for (const write of all) {
      await expect(write()).rejects.toThrowError(refused("theme", "dark or light"));
    }
    await expect(sessions.signIn(token, { user_id: wrong("1") })).rejects.toThrowError(
      refused("user_id", "a number is needed"),
    );
    expect((await sessions.get(token))?.data).toEqual({ user_id: 1, theme: "dark" });
  });

  test("lets a part of the fields pass, though others are required", async () => {
    const sessions = open();
    const { token } = await sessions.create({ user_id: 1 });
    expect(await sessions.set(token, { theme: "light" })).toBe(true);
    expect(await sessions.by("user_id", 1).set({ theme: "dark" })).toBe(1);
    expect(await sessions.unset(token, ["theme"])).toBe(true);
    expect((await sessions.rotate(token, { theme: "dark" }))?.session?.data).toEqual({
      user_id: 1,
      theme: "dark",
    });
  });

  test("does not mind a field that is undefined, which is left alone", async () => {
    const sessions = open();
    const { token } = await sessions.create({ user_id: 1 });
    expect(await sessions.set(token, { user_id: undefined, theme: "dark" })).toBe(true);
    expect((await sessions.get(token))?.data).toEqual({ user_id: 1, theme: "dark" });
  });

  test("is not asked by reads, nor by what writes no field", async () => {
    const sessions = open();
    const { token, session } = await sessions.create({ user_id: 1 });
    expect(await sessions.touch(token)).toBe(true);
    expect((await sessions.get(token, ["theme"]))?.data).toEqual({});
    expect((await sessions.byId(session.id).get())?.data).toEqual({ user_id: 1 });
    expect(await sessions.delete(token)).toBe(true);
  });
});

test("a value that no schema minds is still refused where it cannot be stored", async () => {
  const any: StandardSchema<{ at?: unknown }> = {
    "~standard": { version: 1, vendor: "test", validate: (value) => ({ value }) },
  };
  const sessions = createSessions({ data: any, store: memoryStore(), idleTimeout: "1 hour" });
  await expect(sessions.create({ at: new Date() })).rejects.toHaveProperty(
    "code",
    "ERR_SESSION_VALUE",
  );
});

test("a schema does not transform what is written", async () => {
  const upper: StandardSchema<{ name?: string }> = {
    "~standard": { version: 1, vendor: "test", validate: () => ({ value: { name: "ADA" } }) },
  };
  const sessions = createSessions({ data: upper, store: memoryStore(), idleTimeout: "1 hour" });
  const { token } = await sessions.create({ name: "ada" });
  expect((await sessions.get(token))?.data).toEqual({ name: "ada" });
});
