/* Stores whose sets, or whose operations on sets, break a rule. */
import { testBites } from "./bites.ts";

testBites({
  "upsert in set": "short",
  "forgotten index removal": "mixed",
  "clear that does not follow a rotation": "clearing",
  "clear that leaves entries in other sets": "mixed",
  "clear that leaves pointers": "mixed",
  "no not-after moment": "mixed",
  "except that does not follow an alias": "clearing",
  "except that forgets a rotation": "clearing",
  "change of a set that is made again": "updating",
});
