/* The options that all adapters share: what cannot work is an error at construction. */
import { createSessions, SessionError } from "session-sets";
import * as express from "session-sets/express";
import * as fastify from "session-sets/fastify";
import * as fetched from "session-sets/fetch";
import * as hono from "session-sets/hono";
import * as koa from "session-sets/koa";
import * as node from "session-sets/node";
import { describe, expect, test } from "vitest";
import { openMemory } from "../../support/stores/stores.ts";

const sessions = createSessions({ store: openMemory().store, idleTimeout: "30 minutes" });

type Make = (of: never, options: never) => unknown;
interface Entry {
  readonly make: Make;
  readonly guard: (options: never) => unknown;
  /** Options that it has besides those of all. */
  readonly more: readonly string[];
}

const ENTRIES: Record<string, Entry> = {
  koaSessions: { make: koa.koaSessions, guard: koa.csrfGuard, more: ["signed"] },
  expressSessions: { make: express.expressSessions, guard: express.csrfGuard, more: ["keys"] },
  fastifySessions: { make: fastify.fastifySessions, guard: fastify.csrfGuard, more: ["keys"] },
  honoSessions: { make: hono.honoSessions, guard: hono.csrfGuard, more: ["keys", "trustProxy"] },
  nodeSessions: { make: node.nodeSessions, guard: node.csrfGuard, more: ["keys", "trustProxy"] },
  fetchSessions: {
    make: fetched.fetchSessions,
    guard: fetched.csrfGuard,
    more: ["keys", "trustProxy"],
  },
};

const WRONG: Record<string, object> = {
  "an unknown option": { secret: "x" },
  "rotate, which is no option": { rotate: false },
  "a cookie that cannot work": { cookie: { sameSite: "none" } },
  "carriers that are no list": { carriers: "bearer" },
  "no carrier": { carriers: [] },
  "a carrier that is none": { carriers: ["header"] },
  "a carrier that is nothing": { carriers: [undefined] },
  "a carrier twice": { carriers: ["cookie", "cookie"] },
  "one header twice": { carriers: [{ header: "X-Token" }, { header: "x-token" }] },
  "a header that is no name": { carriers: [{ header: "X Token" }] },
  "an empty header": { carriers: [{ header: "" }] },
  "a header that is a number": { carriers: [{ header: 1 }] },
  "the header of cookies": { carriers: [{ header: "Cookie" }] },
  "the header of bearer tokens": { carriers: [{ header: "Authorization" }] },
  "a header that pages of other sites may set": { carriers: [{ header: "Accept-Language" }] },
  "a header that browsers send": { carriers: [{ header: "Sec-Fetch-Site" }] },
};

const WRONG_OF_SOME: Record<string, readonly [option: string, value: object]> = {
  "keys that are a word": ["keys", { keys: "secret" }],
  "no key": ["keys", { keys: [] }],
  "an empty key": ["keys", { keys: ["secret", ""] }],
  "a key that is no text": ["keys", { keys: [1] }],
  "trustProxy that is a number": ["trustProxy", { trustProxy: 1 }],
  "signed that is a word": ["signed", { signed: "yes" }],
};

const config = expect.objectContaining({ code: "ERR_SESSION_CONFIG", constructor: SessionError });

describe.each(Object.entries(ENTRIES))("%s", (name, { make, guard, more }) => {
  const construct = (options: object) => make(sessions as never, options as never);

  test.each(Object.entries(WRONG))("refuses %s", (_, options) => {
    expect(() => construct(options)).toThrow(config);
  });

  for (const [kind, [option, options]] of Object.entries(WRONG_OF_SOME)) {
    test(`refuses ${kind}`, () => {
      expect(() => construct(options)).toThrow(config);
      if (!more.includes(option)) {
        expect(() => construct(options)).toThrow(`${name} has no option "${option}"`);
      }
    });
  }

  test("refuses what are no sessions, by its own name", () => {
    for (const none of [undefined, null, {}, sessions.create, "sessions"]) {
      expect(() => make(none as never, {} as never)).toThrow(
        `${name} takes the sessions that createSessions returned`,
      );
    }
  });

  test("takes carriers in any order, and headers in any case", () => {
    for (const carriers of [["cookie"], ["bearer", { header: "X-Session-Token" }, "cookie"]]) {
      expect(() => construct({ carriers })).not.toThrow();
    }
  });

  test("has a guard that refuses what cannot work", () => {
    for (const options of [{ origin: "x" }, { origins: "https://a.example" }, { origins: ["a"] }]) {
      expect(() => guard(options as never)).toThrow(config);
    }
    expect(() => guard({ trustProxy: 1 } as never)).toThrow(config);
    expect(() => guard({ origins: ["https://admin.example"] } as never)).not.toThrow();
  });
});
