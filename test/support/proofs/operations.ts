/* Every operation on a session and on a session set, for tests that let them fail. */

import type { SessionStore } from "session-sets";
import { createSessions, type Session, SessionError, type Sessions } from "session-sets";
import { koaSessions } from "session-sets/koa";
import { expect } from "vitest";
import type { CommandStore } from "../../../src/store/commanding.ts";
import { command, commandStore, createMerge } from "../../../src/testing/commands/steps.ts";
import { newIdBeside } from "../../../src/testing/ids.ts";
import { readDetails } from "../error-details.ts";
import { contextWith } from "../http/request.ts";
import type { Client } from "../stores/stores.ts";

export interface Data {
  user_id?: number;
  team_ids?: number[];
  secret?: string;
}

/** A text that no error may ever show. */
export const SECRET = "do-not-show-me";

/** The stores of the sessions, which give them to nobody. */
const stores = new WeakMap<object, SessionStore>();

export function createSessionsOn(store: SessionStore): Sessions<Data> {
  const sessions = createSessions<Data>({
    store,
    references: { user_id: {}, team_ids: { identity: false } },
    idleTimeout: "1 hour",
    absoluteTimeout: "1 day",
  });
  stores.set(sessions, store);
  return sessions;
}

export interface Made {
  /** That of before a rotation, which still leads to the session. */
  readonly oldToken: string;
  readonly token: string;
  readonly session: Session<Data>;
}

const VALUES: Data = { user_id: 1, team_ids: [1, 2], secret: SECRET };

export async function makeSession(sessions: Sessions<Data>): Promise<Made> {
  const { token: oldToken } = await sessions.create(VALUES);
  const rotated = await sessions.rotate(oldToken, {}, { grace: "1 hour" });
  if (!rotated?.token) throw new Error("the session has ended");
  return { oldToken, ...rotated };
}

interface Operation {
  /** The operation that its errors name; `|` stands between several. */
  readonly does: string;
  /** Its need of the server: to read, to write, or to write with more memory. */
  readonly needs: "read" | "write" | "memory";
  run(): Promise<unknown>;
}

