/* Random sequences on a store of several shards: see test/proofs/model/sequences.ts. */
import { describeRedis } from "./sequences.ts";

describeRedis(4);
