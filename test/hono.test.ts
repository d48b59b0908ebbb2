import { describe } from "vitest";
import { honoAdapter } from "./support/hono-app.ts";
import { httpContract } from "./support/http-contract.ts";
import { openMemory } from "./support/stores.ts";

describe("hono, on the memory store", () => {
  httpContract(honoAdapter, "", async () => openMemory(), { clock: "moved", orders: "pairs" });
});
