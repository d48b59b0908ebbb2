/* All stores that are wrong on purpose, whatever their fault is about. */
import { endingMutations } from "./ending-mutations.ts";
import { enteringMutations } from "./entering-mutations.ts";
import { mutations } from "./mutations.ts";

export const allMutations = { ...mutations, ...enteringMutations, ...endingMutations };

export type AnyMutationName = keyof typeof allMutations;
