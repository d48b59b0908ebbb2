/* The session of a request under Koa 3 and 2, over real sockets. */
import { describeAdapter } from "../../support/http/adapter.ts";
import { koa2Adapter, koaAdapter } from "../../support/http/apps/koa.ts";

describeAdapter(koaAdapter);
describeAdapter(koa2Adapter);
