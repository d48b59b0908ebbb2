import { setTimeout as sleep } from "node:timers/promises";
import { SessionError } from "session-sets";
import type { Context } from "./context.ts";
import { readCorner, type Visit } from "./corner.ts";
import { countDevices, renderDevices } from "./views/devices.ts";
import { describeEnding } from "./views/endings.ts";

/** A store tells how sessions end, but not of sign-ins and touches: those are seen by looking. */
const LOOK_EVERY_MS = 500;

/**
 * The script of the pages of signed-in users. It leaves for the sign-in page when the session has ended, which
 * says why, and replaces the parts of the page that have changed. Pages work without it.
 */
export const LIVE_SCRIPT = `const leave = (why) => location.assign("/sign-in?ended=" + why);
function listen() {
  const events = new EventSource("/events");
  events.addEventListener("ended", ({ data }) => { events.close(); leave(data); });
  events.addEventListener("changed", ({ data }) => {
    for (const [id, content] of Object.entries(JSON.parse(data))) replace(document.getElementById(id), content);
  });
  events.addEventListener("error", async () => {
    if (events.readyState !== EventSource.CLOSED) return; // it connects again by itself
    const page = await fetch("/", { redirect: "manual" }).catch(() => null);
    if (page?.type === "opaqueredirect") leave("unknown"); // the session ended before this page listened
    else setTimeout(listen, 1000); // the store is down
  });
}
listen();
function replace(part, content) {
  if (!part || part.innerHTML === content) return;
  const focused = part.contains(document.activeElement) ? document.activeElement.id : "";
  const open = new Map(Array.from(part.querySelectorAll("details"), (one) => [one.id, one.open]));
  part.innerHTML = content;
  for (const one of part.querySelectorAll("details")) one.open = open.get(one.id) ?? one.open;
  if (focused) document.getElementById(focused)?.focus();
}
`;

/**
 * Tells a page of a signed-in user when its session ends, and what has changed of the user's sessions. It does
 * not count as use: an open page keeps no session alive.
 */
export async function streamEvents(ctx: Context, visit: Visit): Promise<void> {
  const { res } = ctx;
  const { sessions } = ctx.state;
  const { user, session: here } = visit;
  const csrf = ctx.session.createCSRFToken();
  const closed = new AbortController();
  res.on("close", () => closed.abort());
  ctx.respond = false; // Koa would report each browser that leaves as an error
  res.writeHead(200, { "Content-Type": "text/event-stream", "Cache-Control": "no-store" });
  res.write(": listening\n\n");
  const pause = () =>
    sleep(LOOK_EVERY_MS, undefined, { ref: false, signal: closed.signal }).catch(() => {});

  const sent = new Map<string, string>();
  const look = async () => {
    const [listed, corner] = await Promise.all([
      // While the store is down, the list stays as it is, and the corner says why.
      sessions
        .by("user_id", user.id)
        .list()
        .catch(() => null),
      readCorner(ctx, visit),
    ]);
    const parts = {
      store: corner.text,
      ...(listed && {
        news: `${countDevices(listed.length)} signed in.`,
        devices: renderDevices({ csrf, user, here, sessions: listed }).text,
      }),
    };
    const changed = Object.entries(parts).filter(([id, text]) => sent.get(id) !== text);
    for (const [id, text] of changed) sent.set(id, text);
    if (changed.length > 0 && !closed.signal.aborted) {
      res.write(`event: changed\ndata: ${JSON.stringify(Object.fromEntries(changed))}\n\n`);
    }
  };
  const follow = async () => {
    while (!closed.signal.aborted) {
      await look();
      await pause();
    }
  };
  /** If the store is down, it listens as soon as it is back. */
  const listen = async () => {
    while (!closed.signal.aborted) {
      try {
        return await sessions.onEnd(here.lineage, ({ how, reason }) => {
          closed.abort();
          res.end(`event: ended\ndata: ${describeEnding(reason) ? reason : how}\n\n`);
        });
      } catch (error) {
        const isDown = error instanceof SessionError && error.code === "ERR_STORE_UNAVAILABLE";
        if (!isDown) throw error;
        await pause();
      }
    }
    return null;
  };
  void follow();
  const off = await listen();
  if (closed.signal.aborted) return off?.();
  closed.signal.addEventListener("abort", () => void off?.());
}
