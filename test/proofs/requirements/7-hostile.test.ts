/*
 * Requirement 7 (docs/design.md, "Requirements") on a real server. The other requirements are in
 * 2-to-6.test.ts.
 */
import { createSessions, SessionError } from "session-sets";
import { describe, expect, test } from "vitest";
import { anyText, fc, runs } from "../../support/properties.ts";
import { type Data, openPrograms, useThreePrograms } from "../../support/stores/three-programs.ts";

useThreePrograms();

describe("requirement 7: hostile names and values are stored safely or refused clearly", () => {
  const names = ["*", "a:b", "{p}", "}", "%", "\0", "\n", "é😀", "constructor", "toString", "x@"];
  const wide = "x".repeat(256);
  const values = [
    ...names,
    "",
    "@x",
    "__proto__",
    "1",
    "true",
    "null",
    "\ud800",
    "y".repeat(10_240),
  ];

  test("requirement 7: what is stored comes back, in sets of its own", async () => {
    const declared = Object.fromEntries(
      [...names, wide].map((name) => [name, { identity: false }] as const),
    );
    const { all, check } = openPrograms(4, declared);
    const [sessions, other] = all;
    const owners = new Map<string, string>();
    for (const name of [...names, wide]) {
      const { token, session } = await sessions.create({ [name]: values, plain: values });
      owners.set(name, session.id);
      expect((await other.get(token))?.data).toEqual({ [name]: values, plain: values });
    }
    for (const [name, id] of owners) {
      for (const value of values) expect(await other.by(name, value).ids()).toEqual([id]);
      expect(await other.by(name, 1).size()).toBe(0);
      expect(await other.by(name, true).size()).toBe(0);
    }
    await check();
  });

  test.each([
    "",
    "@",
    "@x",
    "@to",
    "__proto__",
    "\ud800",
    "a\udfff",
    "z".repeat(257),
    "z".repeat(10_240),
  ])("requirement 7: the field name %j is refused, and nothing is written", async (name) => {
    const { all, keys } = openPrograms();
    const [sessions] = all;
    const { token } = await sessions.create({ user_id: 1 });
    const before = await keys();
    const bad = Object.defineProperty({ theme: "x" }, name, { value: 1, enumerable: true });
    for (const refused of [
      () => sessions.create(bad),
      () => sessions.set(token, bad),
      () => sessions.unset(token, [name]),
      () => sessions.get(token, [name]),
      () => sessions.rotate(token, bad),
      () => sessions.by("user_id", 1).set(bad),
      () => sessions.by("user_id", 1).unset([name]),
    ]) {
      await expect(refused()).rejects.toSatisfy(isRefusal);
    }
    expect(() => createSessions({ references: { [name]: {} }, idleTimeout: "1 hour" })).toThrow(
      expect.objectContaining({ code: "ERR_SESSION_CONFIG" }),
    );
    expect((await keys()).sort()).toEqual(before.sort());
    expect((await sessions.get(token))?.data).toEqual({ user_id: 1 });
  });

  test.each([
    ["an object", { a: 1 }],
    ["an array in an array", [[1]]],
    ["NaN", Number.NaN],
    ["a Date", new Date()],
    ["a function", () => 1],
    ["1,001 values", Array.from({ length: 1001 }, (_, i) => i)],
  ])(
    "requirement 7: a reference to %s is refused, and nothing is written",
    async (_name, value) => {
      const { all, keys } = openPrograms();
      const [sessions] = all;
      const { token } = await sessions.create({ team_ids: [7] });
      const bad = { team_ids: value, theme: "x" } as unknown as Data;
      for (const refused of [
        () => sessions.create(bad),
        () => sessions.set(token, bad),
        () => sessions.rotate(token, bad),
        () => sessions.by("team_ids", 7).set(bad),
      ]) {
        await expect(refused()).rejects.toSatisfy(isRefusal);
      }
      expect((await keys()).length).toBe(2);
      expect((await sessions.get(token))?.data).toEqual({ team_ids: [7] });
      expect(await sessions.by("team_ids", 7).size()).toBe(1);
    },
  );

  test("requirement 7: any text is a value that only its own session is found by", async () => {
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(anyText, { maxLength: 8 }), async (texts) => {
        const { all, check } = openPrograms(1, { name: { identity: false } });
        const made = await Promise.all(texts.map((name) => all[0].create({ name, copy: [name] })));
        for (const [i, name] of texts.entries()) {
          expect(await all[1].by("name", name).ids()).toEqual([made[i]?.session.id]);
          const found = await all[1].get(made[i]?.token);
          expect(found?.data).toEqual({ name, copy: [name] });
        }
        await check();
      }),
      runs(50),
    );
  });

  test("requirement 7: a prototype stays what it was", async () => {
    const { all } = openPrograms();
    const values = JSON.parse('{"theme":{"__proto__":{"admin":true}},"constructor":"c"}') as Data;
    const { token } = await all[0].create(values);
    const data = (await all[1].get(token))?.data ?? {};
    expect(Object.getPrototypeOf(data)).toBe(Object.prototype);
    expect(Object.hasOwn(data.theme as object, "__proto__")).toBe(true);
    expect(data.constructor).toBe("c");
    expect("admin" in {}).toBe(false);
    expect("admin" in (data.theme as object)).toBe(false);
  });
});

function isRefusal(error: unknown): boolean {
  return error instanceof SessionError && error.code === "ERR_SESSION_VALUE";
}
