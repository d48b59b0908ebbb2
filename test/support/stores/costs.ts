/* A store whose commands and round trips are counted by a proxy in front of a real server. */
import { createSessions, type Sessions } from "session-sets";
import { redisStore } from "session-sets/redis";
import { expect } from "vitest";
import { type CommandProxy, openProxy } from "../redis/proxy.ts";
import { type Client, freshPrefix } from "./stores.ts";

export interface Data {
  user_id?: number;
  team_ids?: number[];
  theme?: string;
}

export interface Cost {
  readonly commands: number;
  readonly roundTrips: number;
}

export interface Meter {
  readonly proxy: CommandProxy;
  /** The client behind the proxy. */
  readonly client: Client;
  measure(operation: () => Promise<unknown>): Promise<Cost>;
  /** Fails unless the operation takes this many commands, each a round trip where nothing else is said. */
  expectCost(
    operation: () => Promise<unknown>,
    commands: number,
    roundTrips?: number,
  ): Promise<void>;
  /** The names of the commands of the last operation. */
  sent(): string[];
  close(): Promise<void>;
}

export async function openMeter(url: string, connect: (url: string) => Client): Promise<Meter> {
  const proxy = await openProxy(Number(new URL(url).port));
  const client = connect(proxy.url);
  await client.ping(); // what a client says when it connects is not the store's
  async function measure(operation: () => Promise<unknown>): Promise<Cost> {
    proxy.reset();
    await operation();
    return { commands: proxy.commands.length, roundTrips: proxy.roundTrips };
  }
  return {
    proxy,
    client,
    measure,
    expectCost: async (operation, commands, roundTrips = commands) =>
      expect(await measure(operation)).toEqual({ commands, roundTrips }),
    sent: () => proxy.commands.map(([name = ""]) => name.toUpperCase()),
    async close() {
      await client.quit();
      await proxy.close();
    },
  };
}

/** Sessions that no other test has, in a store of this many shards. */
export function openSessions(client: Client, shards: number): Sessions<Data> {
  return createSessions<Data>({
    store: redisStore(client, { prefix: freshPrefix(), shards, timeout: "20 seconds" }),
    references: { user_id: {}, team_ids: { identity: false } },
    idleTimeout: "2 hours",
    absoluteTimeout: "28 days",
  });
}

/** Does everything once, so that the server knows the scripts and the store the server's time. */
export async function warmUp(sessions: Sessions<Data>): Promise<void> {
  const { token: old } = await sessions.create({ user_id: 0 });
  const { token, session } = await sessions.signIn(old, { user_id: 0 });
  await sessions.set(token, { theme: "dark" });
  await sessions.set(token, { team_ids: [0] }); // which another script does
  const set = sessions.by("user_id", 0);
  await set.size();
  await set.has(session.id);
  await set.list();
  await iterate(set);
  await set.set({ theme: "light" });
  await set.delete(session.id);
  await set.clear();
}

export async function iterate(set: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of set);
}
