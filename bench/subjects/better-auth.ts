/*
 * better-auth with its secondary storage in Redis. Users are in its adapter for the memory of the
 * process, so that no database is measured, and sessions are made without a password's hash. Requests
 * are read with its public API, signed cookie included.
 */
import { createHmac } from "node:crypto";
import { openIoredis } from "../clients/ioredis.ts";
import { loadPeer } from "../peers.ts";
import { makeAnonymousRecord, makeRecord, SESSION_SECONDS } from "../record.ts";
import type { Subject, SubjectOptions } from "./subject.ts";

interface Sessions {
  createSession(user: string, forget: boolean, fields: object): Promise<{ readonly token: string }>;
  updateSession(token: string, fields: object): Promise<unknown>;
  deleteSession(token: string): Promise<void>;
  listSessions(user: string): Promise<readonly unknown[]>;
  deleteUserSessions(user: string): Promise<void>;
}

interface Auth {
  readonly api: { getSession(request: { headers: Headers }): Promise<unknown> };
  readonly $context: Promise<{ readonly internalAdapter: Sessions }>;
}

const SECRET = "only for the benchmark, and long enough";
const text = { type: "string", required: false } as const;
const number = { type: "number", required: false } as const;
/** The record's fields, but for the user. */
const FIELDS = {
  team_id: number,
  device: text,
  name: text,
  locale: text,
  theme: text,
  cart: text,
  visits: number,
};

export async function openBetterAuth({ url }: SubjectOptions): Promise<Subject> {
  const client = openIoredis(url);
  const { betterAuth } = await loadPeer<{ betterAuth(options: object): Auth }>("better-auth");
  const { memoryAdapter } = await loadPeer<{ memoryAdapter(tables: object): unknown }>(
    "better-auth/adapters/memory",
  );
  const { redisStorage } = await loadPeer<{ redisStorage(options: object): unknown }>(
    "@better-auth/redis-storage",
  );
  const users: object[] = [];
  const known = new Set<string>();
  const auth = betterAuth({
    secret: SECRET,
    baseURL: "http://127.0.0.1",
    database: memoryAdapter({ user: users, session: [], account: [], verification: [] }),
    secondaryStorage: redisStorage({ client }),
    rateLimit: { enabled: false },
    telemetry: { enabled: false },
    session: { expiresIn: SESSION_SECONDS, additionalFields: FIELDS },
  });
  const { internalAdapter: sessions } = await auth.$context;

  async function create(user: number | null): Promise<string> {
    const id = `user-${user}`;
    if (!known.has(id)) {
      known.add(id);
      const now = new Date();
      const email = `${id}@example.com`;
      users.push({ id, name: id, email, emailVerified: true, createdAt: now, updatedAt: now });
    }
    const { user_id: _, ...fields } = user === null ? makeAnonymousRecord() : makeRecord(user);
    return (await sessions.createSession(id, false, fields)).token;
  }

  function signCookie(token: string): string {
    const signature = createHmac("sha256", SECRET).update(token).digest("base64");
    return `better-auth.session_token=${encodeURIComponent(`${token}.${signature}`)}`;
  }

  return {
    create,
    get: (token) => auth.api.getSession({ headers: new Headers({ cookie: signCookie(token) }) }),
    set: (token, theme) => sessions.updateSession(token, { theme }),
    touch: (token) =>
      sessions.updateSession(token, { expiresAt: new Date(Date.now() + SESSION_SECONDS * 1000) }),
    async signIn(token, user) {
      await sessions.deleteSession(token);
      return create(user);
    },
    end: (token) => sessions.deleteSession(token),
    list: (user) => sessions.listSessions(`user-${user}`),
    clear: (user) => sessions.deleteUserSessions(`user-${user}`),
    close: () => client.disconnect(),
  };
}
