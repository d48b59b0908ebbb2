/* An app of Koa on `session-sets/compat/koa-redis-session-sets`, and browsers that use it. */
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import Koa from "koa";
import koaRedisSessionSets, {
  type KoaRedisSessionSets,
  type KoaRedisSessionSetsOptions,
  type KoaSessionContext,
} from "session-sets/compat/koa-redis-session-sets";
import { exchange } from "../client.ts";
import { CookieJar } from "../cookie-jar.ts";

export type Context = Koa.ParameterizedContext<Koa.DefaultState, KoaSessionContext>;
/** What a request does; its answer has what this resolves to. */
export type Work = (ctx: Context) => Promise<unknown>;

export interface Answer {
  readonly status: number;
  readonly cookies: readonly string[];
  readonly headers: Readonly<Record<string, unknown>>;
  // biome-ignore lint/suspicious/noExplicitAny: whatever the work resolves to
  readonly value: any;
}

export interface CompatApp {
  readonly middleware: KoaRedisSessionSets;
  /** The errors that requests ended in. */
  readonly errors: unknown[];
  /** A browser that has never been here. */
  browser(): Browser;
  close(): Promise<void>;
}

export interface CompatAppOptions {
  readonly Application?: typeof Koa;
  readonly keys?: string[];
  readonly proxy?: boolean;
}

export async function startCompatApp(
  options: KoaRedisSessionSetsOptions,
  { Application = Koa, keys, proxy = false }: CompatAppOptions = {},
): Promise<CompatApp> {
  const works = new Map<string, Work>();
  const findWork = (name: string): Work => works.get(name) ?? (async () => undefined);
  const errors: unknown[] = [];
  const app: Koa<Koa.DefaultState, KoaSessionContext> = new Application({ proxy });
  if (keys) app.keys = keys;
  app.on("error", (error) => errors.push(error));
  const middleware = koaRedisSessionSets(app, options);
  app.use(middleware);
  app.use(async (ctx) => {
    ctx.body = { value: await findWork(ctx.get("x-work"))(ctx as Context) };
  });
  const server = createServer(app.callback()).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const send = async (work: Work, headers: Record<string, string>): Promise<Answer> => {
    const name = `work ${works.size}`;
    works.set(name, work);
    const answer = await exchange(port, {
      method: "GET",
      path: "/",
      headers: { ...headers, "x-work": name },
    });
    const value = answer.status === 200 ? JSON.parse(answer.text).value : answer.text;
    const cookies = answer.headers["set-cookie"] ?? [];
    return { status: answer.status, cookies, headers: answer.headers, value };
  };
  return {
    middleware,
    errors,
    browser: () => new Browser(send),
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

export class Browser {
  readonly jar = new CookieJar();
  readonly #send: (work: Work, headers: Record<string, string>) => Promise<Answer>;

  constructor(send: (work: Work, headers: Record<string, string>) => Promise<Answer>) {
    this.#send = send;
  }

  /** A browser with the same cookies: an attacker's, or that of a request under way. */
  copy(): Browser {
    const copy = new Browser(this.#send);
    for (const [name, value] of this.jar.entries()) copy.jar.set(name, value);
    return copy;
  }

  /** One request, with the cookies that there are, and what its answer makes of them. */
  async visit(work: Work, headers: Record<string, string> = {}): Promise<Answer> {
    const cookie = this.jar.header;
    const answer = await this.#send(work, { ...(cookie ? { cookie } : {}), ...headers });
    this.jar.take(answer.cookies);
    return answer;
  }
}
