/* Faults of a store that random sequences find: see test/proofs/model/sequences.ts. */
import { describeBites } from "./sequences.ts";

describeBites([
  "asOf without a margin",
  "asOf that forgets what is kept",
  "limit that ends the youngest",
  "limit that counts who leaves",
  "trim that ends the newest",
  "ending that isn't told",
  "ending that is told by the id alone",
]);
