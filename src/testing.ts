export type {
  Change,
  Changed,
  FieldChanges,
  FieldReferences,
  Fields,
  Gone,
  Leaving,
  Lookup,
  NewSession,
  Reference,
  Rotation,
  SessionStore,
  StoredSession,
  Superseded,
  Times,
} from "./store/contract.ts";
export type {
  DeclaredReference,
  ReindexProgress,
  RepairableStore,
  RepairOptions,
} from "./store/repair.ts";
export { storeContract } from "./testing/contract.ts";
export { newId, newIdBeside, newIdInShard } from "./testing/ids.ts";
export type { StoreTest, StoreUnderTest } from "./testing/store-test.ts";
