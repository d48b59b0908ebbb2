/* Requests side by side, in every order of what they ask the store for, on the memory store. */
import { onTestFinished } from "vitest";
import { starter } from "../../support/http/contract/contract.ts";
import { orders } from "../../support/http/contract/orders.ts";
import { plainHost } from "../../support/http/plain-exchange.ts";
import { openMemory } from "../../support/stores/stores.ts";

orders(
  starter(plainHost, "", async () => openMemory(), onTestFinished),
  "moved",
  "all",
);
