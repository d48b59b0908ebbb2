import { describe } from "vitest";
import { fetchAdapter } from "./support/fetch-app.ts";
import { httpContract } from "./support/http-contract.ts";
import { openMemory } from "./support/stores.ts";

describe("fetch, on the memory store", () => {
  httpContract(fetchAdapter, "", async () => openMemory(), { clock: "moved", orders: "pairs" });
});
