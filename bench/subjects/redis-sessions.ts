/* redis-sessions, as its documentation says. It brings a client of its own, node-redis 4. */
import { loadPeer } from "../peers.ts";
import { makeAnonymousRecord, makeRecord, SESSION_SECONDS } from "../record.ts";
import type { Subject, SubjectOptions } from "./subject.ts";

interface RedisSessions {
  create(options: object): Promise<{ readonly token: string }>;
  get(options: object): Promise<unknown>;
  set(options: object): Promise<unknown>;
  kill(options: object): Promise<unknown>;
  killsoid(options: object): Promise<unknown>;
  soid(options: object): Promise<{ readonly sessions: readonly unknown[] }>;
  quit(): Promise<void>;
}

interface Module {
  readonly default: { default: new (options: object) => RedisSessions };
}

const app = "bench";
const idOf = (user: number | null) => `user-${user}`;

export async function openRedisSessions({ url }: SubjectOptions): Promise<Subject> {
  const module = (await loadPeer<Module>("redis-sessions")).default;
  const sessions = new module.default({ options: { url }, wipe: 0 });

  async function create(user: number | null): Promise<string> {
    const d = user === null ? makeAnonymousRecord() : makeRecord(user);
    const session = { app, id: idOf(user), ip: "127.0.0.1", ttl: SESSION_SECONDS, d };
    return (await sessions.create(session)).token;
  }

  return {
    create,
    get: (token) => sessions.get({ app, token }),
    set: (token, theme) => sessions.set({ app, token, d: { theme } }),
    async signIn(token, user) {
      await sessions.kill({ app, token });
      return create(user);
    },
    end: (token) => sessions.kill({ app, token }),
    list: async (user) => (await sessions.soid({ app, id: idOf(user) })).sessions,
    clear: (user) => sessions.killsoid({ app, id: idOf(user) }),
    close: () => sessions.quit(),
  };
}
