/* The store's contract, on the memory store. */
import { commandContract, feedContract, storeContract } from "session-sets/testing";
import { describe, test } from "vitest";
import { openMemory } from "../../../support/stores/stores.ts";

describe("the memory store", () => {
  for (const { name, run } of [...storeContract, ...commandContract, ...feedContract]) {
    test(name, () => run(async () => openMemory()));
  }
});
