/* What of endings compiles and what must not. Compiled by test/package/types.test.ts, never run. */
import {
  createSessions,
  type Ending,
  type EndingGap,
  type Initiator,
  type ToldEnding,
} from "session-sets";
import { SessionSetsStore } from "session-sets/compat/express-session";
import { nodeSessions } from "session-sets/node";
import { type Equal, same } from "./equal.ts";

const sessions = createSessions({ data: {} as { user_id?: number }, references: ["user_id"] });
declare const request: import("node:http").IncomingMessage;

export async function watching() {
  const off = await sessions.onEnd("an id", (ending) => {
    same<Equal<typeof ending, Ending>>();
    same<Equal<typeof ending.id | typeof ending.lineage, string>>();
    same<Equal<typeof ending.at, Date>>();
    // @ts-expect-error a gap is for endings() alone
    if (ending.how === "gap") return;
    if (ending.how === "expire" || ending.how === "unknown")
      same<Equal<typeof ending.reason, null>>();
    else same<Equal<typeof ending.initiator, Initiator | null>>();
  });
  same<Equal<typeof off, () => Promise<void>>>();
  await sessions.onEnd("an id", async ({ how }) => console.log(how));
  await nodeSessions(sessions)(request).onEnd(({ how }) => console.log(how));
  await new SessionSetsStore().onEnd("a sid", ({ how }) => console.log(how));
  // @ts-expect-error a callback is needed
  await sessions.onEnd("an id");
}

export async function looping() {
  for await (const ending of sessions.endings()) {
    same<Equal<typeof ending, ToldEnding | EndingGap>>();
    // @ts-expect-error a gap has no id
    console.log(ending.id);
    if (ending.how === "gap") {
      same<Equal<typeof ending, EndingGap>>();
      continue;
    }
    same<Equal<typeof ending, ToldEnding>>();
    // @ts-expect-error endings() has no sessions that expire
    if (ending.how === "expire") return;
  }
}

export async function causes() {
  const cause = { initiator: "admin", reason: "stolen laptop" } as const;
  await sessions.delete("", cause);
  await sessions.byId("").delete(cause);
  await sessions.by("user_id", 1).delete("", cause);
  await sessions.by("user_id", 1).clear({ ...cause, except: null });
  await sessions.by("user_id", 1).trim({ ...cause, keep: 1 });
  await sessions.signIn("", { user_id: 1 }, cause);
  await sessions.rotate("", {}, cause);
  const session = nodeSessions(sessions)(request);
  await session.set({ user_id: 1 }, cause);
  await session.unset(["user_id"], cause);
  await session.signIn({ user_id: 1 }, cause);
  await session.rotate({}, cause);
  await session.delete(cause);
  await session.signOutOthers("user_id", cause);
  await session.signOutEverywhere("user_id", cause);
  await session.changeCredentials("user_id", cause);
  await new SessionSetsStore().by("user_id", 1).delete("", cause);
  await new SessionSetsStore().by("user_id", 1).clear(cause);
  // @ts-expect-error an initiator is one of four words
  await sessions.delete("", { initiator: "nobody" });
  // @ts-expect-error a reason is a text
  await sessions.delete("", { reason: 7 });
  // @ts-expect-error create ends nothing
  await sessions.create({}, cause);
}
