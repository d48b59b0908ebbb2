/* The functions of redis-user-sessions, with sessions that it has kept itself. */

import { createClient } from "redis";
import * as functions from "session-sets/compat/redis-user-sessions";
import { fc } from "../../support/properties.ts";
import { type Servers, SLOT_KEY } from "../runs/worlds.ts";
import {
  given,
  hostile,
  hostileText,
  mostly,
  type Recipe,
  recordOf,
  value,
} from "../values/recipes.ts";
import { options } from "./core.ts";
import type { Surface, World } from "./surfaces.ts";

const ID = "user-session-s3cr3t_s3cr3t_s3cr3t";
const OLD_ID = "old-user-session-s3cr3t_s3cr3t_s3cr";
const UNKNOWN_ID = "no-user-session-s3cr3t_s3cr3t_s3cr3t";

export const PREFIXES = ["{redis-user-sessions:", "session:", "user:", SLOT_KEY];

/** Sessions of a user, one of which is still where redis-user-sessions had it. */
export async function openUserSessions({ traffic, url }: Servers): Promise<World> {
  const client = createClient({ url });
  await client.connect();
  functions.migrateSessions({ client: client as never });
  const expires = new Date(Date.now() + 3_600_000).toISOString();
  for (const sessionId of [ID, "another-user-session-s3cr3t_s3cr3t"]) {
    await functions.createSession({
      client: client as never,
      sessionId,
      data: { userId: "u1", expires },
    });
  }
  await traffic.own.set(`session:${OLD_ID}`, JSON.stringify({ userId: "u1", expires }), "EX", 3600);
  await traffic.own.zadd("user:u1:sessions", String(Date.parse(expires)), OLD_ID);
  const givens: Record<string, unknown> = {
    "a client": client,
    "hash of the session": `{redis-user-sessions:0}:s:${ID}`,
    "set of the user": "{redis-user-sessions:0}:r:userId:u1",
    mark: `{redis-user-sessions:0}:o:${OLD_ID}`,
    "an old key": `session:${OLD_ID}`,
    "an unknown old key": `session:${UNKNOWN_ID}`,
    "an old index": "user:u1:sessions",
    now: Date.now(),
    later: Date.now() + 3_600_000,
    "an id": ID,
    "an old id": OLD_ID,
    "the token": ID,
    "another token": "another-user-session-s3cr3t_s3cr3t",
    "a dead token": OLD_ID,
    "an old token": OLD_ID,
    "an unknown token": UNKNOWN_ID,
  };
  return {
    secrets: new Set([ID, OLD_ID, UNKNOWN_ID, "another-user-session-s3cr3t_s3cr3t"]),
    prefixes: PREFIXES,
    traffic,
    of: (name) => givens[name],
    async close() {
      client.destroy();
    },
  };
}

const one = (...names: string[]) => fc.constantFrom(...names).map(given);
const client = mostly(one("a client"), 8);
const sessionId = mostly(one("an id", "an old id", "an unknown token"), 3);
const userId: fc.Arbitrary<Recipe> = mostly(fc.constantFrom("u1", "u2").map(value), 3);
const moment = mostly(
  fc
    .constantFrom(
      "2031-01-01T00:00:00.000Z",
      "2001-01-01T00:00:00Z",
      "9999-12-31T23:59:59.999+23:59",
    )
    .map(value),
  3,
);
const data = mostly(recordOf({ userId, expires: moment, theme: hostile }), 4);

/** All of them take one object. */
export const userSessionsSurface: Surface<World> = {
  name: "redis-user-sessions",
  settings: fc.constant(undefined),
  open: () => functions,
  methods: {
    createSession: { args: [options({ client, sessionId, data })] },
    readSession: { args: [options({ client, sessionId })] },
    updateSession: { args: [options({ client, sessionId, data })] },
    deleteSession: { args: [options({ client, sessionId })] },
    getUserSessions: { args: [options({ client, userId })] },
    updateUserSessions: { args: [options({ client, userId, data })] },
    deleteUserSessions: { args: [options({ client, userId })] },
    migrateSessions: { args: [options({ client })], gives: "value", reads: "only" },
    moveSessions: { args: [options({ client, cursor: hostileText })], gives: "steps" },
  },
};
