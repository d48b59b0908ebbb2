/*
 * An app has two routes under one framework: `/login?user=7` puts the record of a user into the session,
 * and `/` answers with the name in it, which is one read of the session.
 */

export interface AppOptions {
  /** The server of Redis, with the database that is the app's alone. */
  readonly url: string;
}

/** Starts an app on a free port, and tells which. */
export type StartApp = (options: AppOptions) => Promise<number>;

export interface AppDescription {
  /** Such as "http-koa": all apps of one framework. */
  readonly workload: string;
  readonly title: string;
  /** Whose sessions it has. */
  readonly subject: string;
  readonly client: string;
  readonly start: StartApp;
}

/** The user of a request to `/login`. */
export function readUser(path: string): number {
  return Number(new URL(path, "http://localhost").searchParams.get("user"));
}
