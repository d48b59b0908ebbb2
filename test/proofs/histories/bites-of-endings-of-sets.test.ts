/* Stores that tell nothing of some who end with their set. Apart, because what isn't told is waited for long. */
import { testBites } from "./bites.ts";

testBites({
  "clear that isn't told of who is beyond its page": "mixed",
  "page that isn't told": "mixed",
  "trim that does not follow a rotation": "mixed",
});
