/* Every two requests with the same session, in every order of the commands that they send. */
import { pairUp, testPairs } from "./pairs.ts";
import { REQUESTS } from "./requests.ts";

testPairs(pairUp(REQUESTS), { shards: 1 });
