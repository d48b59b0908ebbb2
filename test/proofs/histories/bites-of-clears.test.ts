/* Stores that let a login in after a clear that it does not know of. */
import { testBites } from "./bites.ts";

testBites({
  "clear that leaves no mark": "mixed",
  "clear of nothing that leaves no mark": "mixed",
  "asOf in the future": "mixed",
  "asOf of any age": "mixed",
  "asOf that is checked after the write": "mixed",
  "asOf that forgets what is kept": "mixed",
});
