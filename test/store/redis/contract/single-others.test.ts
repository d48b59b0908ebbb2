/* The store's contract with the kinds of client that have no file of their own, on one server: requirement 12. */
import { singleContract } from "../../../support/stores/client-contract.ts";

singleContract((kind) => !/^(?:ioredis|redis 5|redis 6)\b/.test(kind));
