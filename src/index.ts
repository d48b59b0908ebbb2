export {
  createSessions,
  type SessionById,
  type Sessions,
  type Token,
} from "./sessions/create-sessions.ts";
export type {
  Ending,
  EndingCallback,
  EndingGap,
  FoundEnding,
  ToldEnding,
} from "./sessions/endings/ending.ts";
export type { CauseOptions } from "./sessions/options/cause.ts";
export type { SchemaIssue, SchemaResult, StandardSchema } from "./sessions/options/schema.ts";
export type { ReindexOptions } from "./sessions/reindex.ts";
export type { ClearOptions, ListOptions, SessionSet, TrimOptions } from "./sessions/session-set.ts";
export type {
  AsOf,
  CheckedReferences,
  CreateOptions,
  Deadlines,
  DeleteOptions,
  ElementOf,
  FieldOf,
  OptionalFieldOf,
  PartialValuesOf,
  ReadOptions,
  ReferenceOptions,
  ReferencesIn,
  ReferencesOption,
  ReferencesRecord,
  ReferenceValue,
  Rotated,
  RotateOptions,
  Session,
  SessionsOptions,
  SessionWithToken,
  SignInOptions,
  SignInValues,
  TouchOptions,
  ValuesOf,
} from "./sessions/types.ts";
export type { Duration } from "./shared/durations.ts";
export {
  SessionError,
  type SessionErrorBase,
  type SessionErrorCode,
  type SessionErrorConstructor,
  type SessionErrorDetails,
  type SessionErrorOptions,
} from "./shared/errors.ts";
export type { SessionStore } from "./store/contract.ts";
export type { Initiator, StoredEndingKind } from "./store/feed.ts";
export type { ReindexProgress } from "./store/reindexing.ts";
