import { clearTimeout, setTimeout } from "node:timers";
import type { FeedListener } from "../../feed.ts";

/** The shards of a server are heard again one shortly after the other. They make one gap (ms). */
const GAP_MS = 100;

/** Passes on what several shards tell one listener, until it is stopped. */
export function createRelay(listener: FeedListener, mergesGaps: boolean) {
  let isStopped = false;
  let timer: NodeJS.Timeout | undefined;
  const tellGap = () => {
    timer = undefined;
    listener.onGap();
  };
  const relay: FeedListener = {
    onEvent: (event) => listener.onEvent(event),
    onGap() {
      if (!mergesGaps) listener.onGap();
      else if (!isStopped) timer ??= setTimeout(tellGap, GAP_MS).unref();
    },
  };
  const stop = () => {
    isStopped = true;
    clearTimeout(timer);
  };
  return { relay, stop };
}
