/* Stores that break a rule of limits. */
import { testBites } from "./bites.ts";

testBites({
  "limit that is not kept": "limiting",
  "limit that ends the youngest": "limiting",
  "limit that counts who leaves": "limiting",
  "limit that counts what is in already": "limiting",
  "limit that writes first": "limiting",
  "trim that ends the newest": "clearing",
});
