/* What is no token, or no id, leads to no session: nothing is asked of the store, and nothing is done. */
import { createSessions } from "session-sets";
import { memoryStore } from "session-sets/memory";
import { expect, test } from "vitest";
import { type Operation, recordedStore } from "../../support/stores/recorded-store.ts";

const operations: Operation[] = [];
const store = recordedStore(memoryStore(), (operation) => {
  operations.push(operation);
});
const sessions = createSessions({
  data: {} as { user_id?: number; theme?: string },
  references: ["user_id"],
  store,
});

test.each([null, undefined, "", "no token", `__${"a".repeat(32)}`])(
  "%o is no token",
  async (given) => {
    operations.length = 0;
    expect(await sessions.get(given)).toBeNull();
    expect(await sessions.set(given, { theme: "dark" })).toBe(false);
    expect(await sessions.unset(given, ["theme"])).toBe(false);
    expect(await sessions.touch(given)).toBe(false);
    expect(await sessions.rotate(given)).toBeNull();
    expect(await sessions.delete(given)).toBe(false);
    expect(operations).toEqual([]);
  },
);

test.each(["", "no id", "a".repeat(200)])("%o is no id", async (given) => {
  operations.length = 0;
  const session = sessions.byId(given);
  expect(await session.get()).toBeNull();
  expect(await session.delete()).toBe(false);
  expect(operations).toEqual([]);
});
