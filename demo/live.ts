import type { Session } from "session-sets";
import type { Context, Data } from "./context.ts";

/**
 * The script of the pages of signed-in users. It leaves for the sign-in page when the session has ended, which
 * says why, and loads the list of devices anew when another device was signed out. Pages work without it.
 */
export const LIVE_SCRIPT = `const events = new EventSource("/events");
const leave = (how) => location.assign("/sign-in?ended=" + how);
events.addEventListener("ended", ({ data }) => { events.close(); leave(data); });
events.addEventListener("changed", () => { if (location.pathname === "/") location.reload(); });
events.addEventListener("error", async () => {
  if (events.readyState !== EventSource.CLOSED) return; // it connects again by itself
  const page = await fetch("/", { redirect: "manual" });
  if (page.type === "opaqueredirect") leave("unknown"); // the session ended before this page listened
});
`;

/** Tells a page of a signed-in user when its session ends, and when one of the user's others does. */
export async function streamEvents(ctx: Context, here: Session<Data>): Promise<void> {
  const { res } = ctx;
  const peers = await ctx.session.peers("user_id");
  const others = ((await peers?.list()) ?? []).filter(({ lineage }) => lineage !== here.lineage);
  const offs = await Promise.all([
    ctx.session.onEnd(({ how }) => res.end(`event: ended\ndata: ${how}\n\n`)),
    ...others.map(({ lineage }) =>
      ctx.state.sessions.onEnd(lineage, () => res.write("event: changed\ndata:\n\n")),
    ),
  ]);
  res.on("close", () => {
    for (const off of offs) void off();
  });
  ctx.respond = false; // Koa would report each browser that leaves as an error
  res.writeHead(200, { "Content-Type": "text/event-stream", "Cache-Control": "no-store" });
  res.write(": listening\n\n");
}
