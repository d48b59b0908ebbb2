/* The store's contract on Redis, where a store has one shard, with ioredis 5. */
import { shardsContract } from "../support/stores/client-contract.ts";

shardsContract(1, ["ioredis 5"]);
