import type { ScryptOptions } from "node:crypto";
import { bodyParser } from "@koa/bodyparser";
import Koa from "koa";
import { csrfGuard } from "session-sets/koa";
import { serveAssets } from "./assets.ts";
import { type App, openMiddleware, openSessions, requireUser, type Sessions } from "./context.ts";
import { answerErrors, checkFormToken, setSecurityHeaders } from "./middleware.ts";
import { route } from "./routes.ts";
import { ShownChanges } from "./store/changes.ts";
import { openMemory } from "./store/memory.ts";
import type { ShownStore } from "./store/reading.ts";
import { Attempts } from "./users/attempts.ts";
import { Users } from "./users/users.ts";

export interface AppOptions {
  /** The store of the sessions. @default the memory store */
  store?: ShownStore;
  /** The clock for counting attempts to sign in. @default Date.now */
  now?: () => number;
  /** How passwords are hashed. @default the settings that OWASP recommends */
  hashing?: ScryptOptions;
}

/**
 * Creates the app, its users (none yet) and its sessions. The app is not listening yet. An app on the
 * internet would also store its users, and count attempts across all its processes.
 */
export function createApp({ store = openMemory(), now, hashing }: AppOptions = {}): {
  app: App;
  users: Users;
  sessions: Sessions;
} {
  const users = new Users(hashing);
  const attempts = new Attempts(now);
  const sessions = openSessions(store.store);
  const middleware = openMiddleware(sessions);
  const signedIn = requireUser(middleware);
  const shownChanges = new ShownChanges();
  const app: App = new Koa();

  app.use(async (ctx, next) => {
    Object.assign(ctx.state, { users, attempts, sessions, signedIn, store, shownChanges });
    await next();
  });
  app.use(setSecurityHeaders);
  app.use(serveAssets);
  app.use(answerErrors);
  app.use(csrfGuard());
  app.use(middleware);
  app.use(bodyParser({ enableTypes: ["form"], formLimit: "16kb" }));
  app.use(checkFormToken);
  app.use(route);
  return { app, users, sessions };
}
