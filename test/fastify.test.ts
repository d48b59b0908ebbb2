import { describe } from "vitest";
import { fastifyAdapter } from "./support/fastify-app.ts";
import { httpContract } from "./support/http-contract.ts";
import { openMemory } from "./support/stores.ts";

describe("fastify, on the memory store", () => {
  httpContract(fastifyAdapter, "", async () => openMemory(), { clock: "moved", orders: "pairs" });
});
