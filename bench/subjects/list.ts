/* All subjects. Each process loads only the one that it measures. */
import type { SubjectDescription } from "./subject.ts";

export const OURS = "session-sets";
export const FLOOR = "bare commands";

export const SUBJECTS: readonly SubjectDescription[] = [
  {
    name: OURS,
    clients: ["ioredis", "node-redis"],
    open: async (options) => (await import("./session-sets.ts")).openSessionSets(options),
  },
  {
    name: FLOOR,
    clients: ["ioredis", "node-redis"],
    open: async (options) => (await import("./bare.ts")).openBare(options),
  },
  {
    name: "koa-redis-session-sets",
    clients: ["ioredis", "node-redis"],
    open: async (options) =>
      (await import("./koa-redis-session-sets.ts")).openKoaRedisSessionSets(options),
  },
  {
    name: "redis-user-sessions",
    clients: ["ioredis", "node-redis"],
    open: async (options) =>
      (await import("./redis-user-sessions.ts")).openRedisUserSessions(options),
  },
  {
    name: "connect-redis",
    clients: ["node-redis"],
    open: async (options) => (await import("./connect-redis.ts")).openConnectRedis(options),
  },
  {
    name: "redisess",
    clients: ["ioredis"],
    open: async (options) => (await import("./redisess.ts")).openRedisess(options),
  },
  {
    name: "redis-sessions",
    clients: ["node-redis"],
    open: async (options) => (await import("./redis-sessions.ts")).openRedisSessions(options),
  },
  {
    name: "better-auth",
    clients: ["ioredis"],
    smallSetsOnly: true,
    open: async (options) => (await import("./better-auth.ts")).openBetterAuth(options),
  },
];

export function findSubject(name: string): SubjectDescription {
  const found = SUBJECTS.find((subject) => subject.name === name);
  if (!found) throw new Error(`There is no subject ${name}.`);
  return found;
}
