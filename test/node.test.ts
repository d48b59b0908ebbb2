import { describe } from "vitest";
import { httpContract } from "./support/http-contract.ts";
import { nodeAdapter } from "./support/node-app.ts";
import { openMemory } from "./support/stores.ts";

describe("node, on the memory store", () => {
  httpContract(nodeAdapter, "", async () => openMemory(), { clock: "moved", orders: "pairs" });
});
