/* connect-redis alone, without express-session: it stores whole sessions, and has no index. */
import { randomBytes } from "node:crypto";
import { openNodeRedis } from "../clients/node-redis.ts";
import { loadPeer } from "../peers.ts";
import { makeAnonymousRecord, makeRecord, SESSION_SECONDS } from "../record.ts";
import type { Subject, SubjectOptions } from "./subject.ts";

interface RedisStore {
  get(id: string): Promise<unknown>;
  set(id: string, session: object): Promise<void>;
  touch(id: string, session: object): Promise<void>;
  destroy(id: string): Promise<void>;
}

interface Module {
  readonly RedisStore: new (options: { client: unknown; ttl: number }) => RedisStore;
}

/** A session as express-session keeps it. */
function makeSession(user: number | null) {
  const cookie = { originalMaxAge: null, expires: null, httpOnly: true, path: "/" };
  return { cookie, ...(user === null ? makeAnonymousRecord() : makeRecord(user)) };
}

export async function openConnectRedis({ url }: SubjectOptions): Promise<Subject> {
  const client = await openNodeRedis(url);
  const { RedisStore } = await loadPeer<Module>("connect-redis");
  const store = new RedisStore({ client, ttl: SESSION_SECONDS });

  async function create(user: number | null): Promise<string> {
    const id = randomBytes(24).toString("base64url");
    await store.set(id, makeSession(user));
    return id;
  }

  return {
    create,
    get: (id) => store.get(id),
    // The whole session: express-session has read it when the request began.
    set: (id, theme) => store.set(id, { ...makeSession(1), theme }),
    touch: (id) => store.touch(id, makeSession(1)),
    async signIn(id, user) {
      await store.destroy(id);
      return create(user);
    },
    end: (id) => store.destroy(id),
    close: () => client.destroy(),
  };
}
