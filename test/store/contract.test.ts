/* The store's contract on Redis, where a store has one shard. */
import { shardsContract } from "../support/stores/client-contract.ts";

shardsContract(1);
