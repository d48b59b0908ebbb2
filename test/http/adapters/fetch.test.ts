/* The session of a Request, over real sockets, on the memory store and on Redis. */

import { describeAdapter } from "../../support/http/adapter.ts";
import { fetchAdapter } from "../../support/http/apps/fetch.ts";

describeAdapter(fetchAdapter, { memory: "pairs", redis: "none" });
