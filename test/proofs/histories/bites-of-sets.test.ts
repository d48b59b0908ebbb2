/* Stores whose sets, or whose operations on sets, break a rule. */
import { testBites } from "./bites.ts";

testBites([
  "upsert in set",
  "forgotten index removal",
  "clear that does not follow a rotation",
  "clear that leaves entries in other sets",
  "clear that leaves pointers",
  "no not-after moment",
  "except that does not follow an alias",
]);
testBites(["except that forgets a rotation"], "clearing");
testBites(["change of a set that is made again"], "updating");
