/* Sessions and guards under HTTP/2, whose requests name the host in :authority. */
import { once } from "node:events";
import {
  connect,
  createServer,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
} from "node:http2";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import fastify from "fastify";
import Koa from "koa";
import { createSessions } from "session-sets";
import * as fastified from "session-sets/fastify";
import * as koa from "session-sets/koa";
import { memoryStore } from "session-sets/memory";
import * as node from "session-sets/node";
import { describe, expect, onTestFinished, test } from "vitest";

interface Data {
  user_id?: number;
  theme?: string;
}

const sessions = createSessions<Data>({ references: { user_id: {} }, store: memoryStore() });

/** Starts a server; gives what sends it a request. */
type Serve = () => Promise<number>;

function listening(server: ReturnType<typeof createServer>): Promise<number> {
  onTestFinished(() => void server.close());
  server.listen(0, "127.0.0.1");
  return once(server, "listening").then(() => (server.address() as AddressInfo).port);
}

const SERVERS: Record<string, Serve> = {
  async Fastify() {
    const app = fastify({ http2: true });
    onTestFinished(() => void app.close());
    const plugin = fastified.fastifySessions(sessions);
    app.register(plugin as never);
    app.register(fastified.csrfGuard() as never);
    app.all("/", async (request, reply) => {
      const session = plugin.of(request as never, reply as never);
      const before = await session.get();
      await session.set({ theme: "dark" });
      return reply.send(before);
    });
    // biome-ignore lint/nursery/useAwaitThenable: it is the overload that gives a promise
    await app.listen({ port: 0, host: "127.0.0.1" });
    return (app.server.address() as AddressInfo).port;
  },
  async Koa() {
    const app = new Koa().use(koa.csrfGuard()).use(async (ctx) => {
      const session = koa.koaSessions(sessions).of(ctx);
      ctx.body = await session.get();
      await session.set({ theme: "dark" });
    });
    app.silent = true;
    return listening(createServer(app.callback() as never));
  },
  async "node:http2"() {
    const sessionOf = node.nodeSessions(sessions);
    const guard = node.csrfGuard();
    const server = createServer(async (req, res) => {
      try {
        guard(req as never);
        const session = sessionOf(req as never, res as never);
        const before = await session.get();
        await session.set({ theme: "dark" });
        res.end(JSON.stringify(before));
      } catch (error) {
        res.writeHead(Object(error).status).end();
      }
    });
    return listening(server);
  },
};

async function send(port: number, headers: OutgoingHttpHeaders) {
  const client = connect(`http://127.0.0.1:${port}`);
  try {
    const stream = client.request({ ":path": "/", ...headers });
    stream.end();
    const [answered] = (await once(stream, "response")) as [IncomingHttpHeaders];
    return {
      status: answered[":status"] as unknown as number,
      headers: answered,
      text: await text(stream),
    };
  } finally {
    client.close();
  }
}

describe.each(Object.entries(SERVERS))("under %s", (_, start) => {
  test("a session is made and read, and its answer is stored by no cache", async () => {
    const port = await start();
    const made = await send(port, {});
    const [cookie = ""] = made.headers["set-cookie"] ?? [];
    expect(cookie).toMatch(/^session=.*; Path=\/; HttpOnly/);
    expect([made.text, made.headers["cache-control"]]).toEqual(["{}", "no-store"]);
    const read = await send(port, { cookie: cookie.split(";")[0] });
    expect([JSON.parse(read.text), read.headers["cache-control"], read.headers.vary]).toEqual([
      { theme: "dark" },
      "private",
      "Cookie",
    ]);
  });

  test("the guard goes by :authority, whatever host there is beside it", async () => {
    const port = await start();
    const post = async (headers: OutgoingHttpHeaders) =>
      (await send(port, { ":method": "POST", ":authority": "shop.example", ...headers })).status;
    expect(await post({ origin: "http://shop.example" })).toBe(200);
    expect(await post({ origin: "http://shop.example", host: "inner.example" })).toBe(200);
    expect(await post({ origin: "http://evil.example" })).toBe(403);
    expect(await post({ origin: "http://evil.example", host: "evil.example" })).toBe(403);
  });
});
