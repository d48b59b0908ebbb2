import { createSessions, type ReferenceOptions, type Sessions } from "session-sets";
import { redisStore } from "session-sets/redis";
import { afterAll, beforeAll } from "vitest";
import { redisUrl } from "../redis/shared.ts";
import { checkInvariants } from "./invariants.ts";
import { type Client, clients, freshPrefix } from "./stores.ts";

export type Data = { user_id?: number; team_ids?: number[]; [field: string]: unknown };

const REFERENCES = { user_id: {}, team_ids: { identity: false } } as const;

/** Three programs with clients of their own that share sessions. */
export interface Programs {
  readonly all: readonly [Sessions<Data>, Sessions<Data>, Sessions<Data>];
  /** Asserts the invariants of everything that is kept. */
  check(): Promise<void>;
  keys(): Promise<string[]>;
}

let connections: Client[];

/** Connects for the tests of a file. */
export function useThreePrograms(): void {
  beforeAll(() => {
    const { "ioredis 5": five, "ioredis 6": six } = clients;
    connections = [six, five, six].map((connect) => connect(redisUrl()));
  });
  afterAll(async () => {
    await Promise.all(connections.map((client) => client.quit()));
  });
}

/** Opens them with no session yet. */
export function openPrograms(
  shards = 1,
  references: Record<string, ReferenceOptions> = REFERENCES,
): Programs {
  const prefix = freshPrefix();
  const all = connections.map((client) =>
    createSessions<Data>({
      store: redisStore(client, { prefix, shards, timeout: "20 seconds" }),
      references,
      idleTimeout: "1 hour",
      absoluteTimeout: "1 day",
      rotationGrace: "10 minutes",
    }),
  ) as unknown as Programs["all"];
  const [client] = connections as [Client];
  return {
    all,
    check: () => checkInvariants(client, { prefix, shards, references }),
    keys: () => client.keys(`{${prefix}:*`),
  };
}
