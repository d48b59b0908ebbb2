import { randomBytes } from "node:crypto";
import { SessionError } from "../../shared/errors.ts";
import { readSafely } from "../../shared/given.ts";
import { waitForAll } from "../../shared/wait-for-all.ts";
import type { Command } from "../../store/commanding.ts";
import { createChange } from "../shared/change.ts";
import {
  decodeRecord,
  decodeText,
  encodeFieldName,
  encodeRecord,
  encodeText,
  toJSONRecord,
} from "../shared/json-record.ts";
import { readCall, type WithClient, type WithSessionId, type WithUserId } from "./calls.ts";
import { parseTimestamp } from "./iso-timestamp.ts";
import { findMigrator } from "./migration.ts";
import { getStore } from "./store.ts";
import { createUserReference } from "./user.ts";

/** The properties of every session. It can have any others that JSON can write. */
export interface SessionData {
  userId: string;
  /** When the session ends: an ISO 8601 timestamp with its offset, such as `toISOString()` gives. */
  expires: string;
}

/** A session as it is listed. */
export interface ListedSession<Data> {
  sessionId: string;
  data: Data;
}

/** A session's data if their type is not named: the properties of every session, and any others. */
export type ReadData = SessionData & { [name: string]: unknown };

/** A session's id is its token here, so it is as hard to guess as any token. */
const ID_BYTES = 24;
/** How many sessions of a user are changed at once. */
const MAX_BATCH_SESSIONS = 100;

/**
 * Makes a session that ends at `data.expires`. It replaces a session of the same id and user. Resolves to
 * its id: the given one, or else 32 characters made of 192 random bits.
 *
 * A moment in the past is no error; there is no session then.
 *
 * @throws SessionError ERR_SESSION_VALUE for data without a `userId` or a timestamp, or that JSON
 * cannot write, and where the id is that of another user's session, which stays as it is.
 */
export async function createSession<Data extends SessionData>(
  options: WithClient & { sessionId?: string | undefined; data: Data },
): Promise<string> {
  const { client, data, sessionId } = readCall("createSession", options);
  const record = toJSONRecord("data", data);
  const user = createUserReference(record.userId);
  const id = sessionId === undefined ? randomBytes(ID_BYTES).toString("base64url") : sessionId;
  if (typeof id !== "string") throw createRefusedError("sessionId must be a string", "sessionId");
  const absoluteDeadline = parseTimestamp(record.expires);
  if (sessionId !== undefined) await findMigrator(client)?.migrate(id);
  const { state } = await getStore(client).command(encodeText(id), {
    ...createChange(encodeRecord(record)),
    references: [{ field: user.field, texts: [user.text], plain: false }],
    absoluteDeadline,
    create: true,
    replace: true,
    where: user,
  });
  if (state === "elsewhere") {
    throw createRefusedError(
      "There is already a session with this sessionId, and it is another user's",
      "userId",
    );
  }
  return id;
}

/** The data of a session; null where there is none. */
export async function readSession<Data extends SessionData = ReadData>(
  options: WithSessionId,
): Promise<Data | null> {
  const { client, sessionId } = readCall("readSession", options);
  const id = toId(sessionId);
  if (id === null) return null;
  const store = getStore(client);
  const migrator = findMigrator(client);
  let found = await store.find(encodeText(id));
  if (found.state === "gone" && migrator) {
    await migrator.migrate(id);
    found = await store.find(encodeText(id));
  }
  return found.state === "live" ? decodeRecord<Data>(found.session.fields) : null;
}

/**
 * Merges `data` into a session. A property that is undefined is removed. If `data` has an `expires`, the
 * session ends then, earlier or later than before. Otherwise its end stays.
 *
 * @throws SessionError ERR_SESSION_GONE where there is no session; ERR_SESSION_VALUE for a `userId` that
 * is not the session's own, for an `expires` that isn't a timestamp, and for data that JSON cannot write.
 */
export async function updateSession(options: WithSessionId & { data: object }): Promise<void> {
  const { client, sessionId, data } = readCall("updateSession", options);
  const change = createUpdate(data);
  if (typeof sessionId !== "string")
    throw createRefusedError("sessionId must be a string", "sessionId");
  const store = getStore(client);
  const migrator = findMigrator(client);
  let { state } = await store.command(encodeText(sessionId), change);
  if (state === "gone" && migrator) {
    await migrator.migrate(sessionId);
    ({ state } = await store.command(encodeText(sessionId), change));
  }
  if (state === "elsewhere") throw createOtherUserError();
  if (state !== "changed") {
    throw new SessionError(
      "ERR_SESSION_GONE",
      "There is no session with this sessionId to update: none was made, or it has expired or was deleted. createSession makes one",
    );
  }
}

