/* Stores whose rotations, or what these leave behind, break a rule. */
import { testBites } from "./bites.ts";

testBites([
  "rotation in two commands",
  "rotation that extends the absolute deadline",
  "rotation of the same user that leaves an alias",
  "ending over three aliases",
  "pointer that stays behind",
  "pointer that outlives its session",
  "pointer that a token follows",
]);
