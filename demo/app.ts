import { bodyParser } from "@koa/bodyparser";
import Koa from "koa";
import type { SessionStore } from "session-sets";
import { csrfGuard, koaSessions } from "session-sets/koa";
import { memoryStore } from "session-sets/memory";
import { assets } from "./assets.ts";
import { type App, openSessions, type Sessions } from "./context.ts";
import { checkFormToken, errorPages, securityHeaders } from "./middleware.ts";
import { route } from "./routes.ts";
import { Users } from "./users.ts";

export interface AppOptions {
  /** Where the sessions are kept. @default the memory store */
  store?: SessionStore;
  /** What the pages call it. */
  storeName?: string;
}

/**
 * The app, its users (none yet) and its sessions; it is not listening yet. What it leaves out: an
 * app on the internet also slows down the guessing of passwords, and keeps its users somewhere.
 */
export function createApp({ store = memoryStore(), storeName = "memory" }: AppOptions = {}): {
  app: App;
  users: Users;
  sessions: Sessions;
} {
  const users = new Users();
  const sessions = openSessions(store);
  const app: App = new Koa();

  app.use(async (ctx, next) => {
    Object.assign(ctx.state, { users, storeName });
    await next();
  });
  app.use(securityHeaders);
  app.use(assets);
  app.use(errorPages);
  app.use(csrfGuard());
  app.use(
    koaSessions(sessions, {
      cookie: { name: "demo", persistent: (session) => session.data.remember === true },
    }),
  );
  app.use(bodyParser({ enableTypes: ["form"], formLimit: "16kb" }));
  app.use(checkFormToken);
  app.use(route);
  return { app, users, sessions };
}
