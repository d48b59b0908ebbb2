import type Koa from "koa";
import { createSessions, type SessionStore } from "session-sets";
import { koaSessions, type SessionContext } from "session-sets/koa";
import type { ShownChanges } from "./store/changes.ts";
import type { ShownStore } from "./store/reading.ts";
import type { Attempts } from "./users/attempts.ts";
import type { Users } from "./users/users.ts";

/** The fields of a session. */
export interface Data {
  /** The user. It is a reference, so that all sessions of a user can be found. */
  user_id?: string;
  device?: string;
  kind?: "desktop" | "phone";
  address?: string;
  /** Whether the browser keeps the cookie after it is closed. */
  remember?: boolean;
  /** A message for the next page. */
  flash?: string;
}

/** How many devices a user can be signed in on. Signing in on one more ends the oldest session. */
export const MAX_DEVICES = 5;

export function openSessions(store: SessionStore) {
  return createSessions({
    data: {} as Data,
    store,
    references: { user_id: { limit: MAX_DEVICES, whenFull: "end-oldest" } },
    idleTimeout: "30 minutes",
    absoluteTimeout: "12 hours",
  });
}

export function openMiddleware(sessions: Sessions) {
  return koaSessions(sessions, {
    // The demo runs over HTTP on your own machine. In production, add `secure: true`.
    cookie: { name: "demo", persistent: (session) => session.data.remember === true },
  });
}

/** Lets signed-in users in, and sends other visitors to the form. */
export function requireUser(middleware: ReturnType<typeof openMiddleware>) {
  return middleware.requireSession("user_id", { redirect: "/sign-in" });
}

/** The state of every request. */
export interface State extends Koa.DefaultState {
  users: Users;
  attempts: Attempts;
  sessions: Sessions;
  signedIn: ReturnType<typeof requireUser>;
  store: ShownStore;
  shownChanges: ShownChanges;
}

export type Sessions = ReturnType<typeof openSessions>;
export type App = Koa<State, SessionContext<Sessions>>;
export type Context = Koa.ParameterizedContext<State, SessionContext<Sessions>>;
