/* When one who listens to several shards is told that something may have been missed. */
import { expect, test, vi } from "vitest";
import { createRelay } from "../../../../../src/store/redis/feed/relay.ts";
import { fakeOwnTimers } from "../../../../support/own-timers.ts";

function listen(mergesGaps: boolean) {
  fakeOwnTimers();
  const onGap = vi.fn();
  return { ...createRelay({ onEvent() {}, onGap }, mergesGaps), onGap };
}

test("the gaps of shards that are heard again within 100 ms are one, told after that", () => {
  const { relay, onGap } = listen(true);
  for (let loss = 1; loss <= 2; loss++) {
    relay.onGap();
    vi.advanceTimersByTime(1);
    relay.onGap();
    vi.advanceTimersByTime(98);
    relay.onGap();
    expect(onGap).toHaveBeenCalledTimes(loss - 1);
    vi.advanceTimersByTime(1);
    expect(onGap).toHaveBeenCalledTimes(loss);
    vi.advanceTimersByTime(10_000);
    expect(onGap).toHaveBeenCalledTimes(loss);
  }
});

test("a shard that is heard again later is told of anew", () => {
  const { relay, onGap } = listen(true);
  for (let times = 1; times <= 3; times++) {
    relay.onGap();
    vi.advanceTimersByTime(100);
    expect(onGap).toHaveBeenCalledTimes(times);
  }
});

test("who listens to one shard is told at once", () => {
  const { relay, onGap } = listen(false);
  relay.onGap();
  expect(onGap).toHaveBeenCalledTimes(1);
});

test("who listens no more is told nothing", () => {
  const { relay, stop, onGap } = listen(true);
  relay.onGap();
  stop();
  relay.onGap();
  vi.advanceTimersByTime(10_000);
  expect(onGap).not.toHaveBeenCalled();
});
