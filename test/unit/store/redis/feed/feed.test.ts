/* A connection to several shards that is lost: when a listener is told that it may have missed something. */
import { expect, onTestFinished, test, vi } from "vitest";
import { Feed } from "../../../../../src/store/redis/feed/feed.ts";
import { createKeys } from "../../../../../src/store/redis/layout/keys.ts";
import type { Executor } from "../../../../../src/store/redis/scripts/executor.ts";
import type {
  Connection,
  Hearing,
  Master,
} from "../../../../../src/store/redis/wire/connection.ts";
import { fakeOwnTimers } from "../../../../support/own-timers.ts";

const SHARDS = [0, 1, 2];

/** A feed of shards on one master, whose connections are made here. */
function serve() {
  const keys = createKeys("app", SHARDS.length);
  let newest: Hearing | undefined;
  const master: Master = {
    name: "a",
    open: () => expect.unreachable("nothing is sent on a connection of its own"),
    listen(_timeout, hearing) {
      newest = hearing;
      return {
        ready: Promise.resolve(),
        subscribe: () => Promise.resolve(),
        unsubscribe: () => Promise.resolve(),
        close() {},
      };
    },
  };
  const executor = {
    async read(_what: string, _script: string, key: string, [nonce]: readonly string[]) {
      const shard = SHARDS.find((one) => key === keys.deriveKey(one, "s:")) ?? 0;
      newest?.onMessage(keys.deriveChannel(shard), `hello ${nonce}`);
      return ["said"];
    },
  };
  const connection = { findMaster: () => master } as unknown as Connection;
  const feed = new Feed(connection, executor as unknown as Executor, keys, 1000);
  return { feed, lose: () => newest?.onLost() };
}

test("who listens to all shards has one gap, and who listens to one is told without delay", async () => {
  fakeOwnTimers();
  // They are heard again after 25, 38 and 50 ms.
  const delays = [0, 0.5, 1];
  const random = vi.spyOn(Math, "random").mockImplementation(() => delays.shift() ?? 0);
  onTestFinished(() => random.mockRestore());
  const { feed, lose } = serve();
  const ofAll = vi.fn();
  await feed.subscribe(SHARDS, { onEvent() {}, onGap: ofAll });
  const ofEach = SHARDS.map(() => vi.fn());
  for (const [i, onGap] of ofEach.entries()) await feed.subscribe([i], { onEvent() {}, onGap });
  const told = () => ofEach.reduce((sum, { mock }) => sum + mock.calls.length, 0);
  lose();
  await vi.advanceTimersByTimeAsync(26);
  expect(told()).toBe(1);
  await vi.advanceTimersByTimeAsync(26);
  expect(ofEach.map(({ mock }) => mock.calls.length)).toEqual([1, 1, 1]);
  await vi.advanceTimersByTimeAsync(70);
  expect(ofAll).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(5000);
  expect(ofAll).toHaveBeenCalledTimes(1);
  expect(told()).toBe(3);
  feed.close();
});
