/* Stores whose rotations, or what these leave behind, break a rule. */
import { testBites } from "./bites.ts";

testBites({
  "rotation in two commands": "mixed",
  "rotation that extends the absolute deadline": "mixed",
  "rotation of the same user that leaves an alias": "mixed",
  "pointer that stays behind": "mixed",
  "pointer that outlives its session": "mixed",
  "pointer that a token follows": "clearing",
  "ending over three aliases": "renewing",
});
