/* Durations that are none; what the compiler says of them is test/package/exact-types.test.ts's to read. */
import type { RotateOptions, SessionsOptions, TouchOptions } from "session-sets";
import type { RedisStoreOptions } from "session-sets/redis";

type Options = SessionsOptions<object>;

export const idleTimeout: Options["idleTimeout"] = "30 fortnights";
export const absoluteTimeout: Options["absoluteTimeout"] = "30 fortnights";
export const rotationGrace: Options["rotationGrace"] = "30 fortnights";
export const touched: TouchOptions["idleTimeout"] = "30 fortnights";
export const grace: RotateOptions["grace"] = "30 fortnights";
export const timeout: RedisStoreOptions["timeout"] = "30 fortnights";
