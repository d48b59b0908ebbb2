/*
 * An application under test, whose requests do what the test hands over with them, and browsers that
 * send such requests. It is a framework on a real socket, or nothing but an exchange.
 */

import { inspect } from "node:util";
import { createSessions, type Sessions, type SessionsOptions } from "session-sets";
import type {
  CarrierName,
  CookieOptions,
  CSRFGuardOptions,
  RequestSession,
  RequireSessionOptions,
} from "session-sets/koa";
import type { StoreUnderTest } from "session-sets/testing";
import { expect } from "vitest";
import { Turnstile } from "../proofs/turnstile.ts";
import { type Operation, recordedStore } from "../stores/recorded-store.ts";
import type { Exchanged, RequestOptions } from "./client.ts";
import { CookieJar, parseSetCookie, type SetCookie } from "./cookie-jar.ts";
import type { Listening, Served } from "./server.ts";

export type Data = {
  user_id?: number;
  team_ids?: number[];
  theme?: string;
  cart?: string[];
};

/** What a handler sees of a request, whatever the framework is. */
export interface TestContext {
  readonly session: RequestSession<Data>;
  /** The session as the framework's adapter gives it without its middleware. */
  of(): RequestSession<Data>;
  /** The session that `requireSession` has found. */
  found(): unknown;
  setHeader(name: string, value: string): void;
  /** Sets a cookie of the application's own, as is usual in the framework. */
  setCookie(name: string, value: string): void;
  /** Sends the status and the headers; the body follows. */
  sendHeaders(): Promise<void>;
}

/** What a request is to do; what it returns is the body. */
export type Handler = (context: TestContext) => unknown;

/** What an adapter is to be started with. */
export interface AdapterOptions {
  readonly sessions: Sessions<Data>;
  /** The path that the application is mounted under: "" for the root. */
  readonly prefix: string;
  readonly cookie?: CookieOptions<Data>;
  readonly carriers?: readonly CarrierName[];
  /** The secrets to sign cookies with, the newest one first; without them cookies are not signed. */
  readonly keys?: readonly string[];
  /** Whether the framework is in production, where that is a setting of its own. */
  readonly production?: boolean;
  /** Whether the framework believes X-Forwarded-Proto and X-Forwarded-Host. */
  readonly trustProxy?: boolean;
  /** Whether the middleware is used twice. */
  readonly twice?: boolean;
  /** Puts a `requireSession` for the field of the user before the handlers. */
  readonly signedIn?: RequireSessionOptions;
  /** Whether the application answers errors by itself: 418, and nothing that was on the response. */
  readonly ownErrors?: boolean;
  /** Puts a `csrfGuard` before the handlers. */
  readonly guard?: CSRFGuardOptions;
  /** The handler of a request, which names it in its header `x-handler`. */
  readonly findHandler: (name: string) => Handler;
  /** To be told of each error that the framework answers or logs. */
  readonly onError: (error: unknown) => void;
}

/** What an application under test runs on. */
export interface Host {
  start(options: AdapterOptions): Promise<Served>;
}

/** A framework under test. A body is `{ value }` in JSON; errors are answered by the framework. */
export interface Adapter extends Host {
  readonly name: string;
  /** Whether what is thrown and is no Error gets no answer at all, as in Hono. */
  readonly answersErrorsOnly?: boolean;
  /** Whether, in production, the answer to an error is the name of its status, whatever its message. */
  readonly hidesMessages?: boolean;
  /** Whether the answer to an error of any status has its message. */
  readonly tellsMessages?: boolean;
  /** Whether bodies in JSON are parsed before the handlers run. */
  readonly parsesBodies?: boolean;
  /** How the framework is told of a proxy in front of it, as a developer is told. */
  readonly proxySetting: string;
  /** Whether something is what the framework gives its handlers. */
  readonly isGiven: (one: unknown) => boolean;
  start(options: AdapterOptions): Promise<Listening>;
}

/** The options that all adapters take, without those that are not given. */
export function sharedOptions({ cookie, carriers }: AdapterOptions) {
  return {
    ...(cookie ? { cookie } : {}),
    ...(carriers ? { carriers } : {}),
  };
}

export type AppOptions = Omit<AdapterOptions, "sessions" | "prefix" | "findHandler" | "onError"> & {
  readonly sessions?: Partial<SessionsOptions<Data>>;
};

export interface Answer {
  readonly status: number;
  /** What the handler returned, as JSON keeps it. */
  readonly value: unknown;
  readonly text: string;
  readonly headers: Exchanged["headers"];
  readonly setCookies: readonly SetCookie[];
  /** What the handler threw. */
  readonly error: unknown;
}

export interface SendOptions {
  readonly method?: string;
  readonly headers?: { readonly [name: string]: string | readonly string[] };
  readonly body?: string;
  /** Takes the request back, and closes its connection. */
  readonly signal?: AbortSignal;
  /** Whether the browser does at once what Set-Cookie says; else `take` does. */
  readonly take?: boolean;
}

/** The session cookie's name where a test gives it none. */
export const COOKIE = "session";

