import type { MoveOptions } from "../../migrate/options.ts";
import { readCallOptions } from "../../shared/call-options.ts";
import { createConfigError, listOptionNames } from "../../shared/errors.ts";
import { readSafely } from "../../shared/given.ts";
import { isRedisClient } from "../../store/redis/wire/clients/connect.ts";
import type { NodeRedisClient } from "../../store/redis/wire/clients/node-redis.ts";

/** The option of all functions: a connected client of redis (node-redis) 5 or 6. */
export interface WithClient {
  client: NodeRedisClient;
}

/** One session by its id, which is any string. */
export interface WithSessionId extends WithClient {
  sessionId: string;
}

/** All sessions of one user. */
export interface WithUserId extends WithClient {
  userId: string;
}

const CLIENT = { client: true } as const;
const SESSION = { client: true, sessionId: true } as const;
const USER = { client: true, userId: true } as const;

/** The options of each function. */
const OPTIONS = {
  createSession: listOptionNames<WithSessionId & { data: unknown }>({ ...SESSION, data: true }),
  readSession: listOptionNames<WithSessionId>(SESSION),
  updateSession: listOptionNames<WithSessionId & { data: unknown }>({ ...SESSION, data: true }),
  deleteSession: listOptionNames<WithSessionId>(SESSION),
  getUserSessions: listOptionNames<WithUserId>(USER),
  updateUserSessions: listOptionNames<WithUserId & { data: unknown }>({ ...USER, data: true }),
  deleteUserSessions: listOptionNames<WithUserId>(USER),
  migrateSessions: listOptionNames<WithClient>(CLIENT),
  moveSessions: listOptionNames<WithClient & MoveOptions>({ ...CLIENT, cursor: true }),
};

/**
 * The options of a call, read once.
 *
 * @throws SessionError ERR_SESSION_CONFIG for misspelt options, and for a `client` that isn't one.
 */
export function readCall<Options extends WithClient>(
  call: keyof typeof OPTIONS,
  options: Options,
): Options {
  const known = OPTIONS[call];
  if (isClient(options)) {
    throw createConfigError(
      `${call} takes one object, as it has since version 2 of redis-user-sessions: ${call}({ ${known.join(", ")} })`,
    );
  }
  const given = readCallOptions(call, options, known);
  if (isClient(given.client)) return given;
  throw createConfigError(
    "client must be a connected client of redis (node-redis) 5 or 6: await createClient({ url }).connect()",
  );
}

function isClient(value: unknown): boolean {
  return readSafely("ERR_SESSION_CONFIG", "The client", () => isRedisClient(value));
}
