// Tests of a user of Jest that import the package, and that Babel turns into CommonJS (.babelrc.json).
import { EventEmitter } from "node:events";
import { createSessions, SessionError } from "session-sets";
import { SessionSetsStore } from "session-sets/compat/express-session";

test("sessions are made, and ended", async () => {
  const sessions = createSessions({ references: ["user_id"] });
  await sessions.create({ user_id: 1 });
  expect(await sessions.by("user_id", 1).clear()).toBe(1);
});

test("errors and stores are of the classes that they say", () => {
  const make = () => createSessions({ idleTimeout: "soon" });
  expect(make).toThrow(SessionError);
  expect(new SessionSetsStore({})).toBeInstanceOf(EventEmitter); // as express-session's stores are
});
