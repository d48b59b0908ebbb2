/* Stores that break a rule of limits. */
import { testBites } from "./bites.ts";

testBites([
  "limit that is not kept",
  "limit that ends the youngest",
  "limit that counts who leaves",
  "limit that counts what is in already",
  "limit that writes first",
  "trim that ends the newest",
]);
