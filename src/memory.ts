export { type MemoryStoreOptions, memoryStore } from "./store/memory/options.ts";
