import type { Redis } from "ioredis";
import { createSessions, type SessionStore, type SessionsOptions } from "session-sets";
import { beforeEach, describe } from "vitest";
import { recordedStore } from "./recorded-store.ts";
import { openMemory, openRedis } from "./stores.ts";

type User = number | null;

/** The data of sessions that say by two references who the user is. */
export interface UserData {
  user_id?: User | User[];
  account?: string | null;
  team_ids?: number[];
  cart?: string[];
  theme?: string;
}

export type UserReferences = { user_id: true; account: true; team_ids: { identity: false } };

/** A store that a test has for itself. */
export class UserStore {
  /** The calls of the store since the last time that this was emptied. */
  readonly asked: string[] = [];
  #store!: SessionStore;
  #elapse!: (ms: number) => Promise<void>;

  /** Waits until so much time has passed for the store. */
  elapse(ms: number): Promise<void> {
    return this.#elapse(ms);
  }

  sessions(options: Partial<SessionsOptions<UserData, UserReferences>> = {}) {
    const references: UserReferences = {
      user_id: true,
      account: true,
      team_ids: { identity: false },
    };
    return createSessions<UserData, UserReferences>({ store: this.#store, references, ...options });
  }

  renew({ store, elapse }: ReturnType<typeof openMemory>): void {
    this.#elapse = elapse;
    this.#store = recordedStore(store, (operation) => {
      this.asked.push(operation);
      return undefined;
    });
  }
}

export type UserSessions = ReturnType<UserStore["sessions"]>;

/** Tests on every store; each test has an empty one. */
export function describeUserStores(
  client: Redis,
  title: string,
  define: (opened: UserStore) => void,
): void {
  const stores = {
    "in memory": openMemory,
    "on Redis": () => openRedis(client, 1),
    "on Redis with 4 shards": () => openRedis(client, 4),
  };
  describe.each(Object.entries(stores))(title, (_where, openStore) => {
    const opened = new UserStore();
    beforeEach(() => opened.renew(openStore()));
    define(opened);
  });
}
