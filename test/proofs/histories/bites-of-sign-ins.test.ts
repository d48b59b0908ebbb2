/* Stores whose sign-ins break a rule. */
import { testBites } from "./bites.ts";

testBites([
  "login that leaves an alias",
  "sign-in that keeps another user's",
  "sign-in that keeps nothing",
  "sign-in that carries everything over",
  "sign-in that forgets the entries of what it keeps",
  "sign-in that ends nothing",
  "sign-in that is done again",
  "replacement that merges",
]);
