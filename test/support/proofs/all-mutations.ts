/* All stores that are wrong on purpose, whatever their fault is about. */
import { enteringMutations } from "./entering-mutations.ts";
import { feedMutations } from "./feed-mutations.ts";
import { mutations } from "./mutations.ts";
import { tellingMutations } from "./telling-mutations.ts";
import { useMutations } from "./use-mutations.ts";

export const allMutations = {
  ...mutations,
  ...enteringMutations,
  ...feedMutations,
  ...tellingMutations,
  ...useMutations,
};

export type AnyMutationName = keyof typeof allMutations;
