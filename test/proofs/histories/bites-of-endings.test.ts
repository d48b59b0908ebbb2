/* Stores that tell wrong things about endings, or nothing. */
import { testBites } from "./bites.ts";

testBites([
  "ending that isn't told",
  "ending that is told by the id alone",
  "rotation that is told as an ending",
  "ending that is told with another's cause",
  "clear that isn't told of who is beyond its page",
  "page that isn't told",
  "trim that does not follow a rotation",
]);
