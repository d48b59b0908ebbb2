/* The store's contract with every kind of client, on one server: requirement 12. */
import { inject } from "vitest";
import { clientContract } from "../../../support/stores/client-contract.ts";
import { singleClients } from "../../../support/stores/clients.ts";

const port = () => Number(new URL(inject("redisUrl")).port);
clientContract("on one server", singleClients, { port, clockPort: port, shards: 1 });
