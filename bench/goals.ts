/*
 * What this library wants to be, compared with others in the same run: operations a second, with 64 in
 * flight where nothing else is said. With node-redis, 0.85 of each is the goal.
 */
import { FLOOR, OURS } from "./subjects/list.ts";

export interface Goal {
  readonly workload: string;
  readonly inFlight?: 1;
  /** Whose operations to compare with: those of all other peers, if no one is named. */
  readonly than?: string;
  /** The other's workload, if it is another one. */
  readonly thanWorkload?: string;
  /** Whose operations are compared, if not this library's. */
  readonly who?: string;
  readonly atLeast: number;
}

const KS = "koa-redis-session-sets";
const RU = "redis-user-sessions";

export const GOALS: readonly Goal[] = [
  { workload: "get", than: FLOOR, atLeast: 0.75 },
  { workload: "get", than: FLOOR, atLeast: 0.75, inFlight: 1 },
  { workload: "get-two", than: FLOOR, atLeast: 0.7 },
  { workload: "set", than: KS, atLeast: 2.5 },
  { workload: "set", than: "connect-redis", atLeast: 1.1 },
  { workload: "create", than: KS, atLeast: 1.3 },
  { workload: "create", than: FLOOR, atLeast: 1 },
  { workload: "create", than: "redisess", atLeast: 1.2 },
  { workload: "sign-in", than: OURS, thanWorkload: "create", atLeast: 0.75 },
  { workload: "touch", than: FLOOR, atLeast: 0.5 },
  { workload: "size", than: FLOOR, atLeast: 0.8 },
  { workload: "list-10", atLeast: 1.5 },
  { workload: "clear-10", than: RU, atLeast: 1.3 },
  { workload: "clear-10", than: KS, atLeast: 3 },
  { workload: "clear-10", than: "redisess", atLeast: 3 },
  { workload: "clear-10", than: "redis-sessions", atLeast: 3 },
  { workload: "clear-10", than: "better-auth", atLeast: 3 },
  { workload: "http-koa", than: FLOOR, atLeast: 0.9 },
  { workload: "http-fastify", than: FLOOR, atLeast: 0.9 },
  { workload: "http-hono", than: FLOOR, atLeast: 0.9 },
  { workload: "http-node", than: FLOOR, atLeast: 0.9 },
  { workload: "http-express", than: FLOOR, atLeast: 0.85 },
  { workload: "http-express", than: "express-session with connect-redis", atLeast: 1.35 },
  {
    workload: "http-express",
    who: "express-session with our store",
    than: "express-session with connect-redis",
    atLeast: 0.95,
  },
];

/** How much less than the goal is enough with this client. */
export const SHARE_OF_CLIENT: Readonly<Record<string, number>> = { ioredis: 1, "node-redis": 0.85 };
