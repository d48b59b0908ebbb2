/* The store's contract with every version of ioredis, on one server: requirement 12. */
import { singleContract } from "../../../support/stores/client-contract.ts";

singleContract((kind) => kind.startsWith("ioredis "));
