/* Stores that tell wrong things about endings, or nothing at all. */
import { testBites } from "./bites.ts";

testBites({
  "ending that isn't told": "mixed",
  "ending that is told by the id alone": "mixed",
  "rotation that is told as an ending": "mixed",
  "ending that is told with another's cause": "mixed",
});
