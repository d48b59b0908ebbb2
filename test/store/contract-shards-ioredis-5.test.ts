/* The store's contract on Redis, where a store has several shards, with ioredis 5. */
import { shardsContract } from "../support/stores/client-contract.ts";

shardsContract(4, ["ioredis 5"]);
