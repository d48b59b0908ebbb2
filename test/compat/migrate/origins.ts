/*
 * The libraries whose sessions are migrated. Raw commands write a session as the library does, and the
 * entry of this package uses it.
 */
import { createHash } from "node:crypto";
import { type MoveProgress, SessionSetsStore } from "session-sets/compat/express-session";
import koaRedisSessionSets from "session-sets/compat/koa-redis-session-sets";
import * as userSessions from "session-sets/compat/redis-user-sessions";
import type { RedisClient } from "session-sets/redis";
import type { Client } from "../../support/stores/stores.ts";

export const HOUR = 3_600_000;
/** An id as koa-redis-session-sets made it: 18 random bytes in base64. */
export const KOA_ID = "q83vEjRWeJCrze8SNFZ4kKv/";
export const KOA_HASH = `koa:{${KOA_ID}}`;

/** The session of user 1, through the new entry. */
export interface Opened {
  /** The session's theme; null where there is no session. */
  read(): Promise<string | null>;
  write(theme: string): Promise<unknown>;
  /** Ends the session. */
  end(): Promise<unknown>;
  /** Ends all sessions of user 1. */
  endAllOfUser(): Promise<unknown>;
  moveAll(cursor?: string | null): AsyncGenerator<MoveProgress, void>;
}

export interface Origin {
  readonly name: string;
  /** The key of the old session. */
  readonly key: string;
  /** Whether the old layout has an index of a user's sessions. */
  readonly indexed: boolean;
  /** The keys of all sessions of the new layout. */
  readonly sessions: string;
  /** Writes the session, dark, of user 1, as the old package did. */
  lay(client: Client, expiresAt?: number): Promise<unknown>;
  open(client: RedisClient): Opened;
}

const koa: Origin = {
  name: "koa-redis-session-sets",
  key: KOA_HASH,
  indexed: true,
  sessions: "{koa:0}:s:*",
  lay: (client, expiresAt = Date.now() + HOUR) =>
    client
      .multi()
      .hmset(KOA_HASH, { id: KOA_ID, _csrf_secret: "a secret", user_id: "1", theme: "dark" })
      .pexpireat(KOA_HASH, expiresAt)
      .sadd("koa:user_id:{1}", KOA_ID)
      .exec(),
  open(client) {
    const app = koaRedisSessionSets(null, {
      client,
      prefix: "koa",
      references: { user_id: {} },
      migrate: true,
    });
    return {
      read: async () => (await app.store.get(KOA_ID)).theme ?? null,
      // `set` of this store makes a session where there is none: the stated exception.
      write: () => app.store.unset(KOA_ID, ["color"]),
      end: () => app.store.delete(KOA_ID),
      endAllOfUser: () => app.store.clear("user_id", 1),
      moveAll: (cursor = null) => app.moveSessions({ cursor }),
    };
  },
};

const rus: Origin = {
  name: "redis-user-sessions",
  key: "session:an id",
  indexed: true,
  sessions: "{redis-user-sessions:0}:s:*",
  lay(client, expiresAt = Date.now() + HOUR) {
    const expires = new Date(expiresAt).toISOString();
    const data = { userId: "1", expires, theme: "dark" };
    return Promise.all([
      client.set("session:an id", JSON.stringify(data), "PXAT", expiresAt),
      client.zadd("user:1:sessions", expiresAt, "an id"),
      client.pexpireat("user:1:sessions", expiresAt),
    ]);
  },
  open(given) {
    const client = given as Parameters<typeof userSessions.migrateSessions>[0]["client"];
    userSessions.migrateSessions({ client });
    const sessionId = "an id";
    return {
      async read() {
        const data = await userSessions.readSession({ client, sessionId });
        return data === null ? null : String(data.theme);
      },
      write: (theme) =>
        userSessions
          .updateSession({ client, sessionId, data: { theme } })
          .catch((error) => (error.code === "ERR_SESSION_GONE" ? null : Promise.reject(error))),
      end: () => userSessions.deleteSession({ client, sessionId }),
      endAllOfUser: () => userSessions.deleteUserSessions({ client, userId: "1" }),
      moveAll: (cursor = null) => userSessions.moveSessions({ client, cursor }),
    };
  },
};

const SID = "1Yk7xKpVbnW_6q0JqHcNT5dMfS5rLw2s";

const connectRedis: Origin = {
  name: "connect-redis",
  key: `sess:${SID}`,
  indexed: false,
  sessions: "{sess:0}:s:*",
  lay(client, expiresAt = Date.now() + HOUR) {
    const cookie = {
      originalMaxAge: HOUR,
      expires: new Date(expiresAt).toISOString(),
      httpOnly: true,
      path: "/",
    };
    const session = { cookie, theme: "dark", passport: { user: 1 } };
    return client.set(`sess:${SID}`, JSON.stringify(session), "PXAT", expiresAt);
  },
  open(client) {
    const store = new SessionSetsStore({
      client,
      timeout: "20 seconds",
      references: { user_id: { from: (s) => s.passport?.user } },
      migrate: true,
    });
    return {
      read: async () => (await store.get(SID))?.theme ?? null,
      async write(theme) {
        const session = await store.get(SID);
        if (session) await store.set(SID, Object.assign(session, { theme }));
      },
      end: () => store.destroy(SID),
      endAllOfUser: () => store.by("user_id", 1).clear(),
      moveAll: (cursor = null) => store.moveSessions({ cursor }),
    };
  },
};

export const ORIGINS: readonly Origin[] = [koa, rus, connectRedis];

/** The id that a secret of the old layout has in the new one. */
export function hashed(secret: string): string {
  return createHash("sha256").update(secret).digest("base64url").slice(0, 22);
}
