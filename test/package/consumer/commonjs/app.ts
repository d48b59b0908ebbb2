// A program of a user of express-session in TypeScript that is compiled to CommonJS.
import type { AddressInfo } from "node:net";
import express from "express";
import session from "express-session";
import { type SessionData, SessionSetsStore } from "session-sets/compat/express-session";
import { memoryStore } from "session-sets/memory";

declare module "express-session" {
  interface SessionData {
    user: { id: number };
  }
}

const store = new SessionSetsStore({
  store: memoryStore(),
  references: { user_id: { from: (data: SessionData) => data.user?.id } },
});

const app = express();
app.use(session({ store, secret: "secret", resave: false, saveUninitialized: false }));
app.use((request, response) => {
  request.session.user = { id: 1 };
  response.json(request.session.user);
});

const server = app.listen(0, "127.0.0.1", async () => {
  const { port } = server.address() as AddressInfo;
  const response = await fetch(`http://127.0.0.1:${port}/`);
  const answer = await response.json();
  server.close();
  console.log(JSON.stringify({ answer, sessions: await store.by("user_id", 1).size() }));
});