export class TestApp {
  readonly sessions: Sessions<Data>;
  /** What the store was asked to do. */
  readonly operations: Operation[] = [];
  /** Errors that reached the framework. */
  readonly errors: unknown[] = [];
  readonly turnstile = new Turnstile();
  /** What the store fails with, if anything. */
  outage: Error | undefined;
  /** The store below, which other applications may share. */
  readonly under: StoreUnderTest;
  readonly prefix: string;
  /** Tokens and pre-session secrets that were sent, which nothing but cookies may hold. */
  readonly secrets = new Set<string>();
  readonly #handlers = new Map<string, Handler>();
  #server: Served | undefined;

  private constructor(prefix: string, under: StoreUnderTest, options: AppOptions) {
    this.prefix = prefix;
    this.under = under;
    this.sessions = createSessions<Data>({
      references: { user_id: {}, team_ids: { identity: false } },
      idleTimeout: "30 minutes",
      absoluteTimeout: "28 days",
      store: recordedStore(under.store, (operation) => {
        this.operations.push(operation);
        return this.outage ? Promise.reject(this.outage) : this.turnstile.pass();
      }),
      ...options.sessions,
    });
  }

  static async start(
    host: Host,
    prefix: string,
    under: StoreUnderTest,
    options: AppOptions,
  ): Promise<TestApp> {
    const app = new TestApp(prefix, under, options);
    app.#server = await host.start({
      ...options,
      sessions: app.sessions,
      prefix,
      findHandler: (name) => app.#handlers.get(name) ?? (() => undefined),
      onError: (error) => app.errors.push(error),
    });
    return app;
  }

  /** What a request is answered. */
  exchange(request: RequestOptions): Promise<Exchanged> {
    if (!this.#server) throw new Error("The application has not been started");
    return this.#server.exchange(request);
  }

  /** A browser, with a session cookie where a token is given. */
  browser(token?: string): Browser {
    return new Browser(this, token);
  }

  /** A browser that has a session with these values. */
  async visitor(values: Data = {}): Promise<Browser> {
    const browser = this.browser();
    await browser.send(({ session }) => session.set(values));
    return browser;
  }

  /** What the store is asked to do while something runs. */
  async recordOperations(work: () => Promise<unknown>): Promise<Operation[]> {
    const from = this.operations.length;
    await work();
    return this.operations.slice(from);
  }

  handle(handler: Handler): string {
    const name = String(this.#handlers.size);
    this.#handlers.set(name, handler);
    return name;
  }

  /** Requirement 1 (docs/design.md, "Requirements"). */
  expectNoSecretIn(what: string, shown: string): void {
    for (const secret of this.secrets) {
      expect(shown.includes(secret), `${what} holds a token`).toBe(false);
    }
  }

  async close(): Promise<void> {
    await this.#server?.close();
    this.expectNoSecretIn("an error", inspect(this.errors, { depth: 9, showHidden: true }));
  }
}

export class Browser {
  readonly jar = new CookieJar();
  readonly #app: TestApp;

  constructor(app: TestApp, token: string | undefined) {
    this.#app = app;
    if (token !== undefined) this.jar.set(COOKIE, token);
  }

  /** The value of the session cookie. */
  get token(): string | undefined {
    return this.jar.get(COOKIE);
  }

  /** Sends a request that does what `handler` does. */
  async send(handler: Handler, options: SendOptions = {}): Promise<Answer> {
    const { method = "GET", headers = {}, body, signal, take = true } = options;
    let error: unknown;
    const name = this.#app.handle(async (context) => {
      try {
        return await handler(context);
      } catch (thrown) {
        error = thrown;
        throw thrown;
      }
    });
    const cookie = this.jar.header;
    const {
      status,
      headers: received,
      text,
    } = await this.#app.exchange({
      method,
      path: `${this.#app.prefix}/`,
      headers: { "x-handler": name, ...(cookie === undefined ? {} : { cookie }), ...headers },
      ...(body === undefined ? {} : { body }),
      ...(signal === undefined ? {} : { signal }),
    });
    const setCookies = (received["set-cookie"] ?? []).map(parseSetCookie);
    this.#keepSecret(setCookies, { ...received, "set-cookie": undefined }, text);
    if (take) this.jar.take(received["set-cookie"] ?? []);
    const value = status === 200 && text !== "" ? JSON.parse(text).value : undefined;
    return { status, value, text, headers: received, setCookies, error };
  }

  take({ headers }: Answer): void {
    this.jar.take(headers["set-cookie"] ?? []);
  }

  /** What the session holds. */
  async data(): Promise<unknown> {
    return (await this.send(({ session }) => session.get())).value;
  }

  /** The id of the session, from the cookie alone. */
  async id(): Promise<unknown> {
    return (await this.send(({ session }) => session.id)).value;
  }

  #keepSecret(setCookies: readonly SetCookie[], headers: object, text: string): void {
    const cookies = [...setCookies, { name: COOKIE, value: this.token ?? "" }];
    for (const { value } of cookies) {
      const [secret = ""] = value.split(".");
      if (secret.length >= 32) this.#app.secrets.add(secret);
    }
    this.#app.expectNoSecretIn("a header", JSON.stringify(headers));
    this.#app.expectNoSecretIn("a body", text);
  }
}
