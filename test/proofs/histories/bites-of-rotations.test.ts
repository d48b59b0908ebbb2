/* Stores whose rotations, or what these leave behind, break a rule. */
import { testBites } from "./bites.ts";

testBites([
  "rotation in two commands",
  "rotation that extends the absolute deadline",
  "rotation of the same user that leaves an alias",
  "pointer that stays behind",
  "pointer that outlives its session",
  "pointer that a token follows",
]);
testBites(["ending over three aliases"], "renewing");
