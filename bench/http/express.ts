import { once } from "node:events";
import type { AddressInfo } from "node:net";
import express from "express";
import session from "express-session";
import { expressSessions } from "session-sets/express";
import { makeRecord, type SessionRecord } from "../record.ts";
import { type AppOptions, readUser } from "./app.ts";
import { openBareSessions } from "./bare-sessions.ts";
import { openOurSessions } from "./our-sessions.ts";
import { openConnectRedisStore, openOurStore } from "./peer-stores.ts";

async function listen(app: express.Express): Promise<number> {
  const server = app.listen(0, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

export function startBare({ url }: AppOptions): Promise<number> {
  const sessions = openBareSessions(url);
  const app = express();
  app.get("/login", async (req, res) => {
    res.setHeader("Set-Cookie", await sessions.signIn(readUser(req.url)));
    res.send("signed in");
  });
  app.get("/", async (req, res) => {
    res.send(await sessions.readName(req.headers.cookie));
  });
  return listen(app);
}

export function startOurs({ url }: AppOptions): Promise<number> {
  const web = expressSessions(openOurSessions(url));
  const app = express();
  app.use(web);
  app.get("/login", async (req, res) => {
    await web.of(req).signIn(makeRecord(readUser(req.url)));
    res.send("signed in");
  });
  app.get("/", async (req, res) => {
    const { name } = await web.of(req).get();
    res.send(name);
  });
  return listen(app);
}

/** express-session with a store. */
async function startExpressSession(store: session.Store): Promise<number> {
  const app = express();
  app.use(session({ secret: "a secret", resave: false, saveUninitialized: false, store }));
  app.get("/login", (req, res) => {
    Object.assign(req.session, makeRecord(readUser(req.url)));
    res.send("signed in");
  });
  app.get("/", (req, res) => {
    res.send((req.session as SessionRecord).name);
  });
  return listen(app);
}

export async function startConnectRedis({ url }: AppOptions): Promise<number> {
  return startExpressSession(await openConnectRedisStore(url));
}

export async function startOurStore({ url }: AppOptions): Promise<number> {
  return startExpressSession(await openOurStore(url));
}
