/* The session of a Request, over real sockets, on the memory store and on Redis. */
import { fetchAdapter } from "./support/fetch-app.ts";
import { describeAdapter } from "./support/http-adapter.ts";

describeAdapter(fetchAdapter, { memory: "pairs", redis: "none" });
