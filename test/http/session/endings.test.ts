/* Endings of the session of a request, and the causes that its verbs give. */
import { IncomingMessage, ServerResponse } from "node:http";
import { Socket } from "node:net";
import { createSessions, type Ending } from "session-sets";
import { nodeSessions } from "session-sets/node";
import { describe, expect, test } from "vitest";
import { eventually } from "../../support/eventually.ts";

interface Data {
  user_id?: number;
  theme?: string;
}

function shop() {
  const sessions = createSessions<Data>({ references: ["user_id"] });
  const sessionOf = nodeSessions(sessions);
  const open = (token: string) => {
    const req = new IncomingMessage(new Socket());
    Object.assign(req.headers, { host: "shop.example", cookie: `session=${token}` });
    return sessionOf(req, new ServerResponse(req));
  };
  return { sessions, open };
}

const CAUSE = { initiator: "user", reason: "asked to" } as const;

describe("onEnd of a request's session", () => {
  test("tells how it ended, after its rotations too", async () => {
    const { sessions, open } = shop();
    const { token, session } = await sessions.create({ user_id: 1 });
    const told: Ending[] = [];
    await open(token).onEnd((ending) => told.push(ending));
    const rotated = await sessions.rotate(token, { user_id: 1 });
    await sessions.delete(rotated?.token, CAUSE);
    await eventually("it", 1, async () => told.length);
    expect(told).toMatchObject([{ lineage: session.lineage, how: "delete", ...CAUSE }]);
  });

  test("can be stopped", async () => {
    const { sessions, open } = shop();
    const { token, session } = await sessions.create({ user_id: 1 });
    const told: string[] = [];
    const off = await open(token).onEnd(() => told.push("stopped"));
    await sessions.onEnd(session.id, () => told.push("the other"));
    await off();
    await sessions.delete(token);
    await eventually("the other", ["the other"], async () => told);
  });

  test("is refused without a live session, and does not count as use", async () => {
    const { sessions, open } = shop();
    const dead = await sessions.create({ user_id: 1 });
    await sessions.delete(dead.token);
    for (const token of ["", "x", dead.token]) {
      await expect(open(token).onEnd(() => {})).rejects.toMatchObject({
        code: "ERR_SESSION_GONE",
        hint: expect.stringContaining("onEnd needs a live session"),
      });
    }
    const { token, session } = await sessions.create({ user_id: 1 });
    const own = open(token);
    await own.onEnd(() => {});
    expect((await sessions.byId(session.id).get())?.lastSeenAt).toEqual(session.lastSeenAt);
    await own.delete();
    await expect(own.onEnd(() => {})).rejects.toMatchObject({ code: "ERR_SESSION_GONE" });
  });

  test("never goes by a lineage: a first token that leads nowhere finds no session", async () => {
    const { sessions, open } = shop();
    const { token } = await sessions.create({ user_id: 1 });
    await sessions.rotate(token, {}, { grace: 0 });
    await expect(open(token).onEnd(() => {})).rejects.toMatchObject({ code: "ERR_SESSION_GONE" });
  });
});

type Session = ReturnType<ReturnType<typeof shop>["open"]>;

const VERBS: readonly [verb: string, how: string, end: (session: Session) => Promise<unknown>][] = [
  ["delete", "delete", (session) => session.delete(CAUSE)],
  ["delete with keep", "delete", (session) => session.delete({ keep: ["theme"], ...CAUSE })],
  ["unset of the user", "delete", (session) => session.unset(["user_id"], CAUSE)],
  ["set of another user", "sign-in", (session) => session.set({ user_id: 2 }, CAUSE)],
  ["signIn", "sign-in", (session) => session.signIn({ user_id: 1 }, CAUSE)],
  ["rotate to another user", "sign-in", (session) => session.rotate({ user_id: 2 }, CAUSE)],
  ["signOutEverywhere", "delete", (session) => session.signOutEverywhere("user_id", CAUSE)],
  ["clear of peers", "delete", async (s) => (await s.peers("user_id"))?.clear(CAUSE)],
  ["delete of peers", "delete", async (s) => (await s.peers("user_id"))?.delete(s.id ?? "", CAUSE)],
];

test.each(VERBS)("%s tells its own session as %s, with its cause", async (_verb, how, end) => {
  const { sessions, open } = shop();
  const { token, session } = await sessions.create({ user_id: 1, theme: "dark" });
  const told: Ending[] = [];
  await sessions.onEnd(session.id, (ending) => told.push(ending));
  await end(open(token));
  await eventually("it", 1, async () => told.length);
  expect(told).toMatchObject([{ how, ...CAUSE }]);
});

test.each([
  ["signOutOthers", (session: Session) => session.signOutOthers("user_id", CAUSE)],
  ["signOutEverywhere", (session: Session) => session.signOutEverywhere("user_id", CAUSE)],
  ["changeCredentials", (session: Session) => session.changeCredentials("user_id", CAUSE)],
])("%s tells the other sessions as clear, with its cause", async (_verb, end) => {
  const { sessions, open } = shop();
  const { token } = await sessions.create({ user_id: 1 });
  const other = await sessions.create({ user_id: 1 });
  const told: Ending[] = [];
  await sessions.onEnd(other.session.id, (ending) => told.push(ending));
  await end(open(token));
  await eventually("it", 1, async () => told.length);
  expect(told).toMatchObject([{ how: "clear", ...CAUSE }]);
});

test("every verb refuses a wrong cause, and does nothing", async () => {
  const { sessions, open } = shop();
  const { token } = await sessions.create({ user_id: 1 });
  for (const [option, value] of [
    ["initiator", "nobody"],
    ["reason", "x".repeat(201)],
  ] as const) {
    const wrong = { [option]: value } as never;
    const session = open(token);
    const refused = [
      session.delete(wrong),
      session.unset(["user_id"], wrong),
      session.set({ user_id: 2 }, wrong),
      session.signIn({ user_id: 2 }, wrong),
      session.rotate({ user_id: 2 }, wrong),
      session.signOutOthers("user_id", wrong),
      session.signOutEverywhere("user_id", wrong),
      session.changeCredentials("user_id", wrong),
    ];
    for (const one of refused) {
      await expect(one).rejects.toMatchObject({ code: "ERR_SESSION_CONFIG", option });
    }
  }
  expect((await sessions.get(token))?.data.user_id).toBe(1);
});
