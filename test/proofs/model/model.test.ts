/* Random sequences on the memory store and on a store of one shard: see test/proofs/model/sequences.ts. */
import { describeMemory, describeRedis } from "./sequences.ts";

describeMemory();
describeRedis(1);
