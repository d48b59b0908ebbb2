export { storeContract } from "./testing/contract.ts";
export { newId, newIdBeside, newIdInShard } from "./testing/ids.ts";
export type { StoreTest, StoreUnderTest } from "./testing/store-test.ts";
