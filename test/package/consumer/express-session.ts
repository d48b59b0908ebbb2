// A program of a user of express-session in TypeScript, whose store is this one.
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import express from "express";
import session from "express-session";
import { Redis } from "ioredis";
import { type SessionData, SessionSetsStore } from "session-sets/compat/express-session";

declare module "express-session" {
  interface SessionData {
    user: { id: number };
  }
}

const client = new Redis(process.env.REDIS_URL ?? "");
const store = new SessionSetsStore({
  client,
  prefix: `consumer-express-${process.pid}`,
  timeout: "20 seconds",
  references: { user_id: { from: (s: SessionData) => s.user?.id } },
});

const app = express();
app.use(session({ store, secret: "secret", resave: false, saveUninitialized: false }));
app.use((request, response) => {
  request.session.user = { id: 1 };
  response.json({ first: store.idOf(request.sessionID).length });
});
const server = app.listen(0, "127.0.0.1");
await once(server, "listening");
const response = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
const answer = (await response.json()) as object;
server.close();

// @ts-expect-error: no reference that was declared
const mistake = () => store.by("team", 1);

console.log(
  JSON.stringify({
    ...answer,
    mistake: mistake.length,
    users: (await store.by("user_id", 1).list()).map(({ data }) => data.user),
    ended: await store.by("user_id", 1).clear(),
  }),
);
await client.quit();
