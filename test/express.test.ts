import { describe } from "vitest";
import { expressAdapter } from "./support/express-app.ts";
import { httpContract } from "./support/http-contract.ts";
import { openMemory } from "./support/stores.ts";

describe("express, on the memory store", () => {
  httpContract(expressAdapter, "", async () => openMemory(), { clock: "moved", orders: "pairs" });
});
