/* What @spots-tech/sessions documents where there is no session, and what its code did: `missing: "reject"`. */
import { randomBytes } from "node:crypto";
import { inspect } from "node:util";
import { SessionError } from "session-sets";
import {
  type OfToken,
  type OnMissing,
  SpotsSessions,
  type SpotsSessionsOptions,
} from "session-sets/compat/spots-sessions";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { startRedis } from "../../support/redis/server.ts";
import { redisUrl } from "../../support/redis/shared.ts";
import { read } from "../../support/sources.ts";
import { elapseOn } from "../../support/stores/stores.ts";

const connectionString = redisUrl();
let answering: SpotsSessions;
let rejecting: SpotsSessions<"reject">;
beforeAll(() => {
  answering = new SpotsSessions({ connectionString });
  rejecting = new SpotsSessions({ connectionString, missing: "reject" });
});
afterAll(async () => {
  await answering.client.quit();
  await rejecting.client.quit();
});

let app: string;
beforeEach(() => {
  app = `app-${randomBytes(8).toString("hex")}`;
});

const create = (more: object = {}) =>
  rejecting.create({ app, ownerId: "eva", data: { n: 1 }, duration: 3600, ...more });

type Method = (sessions: SpotsSessions, of: OfToken) => Promise<unknown>;
/** Each method whose code rejected, and what its documentation says instead. */
const METHODS: readonly (readonly [name: string, call: Method, documented: unknown])[] = [
  ["get", (sessions, of) => sessions.get(of), undefined],
  ["refresh", (sessions, of) => sessions.refresh({ ...of, duration: 60 }), false],
  ["update", (sessions, of) => sessions.update({ ...of, data: { a: 1 } }), false],
  ["kill", (sessions, of) => sessions.kill(of), false],
];

/** Tokens of no session, as programs come to have them. */
const NONE: Readonly<Record<string, (token: string) => unknown>> = {
  "that was never made": () => randomBytes(128).toString("base64"),
  "that is cut short": (token) => token.slice(0, -1),
  "that goes on": (token) => `${token}A`,
  "that is undefined, as a cookie that is not there": () => undefined,
  "that is null": () => null,
  "that is empty": () => "",
  "that is a pattern": () => "*",
  "that is a number": () => 5,
  "that is a list": (token) => [token],
  "that is an object": () => ({ toString: () => "*" }),
  "that is a symbol": () => Symbol("x"),
};

/** The error of a session that is not there: it says what to do, and holds no token. */
async function expectGone(call: Promise<unknown>, token: string): Promise<void> {
  const error = await call.then(
    (answer) => expect.unreachable(`resolved to ${inspect(answer)}`),
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(SessionError);
  expect(error).toMatchObject({ code: "ERR_SESSION_GONE", hint: expect.stringMatching(/create/) });
  const all = inspect(error, { showHidden: true, depth: 9 }) + JSON.stringify(error);
  for (let at = 0; at + 12 <= token.length; at += 12) {
    expect(all).not.toContain(token.slice(at, at + 12));
  }
}

describe.each(METHODS)("%s", (_name, call, documented) => {
  test.each(Object.entries(NONE))("of a token %s", async (_what, tokenOf) => {
    const token = await create();
    const of = { app, token: tokenOf(token) as string };
    expect(await call(answering, of)).toBe(documented);
    await expectGone(call(rejecting, of), token);
    expect(await rejecting.get({ app, token })).toEqual({ ownerId: "eva", data: { n: 1 } });
  });

  test("of a session that was killed, that has expired, or that is another app's", async () => {
    const killed = await create();
    await rejecting.kill({ app, token: killed });
    const together = await create({ ownerId: "bob" });
    await rejecting.killAll({ app, ownerId: "bob" });
    const expired = await create({ duration: 0.01 });
    await elapseOn(rejecting.client, 20);
    const other = await create();
    for (const of of [
      { app, token: killed },
      { app, token: together },
      { app, token: expired },
      { app: `${app}2`, token: other },
    ]) {
      expect(await call(answering, of)).toBe(documented);
      await expectGone(call(rejecting, of), of.token);
    }
  });

  test("of a session that is there is the same with and without `missing`", async () => {
    const [one, two] = [await create(), await create()];
    const answer = await call(rejecting, { app, token: one });
    expect(answer).toEqual(await call(answering, { app, token: two }));
    expect(answer).not.toBe(documented);
    expect(answer).toBeTruthy();
  });

  test("refuses what cannot work as before: that is no session that is missing", async () => {
    const token = await create();
    for (const sessions of [answering, rejecting]) {
      await expect(call(sessions, { app: {} as string, token })).rejects.toMatchObject({
        code: "ERR_SESSION_VALUE",
      });
    }
  });
});

test("killAll never rejected, and never does where an owner has no session", async () => {
  expect(await rejecting.killAll({ app, ownerId: "eva" })).toBe(false);
  await create();
  expect(await rejecting.killAll({ app, ownerId: "eva" })).toBe(true);
  expect(await rejecting.killAll({ app, ownerId: "eva" })).toBe(false);
});

test("of several who kill one session at once, one does", async () => {
  const token = await create();
  const calls = Array.from({ length: 10 }, () => rejecting.kill({ app, token }));
  const settled = await Promise.allSettled(calls);
  expect(settled.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  for (const one of settled) {
    if (one.status === "rejected") expect(one.reason.code).toBe("ERR_SESSION_GONE");
  }
});

test("a guard that catches lets nobody in with `missing`, and everybody without", async () => {
  const guard = async (sessions: SpotsSessions, token: string) => {
    try {
      await sessions.refresh({ app, token, duration: 60 });
    } catch {
      return 401;
    }
    return 200;
  };
  const token = await create();
  expect(await guard(rejecting, token)).toBe(200);
  expect(await guard(rejecting, "made up")).toBe(401);
  expect(await guard(answering, "made up")).toBe(200);
});

test("the migration page begins with this guard, in bold", () => {
  const [, bold = ""] =
    /^# .+\n\n\*\*([^*]+)\*\*\n/.exec(read("docs/migrate/spots-sessions.md")) ?? [];
  for (const said of ["catch { return 401 }", 'missing: "reject"', "`undefined`", "`false`"]) {
    expect(bold).toContain(said);
  }
});

test("a server that is down is no session that is missing", async () => {
  const server = await startRedis();
  const sessions = new SpotsSessions({ connectionString: server.url, missing: "reject" });
  sessions.client.on("error", () => {});
  const token = await sessions.create({ app, ownerId: "eva", duration: 60 });
  await server.stop();
  const calls = METHODS.map(([, call]) => call(sessions, { app, token }));
  for (const outcome of await Promise.allSettled(calls)) {
    expect(outcome).toMatchObject({
      status: "rejected",
      reason: { code: "ERR_STORE_UNAVAILABLE" },
    });
  }
  sessions.client.disconnect();
});

test.each([
  null,
  true,
  false,
  "",
  "Reject",
  "throw",
  "undefined",
  1,
  {},
  ["reject"],
  () => "reject",
])("missing: %o is refused", (missing) => {
  const options: SpotsSessionsOptions = { connectionString, missing: missing as OnMissing };
  expect(() => new SpotsSessions(options)).toThrow(
    expect.objectContaining({
      code: "ERR_SESSION_CONFIG",
      message: expect.stringContaining('missing must be "reject", or be left out'),
    }),
  );
});

test("missing: undefined is to leave it out", async () => {
  const sessions = new SpotsSessions({ connectionString, missing: undefined });
  expect(await sessions.get({ app, token: "none" })).toBeUndefined();
  await sessions.client.quit();
});
