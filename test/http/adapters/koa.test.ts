/* The session of a request under Koa, over real sockets, on the memory store and on Redis. */
import { describe } from "vitest";
import { describeAdapter } from "../../support/http/adapter.ts";
import { koa2Adapter, koaAdapter } from "../../support/http/apps/koa.ts";
import { httpContract } from "../../support/http/contract/contract.ts";
import { httpFailures } from "../../support/http/contract/failures.ts";
import { openMemory } from "../../support/stores/stores.ts";

// Which order calls are carried out in is not the frameworks' affair: all orders are tried here, the
// others try those of a sign-in and one request.
describeAdapter(koaAdapter, { memory: "all", redis: "pairs" });

describe.each(["", "/shop"])("Koa 2 under %j, on the memory store", (prefix) => {
  httpContract(koa2Adapter, prefix, async () => openMemory(), { clock: "moved", orders: "none" });
});

describe("Koa, on a Redis that fails", () => {
  httpFailures(koaAdapter);
});