/** Each has something to do with a session that was just made. */
export function operations(
  sessions: Sessions<Data>,
  { oldToken, token, session }: Made,
): Record<string, Operation> {
  const user = sessions.by("user_id", 1);
  const team = sessions.by("team_ids", 1);
  const commands = () => commandStore(stores.get(sessions) as CommandStore);
  const request = () => koaSessions(sessions).of(contextWith(`session=${token}`));
  const operation = (does: string, needs: Operation["needs"], run: Operation["run"]) => ({
    does,
    needs,
    run,
  });
  return {
    get: operation("read a session", "read", () => sessions.get(token)),
    "get of fields": operation("read a session", "read", () => sessions.get(token, ["secret"])),
    "get by an old token": operation("read a session", "read", () => sessions.get(oldToken)),
    "get by id": operation("read a session", "read", () => sessions.byId(session.id).get()),
    size: operation("count a session set", "read", () => user.size()),
    has: operation("look into a session set", "read", () => user.has(session.id)),
    list: operation("list a session set", "read", () => user.list()),
    "a page of the list": operation("list a session set", "read", () =>
      user.list({ limit: 10, after: session }),
    ),
    ids: operation("read a session set", "read", () => user.ids()),
    iterating: operation("read a session set", "read", async () => {
      for await (const _ of user);
    }),
    reindex: operation(
      "scan all keys|read a session|compare a session with its sets|reindex a session or a set",
      "read",
      async () => {
        for await (const _ of sessions.reindex());
      },
    ),
    create: operation("create a session", "memory", () => sessions.create(VALUES)),
    "get by lineage": operation("read a session", "read", () =>
      sessions.byId(session.lineage).get(),
    ),
    "has by lineage": operation("look into a session set", "read", () => user.has(session.lineage)),
    set: operation("change a session", "memory", () => sessions.set(token, { team_ids: [1, 3] })),
    "set of a set": operation("change a session set", "memory", () => user.set({ secret: "x" })),
    "rotate with the same user": operation("change a session", "memory", () =>
      sessions.rotate(token, { user_id: 1 }),
    ),
    "rotate with changes": operation("change a session", "memory", () =>
      sessions.rotate(token, { user_id: 2 }),
    ),
    "sign in again": operation("sign in", "memory", () =>
      sessions.signIn(token, { user_id: 1, team_ids: [1, 2] }, { keep: ["secret"] }),
    ),
    "sign in as another": operation("sign in", "memory", () =>
      sessions.signIn(oldToken, { user_id: 2 }),
    ),
    "change of credentials": operation(
      "read a session|change a session|end a session set",
      "write",
      () => request().changeCredentials("user_id"),
    ),
    touch: operation("change a session", "write", () => sessions.touch(token)),
    "command that moves the end": operation("change a session", "write", () =>
      command(commands(), session.id, { absoluteTimeout: 3_600_000 }),
    ),
    "command that replaces": operation("change a session", "memory", () =>
      command(commands(), session.id, {
        set: { user_id: "1", team_ids: "[1,2]" },
        references: { user_id: ["1"], team_ids: ["1", "2"] },
        replace: true,
      }),
    ),
    "command that makes": operation("change a session", "memory", () =>
      command(commands(), newIdBeside(session.id), { create: true, absoluteTimeout: 3_600_000 }),
    ),
    "command that merges": operation("change a session", "memory", () =>
      commands().command(session.id, createMerge(newIdBeside(session.id), "2")),
    ),
    unset: operation("change a session", "write", () => sessions.unset(token, ["secret"])),
    "unset of a set": operation("change a session set", "write", () => user.unset(["secret"])),
    rotate: operation("change a session", "write", () => sessions.rotate(token)),
    "clear but one": operation("end a session set", "write", () =>
      user.clear({ except: session.id }),
    ),
    "delete of a set": operation("end a session", "write", () => user.delete(session.id)),
    clear: operation("end a session set", "write", () => team.clear()),
    "sign out everywhere": operation(
      "read a session|end a session set|end a session",
      "write",
      () => request().signOutEverywhere("user_id"),
    ),
    "delete by lineage": operation("end a session", "write", () =>
      sessions.byId(session.lineage).delete(),
    ),
    "delete by id": operation("end a session", "write", () => sessions.byId(session.id).delete()),
    delete: operation("end a session", "write", () => sessions.delete(token)),
  };
}

/** Runs every operation with a session of its own, and gives what each resolved to. */
export async function runAll(sessions: Sessions<Data>): Promise<Map<string, unknown>> {
  const results = new Map<string, unknown>();
  for (const name of Object.keys(operations(sessions, await makeSession(sessions)))) {
    const made = await makeSession(sessions);
    results.set(name, await operations(sessions, made)[name]?.run());
  }
  return results;
}

/** The error that an operation fails with: of the store, saying what failed and what to do. */
export async function catchFailure({ does, run }: Operation): Promise<SessionError> {
  const error: unknown = await run().then(
    () => new Error(`It did ${does}.`),
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(SessionError);
  const failure = error as SessionError;
  expect(failure.code, failure.message).toBe("ERR_STORE_UNAVAILABLE");
  expect(failure.status).toBe(503);
  expect(failure.message).toMatch(couldNot(does));
  expect(does.split("|"), failure.message).toContain(readDetails(failure).operation);
  return failure;
}

/** How an error begins to say what an operation could not do. */
export function couldNot(does: string | undefined): RegExp {
  return new RegExp(`could not (?:${does}): `);
}

/** Every key on the server, with its value and when it expires. */
export async function snapshot(client: Client): Promise<Record<string, unknown>> {
  const all: Record<string, unknown> = {};
  for (const key of (await client.keys("*")).sort()) {
    all[key] = [await readContent(client, key), await client.pexpiretime(key)];
  }
  return all;
}

async function readContent(client: Client, key: string): Promise<unknown> {
  switch (await client.type(key)) {
    case "hash":
      return client.hgetall(key);
    case "zset":
      return client.call("ZRANGE", key, "0", "-1", "WITHSCORES");
    case "set":
      return (await client.smembers(key)).sort();
    default:
      return client.get(key);
  }
}
