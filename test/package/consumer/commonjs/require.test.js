// Tests of a user of Jest that require the package, without a transformation of their own.
const { promisify } = require("node:util");
const { SessionSetsStore } = require("session-sets/compat/express-session");
const { memoryStore } = require("session-sets/memory");

test("the store keeps sessions, and ends those of a user", async () => {
  const store = new SessionSetsStore({
    store: memoryStore(),
    references: { user_id: { from: (s) => s.passport?.user } },
  });
  const set = promisify(store.set.bind(store));
  for (const sid of ["a", "b"]) await set(sid, { cookie: {}, passport: { user: 1 } });
  expect(await promisify(store.length.bind(store))()).toBe(2);
  expect(await store.by("user_id", 1).clear()).toBe(2);
  expect(await promisify(store.get.bind(store))("a")).toBeNull();
});

test.each(process.env.ENTRIES.split(","))("%s is required", (entry) => {
  expect(Object.keys(require(entry))).not.toEqual([]);
});

test("what is a function in Node is one here, under its name `default`", () => {
  const KoaRedisSessionSets = require("session-sets/compat/koa-redis-session-sets").default;
  expect(typeof KoaRedisSessionSets).toBe("function");
});