/** Ends a session; where there is none, nothing happens. */
export async function deleteSession(options: WithSessionId): Promise<void> {
  const { client, sessionId } = readCall("deleteSession", options);
  const id = toId(sessionId);
  if (id === null) return;
  await findMigrator(client)?.migrate(id, { thenEnd: true });
  await getStore(client).end(encodeText(id));
}

/** All sessions of a user, in the order in which they end. */
export async function getUserSessions<Data extends SessionData = ReadData>(
  options: WithUserId,
): Promise<ListedSession<Data>[]> {
  const { client, userId } = readCall("getUserSessions", options);
  const sessions: ListedSession<Data>[] = [];
  const user = createUserReference(userId);
  await findMigrator(client)?.migrateIndex(user.field, userId);
  for await (const page of getStore(client).pages(user, { withFields: true })) {
    for (const { id, fields } of page) {
      // A server that evicts keys may have lost this user's session, and the id may be another's now.
      if (fields.get(user.field) !== user.text) continue;
      sessions.push({ sessionId: decodeText(id), data: decodeRecord<Data>(fields) });
    }
  }
  return sessions;
}

/**
 * Merges `data` into all sessions of a user, as `updateSession` does into one. Where there are none,
 * or one ends meanwhile, nothing happens.
 *
 * @throws SessionError ERR_SESSION_VALUE as `updateSession` does; nothing was changed.
 */
export async function updateUserSessions(options: WithUserId & { data: object }): Promise<void> {
  const { client, userId, data } = readCall("updateUserSessions", options);
  const store = getStore(client);
  const user = createUserReference(userId);
  const change = createUpdate(data);
  if (change.where && change.where.text !== user.text) throw createOtherUserError();
  await findMigrator(client)?.migrateIndex(user.field, userId);
  // All ids first: a new deadline changes the place of a session in the order of the pages.
  const ids: string[] = [];
  for await (const page of store.pages(user)) ids.push(...page.map(({ id }) => id));
  for (let from = 0; from < ids.length; from += MAX_BATCH_SESSIONS) {
    const batch = ids.slice(from, from + MAX_BATCH_SESSIONS);
    await waitForAll(batch.map((id) => store.command(id, { ...change, where: user })));
  }
}

/** Ends all sessions of a user. Each that exists at the call has ended when this resolves. */
export async function deleteUserSessions(options: WithUserId): Promise<void> {
  const { client, userId } = readCall("deleteUserSessions", options);
  const user = createUserReference(userId);
  await findMigrator(client)?.migrateIndex(user.field, userId, { thenEnd: true });
  await getStore(client).endAll(user, { leavesMark: false }); // nothing here signs in with asOf
}

/**
 * An update never changes the user: one that names a user applies only to a session of that user. It
 * removes the properties that JSON leaves out, such as the theme in `{ theme: undefined }`, as
 * redis-user-sessions does.
 */
function createUpdate(data: object): Command {
  const record = toJSONRecord("data", data);
  const names = readSafely("ERR_SESSION_VALUE", "data", () => Object.keys(data));
  const removed = names.filter((name) => !Object.hasOwn(record, name));
  for (const name of ["userId", "expires"]) {
    if (removed.includes(name)) {
      throw createRefusedError(
        `${name} cannot be removed from a session; leave it out of data to keep it`,
        name,
      );
    }
  }
  const { userId, ...values } = record;
  const unset = removed.map((name) => encodeFieldName(name));
  return {
    ...createChange(encodeRecord(values), unset),
    ...(values.expires === undefined ? {} : { absoluteDeadline: parseTimestamp(values.expires) }),
    ...(userId === undefined ? {} : { where: createUserReference(userId) }),
  };
}

/** The id as it is in keys; null for a value that cannot be one. Clients send anything, so it is no error. */
function toId(sessionId: unknown): string | null {
  if (typeof sessionId === "number") return String(sessionId);
  return typeof sessionId === "string" ? sessionId : null;
}

function createOtherUserError(): SessionError {
  return createRefusedError(
    "The userId of a session cannot be changed; end it and make another",
    "userId",
  );
}

/** An id is a bearer secret here: no message holds one. */
function createRefusedError(message: string, field: string): SessionError {
  return new SessionError("ERR_SESSION_VALUE", message, { field });
}
