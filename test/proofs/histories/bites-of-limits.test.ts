/* Stores that break a rule of limits. */
import { testBites } from "./bites.ts";

testBites({
  "limit that is not kept": "mixed",
  "limit that ends the youngest": "mixed",
  "limit that counts who leaves": "mixed",
  "limit that counts what is in already": "mixed",
  "limit that writes first": "mixed",
  "trim that ends the newest": "mixed",
});
