import { readShown } from "../../http/exchange/exchange.ts";
import type { MoveProgress } from "../../migrate/migrator.ts";
import { type MoveOptions, parseCursor } from "../../migrate/options.ts";
import { createConfigError } from "../../shared/errors.ts";
import { readSafely } from "../../shared/given.ts";
import { Note } from "../../shared/note.ts";
import { KoaCookie, type KoaCookieContext } from "./cookie.ts";
import { refuseLeftOut } from "./options/left-out.ts";
import {
  type KoaRedisSessionSetsOptions,
  parseSettings,
  type Settings,
} from "./options/options.ts";
import { KoaSession, type SessionCookies } from "./session.ts";
import { createPublicStore, type KoaSessionStore, SessionsInRedis } from "./store.ts";

/** The property that the middleware adds to `ctx`. */
export interface KoaSessionContext {
  session: KoaSession;
}

/** Koa middleware that sets `ctx.session`. It is optional: `createSession(ctx)` returns the same one. */
export interface KoaRedisSessionSets {
  (
    ctx: KoaCookieContext & { session?: KoaSession },
    next: () => Promise<unknown>,
  ): Promise<unknown>;
  /** The session of a context; the same one each time. */
  createSession(ctx: KoaCookieContext): KoaSession;
  /**
   * The key of a plain Redis set: the ids of all sessions whose field has this value, for
   * `client.smembers(key)`. 1 and "1" name the same set.
   */
  getReferenceKey(field: string, value: unknown): string;
  /** The sessions by their ids, without cookies. */
  readonly store: KoaSessionStore;
  /**
   * Migrates all sessions of koa-redis-session-sets, in bounded steps, while both libraries are in use.
   * It can be stopped at any time, and started again.
   *
   * @throws SessionError ERR_SESSION_CONFIG without the option `migrate`, or for a wrong cursor.
   */
  moveSessions(options?: MoveOptions): AsyncGenerator<MoveProgress, void>;
}

function createCookies(ctx: KoaCookieContext, settings: Settings): SessionCookies {
  const { cookieName, visitorCookieName, cookie } = settings;
  const user = new KoaCookie(ctx, cookieName, cookie);
  if (visitorCookieName === cookieName) return { user, visitor: user };
  return { user, visitor: new KoaCookie(ctx, visitorCookieName, cookie) };
}

/**
 * Sessions for Koa 2 and 3 in Redis.
 *
 * @param _app isn't used: cookies are signed with the keys of the app that handles the request.
 * @throws SessionError ERR_SESSION_CONFIG for an option that is unknown or cannot work.
 */
export function koaRedisSessionSets(
  _app: unknown,
  options: KoaRedisSessionSetsOptions,
): KoaRedisSessionSets {
  if (typeof options !== "object" || options === null) {
    throw createConfigError(
      "koa-redis-session-sets takes the app and its options: (app, { client })",
    );
  }
  const settings = parseSettings(options);
  const sessions = new SessionsInRedis(settings);
  const store = createPublicStore(sessions);
  const made = new Note<KoaSession>();

  function createSession(given: KoaCookieContext): KoaSession {
    const ctx = readShown(TAKES, () => given, isContext);
    const session =
      made.get(ctx) ?? new KoaSession(sessions, createCookies(ctx, settings), settings);
    made.set(ctx, session);
    return session;
  }

  async function middleware(
    ctx: KoaCookieContext & { session?: KoaSession },
    next: () => Promise<unknown>,
  ): Promise<unknown> {
    const session = createSession(ctx);
    const isSet = readSafely("ERR_SESSION_CONFIG", "The context", () =>
      Reflect.set(ctx, "session", session),
    );
    if (!isSet) {
      throw createConfigError(
        "The middleware sets ctx.session, and this context takes none: it is frozen, or has a session that cannot be replaced. Call createSession(ctx)",
      );
    }
    return next();
  }

  function moveSessions(options: MoveOptions = {}): AsyncGenerator<MoveProgress, void> {
    const cursor = parseCursor(options);
    if (!sessions.migrator) {
      throw createConfigError("moveSessions needs the option migrate", { option: "migrate" });
    }
    return sessions.migrator.migrateAll(cursor);
  }

  const { getReferenceKey } = store;
  const members = { createSession, getReferenceKey, store, moveSessions };
  return refuseLeftOut(Object.assign(middleware, members));
}

const TAKES = "The middleware and createSession take Koa's context: createSession(ctx)";

/** Whether it has the part of Koa's context that is used. */
function isContext({ req, res, app, cookies }: KoaCookieContext): boolean {
  const functions: readonly unknown[] = [res.getHeader, res.setHeader, cookies.get, cookies.set];
  return (
    typeof req.headers === "object" &&
    typeof app === "object" &&
    app !== null &&
    functions.every((one) => typeof one === "function")
  );
}

// `require(…).default` is the function, too: modules that were compiled to CommonJS call it by this name.
koaRedisSessionSets.default = koaRedisSessionSets;
