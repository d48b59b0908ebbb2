/* The session of a request, with no web server around it. */
import { IncomingMessage, ServerResponse } from "node:http";
import { Socket } from "node:net";
import type { KoaContext } from "session-sets/koa";

/** A Koa context as far as sessions use it, of a request that brings this Cookie header. */
export function contextWith(cookie?: string): KoaContext {
  const req = new IncomingMessage(new Socket());
  if (cookie !== undefined) req.headers.cookie = cookie;
  return {
    req,
    res: new ServerResponse(req),
    method: "GET",
    host: "shop.example",
    secure: false,
    app: {},
  };
}
