/* The session of a request, whatever framework has shown it: on an exchange of its own, on the memory store. */
import { onTestFinished } from "vitest";
import { sessionContract, starter } from "../../support/http/contract/contract.ts";
import { plainHost } from "../../support/http/plain-exchange.ts";
import { openMemory } from "../../support/stores/stores.ts";

sessionContract(
  starter(plainHost, "", async () => openMemory(), onTestFinished),
  "moved",
);
