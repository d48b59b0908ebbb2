import { createConfigError } from "../../../shared/errors.ts";

/* What a server says about itself. */

/** A script that answers with TIME, and with INFO where scripts may ask for it. */
export const TIME_AND_INFO = `
local info = ''
for _, section in ipairs({ 'server', 'crdt' }) do
  local text = redis.pcall('INFO', section)
  info = info .. (type(text) == 'string' and text or '')
end
local time = redis.call('TIME')
return { time[1], time[2], info }
`;

/** The time in ms that INFO says; null where it says none. */
export function parseTime(info: string): number | null {
  const micros = /^server_time_usec:(\d+)/m.exec(info)?.[1];
  return micros === undefined ? null : Math.floor(Number(micros) / 1000);
}

/**
 * Whether a server may be an Active-Active database, by its INFO: that of Redis Software has
 * `rlec_version`, or lacks fields that Redis and Valkey have.
 */
export function mayBeActiveActive(info: string): boolean {
  return parseTime(info) === null || /^rlec_version:/m.test(info);
}

/** Whether a server may be a node of a cluster, by its INFO. Valkey may call the field `server_mode`. */
export function mayBeInCluster(info: string): boolean {
  return !/^(redis|server)_mode:(standalone|sentinel)\b/m.test(info);
}

/** Servers that can't keep the store's promises: the field of INFO that tells them, and why. */
const UNFIT_SERVERS: readonly (readonly [field: RegExp, what: string])[] = [
  [
    /^garnet_version:/m,
    "Garnet, whose Lua scripts are not atomic over the keys that they compute (a transaction mode locks only those that are declared): other commands would run in the middle of a change, and an ended session could come back. Give redisStore a client of Redis or Valkey",
  ],
  [
    /^(crdt_\w+:|# CRDT)/im,
    "a Redis Active-Active database, which merges what its regions write at the same time: a session ended in one region could live on in another. Give redisStore a client of a database that takes writes in one place only",
  ],
];

/** @throws SessionError ERR_SESSION_CONFIG for a server that can't keep the store's promises. */
export function refuseUnfit(info: string): void {
  for (const [field, what] of UNFIT_SERVERS) {
    if (field.test(info)) throw createConfigError(`The server is ${what}. Nothing was written`);
  }
}

/** Whether a server refused a command, such as for a user without the right. It didn't if it was never reached. */
export function isInfoRefused(error: unknown): boolean {
  return (
    error instanceof Error &&
    /\b(NOPERM|PermissionDenied|ERR|ResponseError)\b|unknown command/i.test(error.message) &&
    !/\bNOAUTH\b/.test(error.message)
  );
}
