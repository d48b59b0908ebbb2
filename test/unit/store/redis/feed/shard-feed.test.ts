/* How a shard is listened to, on connections that are lost at moments which a server rarely meets. */
import { expect, test } from "vitest";
import { Links } from "../../../../../src/store/redis/feed/links.ts";
import { ShardFeed } from "../../../../../src/store/redis/feed/shard-feed.ts";
import type { Hearing, Master } from "../../../../../src/store/redis/wire/connection.ts";

const CHANNEL = "{app:0}:e";
const PLACE = { key: "{app:0}:s:", channel: CHANNEL };
const SILENT = { onEvent() {}, onGap() {} };

/** A server whose connections to listen on are made here. Gives what a hello says on the newest, too. */
function serve(subscribe: (connection: number, hearing: Hearing) => Promise<void>) {
  const said: string[] = [];
  let connections = 0;
  let newest: Hearing | undefined;
  const master: Master = {
    name: "a",
    open: () => expect.unreachable("nothing is sent on a connection of its own"),
    listen(_timeout, hearing) {
      const number = ++connections;
      newest = hearing;
      return {
        ready: Promise.resolve(),
        subscribe: () => subscribe(number, hearing),
        unsubscribe: () => Promise.resolve(),
        close() {},
      };
    },
  };
  const feed = new ShardFeed(PLACE, {
    findMaster: () => master,
    links: new Links(100),
    timeout: 100,
    findRefusal: () => null,
    async sayHello(_key, nonce) {
      said.push(nonce);
      newest?.onMessage(CHANNEL, `hello ${nonce}`);
    },
  });
  return { feed, said };
}

test("no hello is waited for on a connection that was lost right after it subscribed", async () => {
  const { feed, said } = serve(async (connection, hearing) => {
    if (connection === 1) queueMicrotask(() => hearing.onLost());
  });
  await feed.join(SILENT);
  // The first is for the client, which may learn from its answer that the shard has moved.
  expect(said).toEqual(["", expect.stringMatching(/.+/)]);
  feed.close();
});
