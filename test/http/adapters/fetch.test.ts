/* The session of a Request, over real sockets. */

import { describeAdapter } from "../../support/http/adapter.ts";
import { fetchAdapter } from "../../support/http/apps/fetch.ts";

describeAdapter(fetchAdapter);
