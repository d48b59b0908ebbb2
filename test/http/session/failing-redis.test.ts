/* The session of a request on a Redis that does not answer, holds writes back, or is down. */
import { httpFailures } from "../../support/http/contract/failures.ts";
import { plainHost } from "../../support/http/plain-exchange.ts";

httpFailures(plainHost);
