/* redisess, as its documentation says: the record's fields are additional fields of its sessions. */
import { openIoredis } from "../clients/ioredis.ts";
import { loadPeer } from "../peers.ts";
import { makeAnonymousRecord, makeRecord, SESSION_SECONDS } from "../record.ts";
import type { Subject, SubjectOptions } from "./subject.ts";

interface Session {
  readonly sessionId: string;
  set(field: string, value: unknown): Promise<number>;
}

interface SessionManager {
  create(user: string, fields: object): Promise<Session>;
  get(id: string, noUpdate?: boolean): Promise<Session | undefined>;
  getUserSessions(user: string): Promise<string[]>;
  countForUser(user: string): Promise<number>;
  kill(id: string): Promise<void>;
  killUser(user: string): Promise<void>;
  quit(): void;
}

interface Module {
  readonly SessionManager: new (client: unknown, options: object) => SessionManager;
}

const ADDITIONAL_FIELDS = Object.keys(makeAnonymousRecord());

export async function openRedisess({ url }: SubjectOptions): Promise<Subject> {
  const client = openIoredis(url);
  await client.ping(); // each of its calls would wait for the connection with a listener of its own
  const { SessionManager } = await loadPeer<Module>("redisess");
  const options = { namespace: "app", additionalFields: ADDITIONAL_FIELDS, ttl: SESSION_SECONDS };
  const manager = new SessionManager(client, options);

  async function create(user: number | null): Promise<string> {
    const record = user === null ? makeAnonymousRecord() : makeRecord(user);
    return (await manager.create(`user-${user}`, record)).sessionId;
  }

  return {
    create,
    get: (id) => manager.get(id, true),
    async set(id, theme) {
      const session = await manager.get(id, true);
      return session?.set("theme", theme);
    },
    touch: (id) => manager.get(id), // which also reads the session
    async signIn(id, user) {
      await manager.kill(id);
      return create(user);
    },
    end: (id) => manager.kill(id),
    size: (user) => manager.countForUser(`user-${user}`),
    async list(user) {
      const ids = await manager.getUserSessions(`user-${user}`);
      return Promise.all(ids.map((id) => manager.get(id, true)));
    },
    clear: (user) => manager.killUser(`user-${user}`),
    close() {
      manager.quit();
      client.disconnect();
    },
  };
}
