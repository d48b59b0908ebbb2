export type { MoveProgress } from "../migrate/migrator.ts";
export type { MoveOptions } from "../migrate/options.ts";
export type { ClearOptions, ListOptions, TrimOptions } from "../sessions/session-set.ts";
export type { ReferenceValue, Session } from "../sessions/types.ts";
export type { Duration } from "../shared/durations.ts";
export { SessionError, type SessionErrorCode } from "../shared/errors.ts";
export type { SessionStore } from "../store/contract.ts";
export type { RedisClient } from "../store/redis/wire/clients/connect.ts";
export type { SessionCallback, StoreCallback } from "./express-session/callback.ts";
export type {
  SessionData,
  SessionSetsStoreOptions,
  StoredData,
  StoreReferenceOptions,
} from "./express-session/options.ts";
export type { StoreSessionSet } from "./express-session/sets/session-set.ts";
export { SessionSetsStore } from "./express-session/store.ts";
