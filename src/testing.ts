export {
  type AnyAdapter,
  createSessionCookie,
  type SessionCookieOptions,
} from "./http/test-cookie.ts";
export type { Command, Commanded, CommandStore, Merge } from "./store/commanding.ts";
export type {
  Change,
  Changed,
  Created,
  EndAllOptions,
  EndOptions,
  FieldChanges,
  FieldReferences,
  Fields,
  FindOptions,
  Gone,
  Lookalike,
  Lookup,
  NewSession,
  Reference,
  Replacement,
  Rotation,
  SessionStore,
  SignedIn,
  SignIn,
  StoredSession,
  Superseded,
  Times,
  Tombstone,
  TrimOptions,
} from "./store/contract.ts";
export type { Cleared, Full, Limit, Refused } from "./store/entering.ts";
export type {
  Cause,
  FeedEvent,
  FeedListener,
  FeedStore,
  Initiator,
  StoredEndingKind,
} from "./store/feed.ts";
export type { ListOptions, ListPlace, PageOptions } from "./store/listing.ts";
export type {
  DeclaredReference,
  ReindexableStore,
  ReindexProgress,
  StoreReindexOptions,
} from "./store/reindexing.ts";
export { commandContract } from "./testing/commands/contract.ts";
export { storeContract } from "./testing/contract.ts";
export { feedContract } from "./testing/feed/contract.ts";
export { newId, newIdBeside, newIdInShard } from "./testing/ids.ts";
export type { StoreTest, StoreUnderTest } from "./testing/store-test.ts";
