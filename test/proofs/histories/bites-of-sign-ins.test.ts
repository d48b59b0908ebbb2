/* Stores whose sign-ins break a rule. */
import { testBites } from "./bites.ts";

testBites({
  "login that leaves an alias": "mixed",
  "sign-in that keeps another user's": "mixed",
  "sign-in that keeps nothing": "mixed",
  "sign-in that carries everything over": "mixed",
  "sign-in that forgets the entries of what it keeps": "mixed",
  "sign-in that ends nothing": "mixed",
  "sign-in that is done again": "mixed",
  "replacement that merges": "mixed",
});
