export { type MemoryStoreOptions, memoryStore } from "./store/memory/store.ts";
