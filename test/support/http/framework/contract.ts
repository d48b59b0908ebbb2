/*
 * What a framework, its requests and responses, or the adapter for it could break. What holds for the
 * session of a request whatever has shown it is in test/http/session/.
 */

import { caching } from "./caching.ts";
import { carriers } from "./carriers.ts";
import type { Framework } from "./cases.ts";
import { errors } from "./errors.ts";
import { foreignPages, handshakes } from "./foreign.ts";
import { guard } from "./guard.ts";
import { requests } from "./requests.ts";
import { requirements } from "./requirements.ts";
import { responses } from "./responses.ts";

export function frameworkContract(framework: Framework): void {
  requests(framework);
  responses(framework);
  caching(framework);
  errors(framework);
  carriers(framework);
  guard(framework);
  handshakes(framework);
  foreignPages(framework);
  requirements(framework);
}
