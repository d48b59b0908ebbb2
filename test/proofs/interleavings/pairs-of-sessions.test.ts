/* Every two operations on the same session, in every order of the commands that they send. */
import { SINGLE } from "./actors.ts";
import { pairUp, testPairs } from "./pairs.ts";

testPairs(pairUp(SINGLE), { shards: 2 });
