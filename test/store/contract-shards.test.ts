/* The store's contract on Redis, where a store has several shards. */
import { shardsContract } from "../support/stores/client-contract.ts";

shardsContract(4);
