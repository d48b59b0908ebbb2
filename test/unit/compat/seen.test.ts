/* What the store for express-session knows of the session objects that it has seen. */
import { expect, test } from "vitest";
import { SeenSessions } from "../../../src/compat/express-session/saving/seen.ts";
import { restoreSession } from "../../../src/compat/express-session/session-class.ts";

const EXPIRES = "2030-01-01T00:00:00.000Z";
const times = { idleTimeout: 60_000, lastSeenAt: 0 };
const stored = (id: string, fields: Record<string, string>) => ({
  id,
  fields: new Map(Object.entries(fields)),
  times,
  now: 0,
});

test("a session that a middleware makes from an object that the store does not know is new", () => {
  const seen = new SeenSessions();
  const session = { a: 1 };
  seen.follow({ a: 1 }, session);
  expect(seen.findBase(session, "id")).toBeNull();
  const handedOut = seen.handOut(stored("id", { a: "1" }), { a: 1 });
  seen.follow(handedOut, session);
  expect(seen.findBase(session, "id")).toEqual(new Map([["a", "1"]]));
  expect(seen.findBase(session, "another")).toBeNull();
});

test("a session without a cookie is known as the object that it is", () => {
  const seen = new SeenSessions();
  const handedOut = seen.handOut(stored("id", { a: "1" }), { a: 1 });
  expect(seen.findBase(handedOut, "id")).toEqual(new Map([["a", "1"]]));
  expect(seen.findCopy({ ...handedOut }, "id").base).toBeNull();
});

test("fields that cannot be written as JSON are remembered by nothing", () => {
  const seen = new SeenSessions();
  const session = { big: 1n, cookie: {} };
  expect(() => seen.rememberFields("id", session)).not.toThrow();
  expect(seen.findCopy({ ...session, cookie: {} }, "id").isNew).toBe(true);
});

test("of very many sessions the last ones are remembered, and no more", () => {
  const seen = new SeenSessions();
  const copyOf = (id: string) => ({ cookie: { expires: EXPIRES, id } });
  for (let at = 0; at <= 10_000; at++) seen.remember(`id${at}`, { expires: EXPIRES });
  expect(seen.findCopy(copyOf("id0"), "id0").isNew).toBe(true);
  expect(seen.findCopy(copyOf("id1"), "id1").isNew).toBe(false);
  expect(seen.findCopy(copyOf("id10000"), "id10000").isNew).toBe(false);
});

test("a session that was stored without a cookie gets one as express-session makes it", () => {
  class Session {
    readonly req: object;
    constructor(req: object, fields: object) {
      this.req = req;
      Object.assign(this, fields);
    }
  }
  const cookie = { isOfClass: true };
  const req = {};
  const restored = restoreSession({ Session, cookie } as never, req, { a: 1 });
  expect(restored).toMatchObject({ a: 1, cookie: { path: "/", httpOnly: true } });
  expect(Object.getPrototypeOf(Reflect.get(restored, "cookie"))).toBe(cookie);
});
