/*
 * The store's contract with ioredis where it speaks another protocol than by default, on one server: requirement 12.
 * Its versions as they come are in test/store/contract.test.ts and contract-ioredis-5.test.ts.
 */
import { singleContract } from "../../../support/stores/client-contract.ts";
import { clients } from "../../../support/stores/stores.ts";

singleContract((kind) => kind.startsWith("ioredis ") && !(kind in clients));
