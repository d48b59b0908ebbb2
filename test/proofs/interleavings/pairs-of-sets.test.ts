/* Every two operations on the same session set, in every order of the commands that they send. */
import { OF_SETS } from "./actors.ts";
import { pairUp, testPairs } from "./pairs.ts";

testPairs(pairUp(OF_SETS), { shards: 2 });
