// A program of a user of express-session's stores in JavaScript, as a CommonJS module, who has
// installed no middleware: the store needs none.
const { promisify } = require("node:util");
const { SessionSetsStore } = require("session-sets/compat/express-session");
const { memoryStore } = require("session-sets/memory");

async function main() {
  const store = new SessionSetsStore({
    store: memoryStore(),
    references: { user_id: { from: (s) => s.passport?.user } },
  });
  const set = promisify(store.set.bind(store));
  for (const sid of ["a", "b"]) await set(sid, { cookie: {}, passport: { user: 1 } });
  console.log(
    JSON.stringify({
      before: await promisify(store.length.bind(store))(),
      ended: await store.by("user_id", 1).clear(),
      after: await promisify(store.get.bind(store))("a"),
    }),
  );
}

void main();
