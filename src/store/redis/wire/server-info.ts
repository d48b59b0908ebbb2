import { createConfigError } from "../../../shared/errors.ts";

/* What a server says of itself. */

/** What a script gives that asks for both: TIME, and what INFO says where a script may ask for it. */
export const TIME_AND_INFO = `
local info = ''
for _, section in ipairs({ 'server', 'crdt' }) do
  local text = redis.pcall('INFO', section)
  info = info .. (type(text) == 'string' and text or '')
end
local time = redis.call('TIME')
return { time[1], time[2], info }
`;

/** The time in ms, as INFO tells it; null where it does not. */
export function parseTime(info: string): number | null {
  const micros = /^server_time_usec:(\d+)/m.exec(info)?.[1];
  return micros === undefined ? null : Math.floor(Number(micros) / 1000);
}

/**
 * Whether what a server says leaves open that it is an Active-Active database: Redis Software has
 * `rlec_version`, or other fields than Redis and Valkey.
 */
export function mayBeActiveActive(info: string): boolean {
  return parseTime(info) === null || /^rlec_version:/m.test(info);
}

/** Servers on which sessions would not be what is promised: by a field of INFO, and why. */
const UNFIT_SERVERS: readonly (readonly [field: RegExp, what: string])[] = [
  [
    /^garnet_version:/m,
    "Garnet, whose Lua scripts are not atomic over the keys that they compute (a transaction mode locks only those that are declared): other commands would come in the middle of a change, and what was ended could be there again. Give redisStore a client of Redis or Valkey",
  ],
  [
    /^(crdt_\w+:|# CRDT)/im,
    "a Redis Active-Active database, which merges what its regions have written at the same time: a session that was ended in one could live on in another. Give redisStore a client of a database that is written to in one place",
  ],
];

/** @throws SessionError ERR_SESSION_CONFIG where INFO tells of a server that cannot keep what is promised. */
export function refuseUnfit(info: string): void {
  for (const [field, what] of UNFIT_SERVERS) {
    if (field.test(info)) throw createConfigError(`The server is ${what}. Nothing was written`);
  }
}

/** Whether a server has refused to tell, as to a user without the right; it has not, where it was not reached. */
export function isUntold(error: unknown): boolean {
  return (
    error instanceof Error &&
    /\b(NOPERM|PermissionDenied|ERR|ResponseError)\b|unknown command/i.test(error.message) &&
    !/\bNOAUTH\b/.test(error.message)
  );
}
