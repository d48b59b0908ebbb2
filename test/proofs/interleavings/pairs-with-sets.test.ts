/* Every operation on a session set beside every operation on one session, in every order of their commands. */
import { OF_SETS, SINGLE } from "./actors.ts";
import { testPairs } from "./pairs.ts";

testPairs(
  SINGLE.flatMap((one) => OF_SETS.map((other) => [one, other] as const)),
  { shards: 2 },
);
