import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { serve } from "@hono/node-server";
import { Hono } from "hono";
import { honoSessions, type SessionVariables } from "session-sets/hono";
import { makeRecord } from "../record.ts";
import { type AppOptions, readUser } from "./app.ts";
import { openBareSessions } from "./bare-sessions.ts";
import { openOurSessions } from "./our-sessions.ts";

async function listen(app: { fetch: Hono["fetch"] }): Promise<number> {
  const server = serve({ fetch: app.fetch, port: 0, hostname: "127.0.0.1" });
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

export function startBare({ url }: AppOptions): Promise<number> {
  const sessions = openBareSessions(url);
  const app = new Hono();
  app.get("/login", async (c) => {
    c.header("Set-Cookie", await sessions.signIn(readUser(c.req.url)));
    return c.text("signed in");
  });
  app.get("/", async (c) => c.text(await sessions.readName(c.req.header("Cookie"))));
  return listen(app);
}

export function startOurs({ url }: AppOptions): Promise<number> {
  const sessions = openOurSessions(url);
  const app = new Hono<{ Variables: SessionVariables<typeof sessions> }>();
  app.use(honoSessions(sessions));
  app.get("/login", async (c) => {
    await c.var.session.signIn(makeRecord(readUser(c.req.url)));
    return c.text("signed in");
  });
  app.get("/", async (c) => {
    const { name = "" } = await c.var.session.get();
    return c.text(name);
  });
  return listen(app);
}
