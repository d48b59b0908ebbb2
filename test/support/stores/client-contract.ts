/* The store's contract with each kind of client of one place. */
import { Redis } from "ioredis";
import { redisStore } from "session-sets/redis";
import { commandContract, feedContract, storeContract } from "session-sets/testing";
import { afterAll, beforeAll, describe, test } from "vitest";
import { redisUrl } from "../redis/shared.ts";
import { type Connect, canListen, type StoreClient, singleClients } from "./clients.ts";
import { type Client, clients, elapseOn, freshPrefix, openRedis } from "./stores.ts";

export interface Place {
  /** Where to connect the clients. */
  readonly port: () => number;
  /** A server whose clock is that of the place. */
  readonly clockPort: () => number;
  readonly shards: number;
}

export function clientContract(
  where: string,
  clients: Readonly<Record<string, Connect>>,
  { port, clockPort, shards }: Place,
): void {
  describe.concurrent.each(Object.entries(clients))(
    `the Redis store ${where}, with %s`,
    (kind, connect) => {
      let opened: StoreClient;
      let clock: Redis;
      beforeAll(async () => {
        opened = await connect(port());
        clock = new Redis(clockPort());
      });
      afterAll(async () => {
        clock?.disconnect();
        await opened?.close();
      });

      const feed = canListen(kind) ? feedContract : [];
      for (const { name, run } of [...storeContract, ...commandContract, ...feed]) {
        test(name, () =>
          run(async () => {
            const prefix = freshPrefix();
            const store = redisStore(opened.client, { prefix, shards, timeout: "20 seconds" });
            return {
              store,
              elapse: (ms) => elapseOn(clock, ms),
              close: () => store.close(),
            };
          }),
        );
      }
    },
  );
}

/** The contract on the server that all tests share, with some of the kinds of client: they are several files. */
export function singleContract(has: (kind: string) => boolean): void {
  const port = () => Number(new URL(redisUrl()).port);
  const some = Object.entries(singleClients).filter(([kind]) => has(kind));
  const place = { port, clockPort: port, shards: 1 };
  clientContract("on one server", Object.fromEntries(some), place);
}

/** The contract on the server that all tests share, with this many shards, and ioredis in these versions. */
export function shardsContract(shards: number, kinds: readonly (keyof typeof clients)[]): void {
  describe.each(kinds)(`the Redis store with ${shards} shard(s) and %s`, (kind) => {
    let client: Client;
    beforeAll(() => {
      client = clients[kind](redisUrl());
    });
    afterAll(() => client.quit());

    for (const { name, run } of [...storeContract, ...commandContract, ...feedContract]) {
      test.concurrent(name, () => run(async () => openRedis(client, shards)));
    }
  });
}
