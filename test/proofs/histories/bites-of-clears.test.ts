/* Stores that let a login in after a clear that it does not know of. */
import { testBites } from "./bites.ts";

testBites([
  "clear that leaves no mark",
  "clear of nothing that leaves no mark",
  "asOf in the future",
  "asOf of any age",
  "asOf that is checked after the write",
  "asOf that forgets what is kept",
]);
