/* The store's contract with version 6 of redis, on one server: requirement 12. */
import { singleContract } from "../../../support/stores/client-contract.ts";

singleContract((kind) => kind.startsWith("redis 6"));
