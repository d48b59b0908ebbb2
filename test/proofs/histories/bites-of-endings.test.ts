/* Stores that tell wrong things about endings, or nothing. */
import { testBites } from "./bites.ts";

testBites({
  "ending that isn't told": "mixed",
  "ending that is told by the id alone": "mixed",
  "rotation that is told as an ending": "mixed",
  "ending that is told with another's cause": "mixed",
  "clear that isn't told of who is beyond its page": "mixed",
  "page that isn't told": "mixed",
  "trim that does not follow a rotation": "mixed",
});
