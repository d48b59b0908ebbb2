/* The session of a request under Fastify, over real sockets. */
import fastify, {
  type FastifyInstance,
  type InjectOptions,
  type LightMyRequestResponse,
} from "fastify";
import { csrfGuard, fastifySessions } from "session-sets/fastify";
import { describe, expect, onTestFinished, test } from "vitest";
import { describeAdapter } from "../../support/http/adapter.ts";
import { shopSessions } from "../../support/http/apps/ad-hoc.ts";
import { fastifyAdapter } from "../../support/http/apps/fastify.ts";

describeAdapter(fastifyAdapter);

const sessions = shopSessions();
const shop = fastifySessions(sessions);
type Session = ReturnType<typeof shop.of>;

function open(): FastifyInstance {
  const app = fastify();
  onTestFinished(() => app.close());
  return app;
}

/** What a request that needs no socket is answered. */
function inject(app: FastifyInstance, request: InjectOptions | string) {
  return new Promise<LightMyRequestResponse>((resolve, reject) => {
    app.inject(request, (error, response) => (response ? resolve(response) : reject(error)));
  });
}

/** A scope of its own, as `register` gives one to every plugin that is not made with skip-override. */
function scope(set: (app: FastifyInstance) => void) {
  return (app: FastifyInstance, _options: object, done: () => void) => {
    set(app);
    done();
  };
}

describe("the plugin", () => {
  test("serves the scope that it is registered in, those below it, and no other", async () => {
    const app = open();
    const tell = (at: FastifyInstance) =>
      at.get("/", (request) => [
        at.hasRequestDecorator("session"),
        Reflect.has(request, "session") && Reflect.get(request, "session") !== null,
      ]);
    app.register(
      scope((inner) => {
        inner.register(shop);
        tell(inner);
        inner.register(scope(tell), { prefix: "/below" });
      }),
      { prefix: "/inner" },
    );
    app.register(scope(tell), { prefix: "/beside" });
    const seen = async (url: string) => (await inject(app, url)).json();
    expect(await seen("/inner")).toEqual([true, true]);
    expect(await seen("/inner/below")).toEqual([true, true]);
    expect(await seen("/beside")).toEqual([false, false]);
  });

  test("may serve two scopes with sessions of their own", async () => {
    const app = open();
    for (const name of ["shop", "admin"]) {
      app.register(
        scope((inner) => {
          const plugin = fastifySessions(sessions, { cookie: { name } });
          inner.register(plugin);
          inner.get("/", async (request, reply) => {
            await plugin.of(request, reply).set({ theme: name });
            return request.getDecorator<Session>("session").get();
          });
        }),
        { prefix: `/${name}` },
      );
    }
    for (const name of ["shop", "admin"]) {
      const answer = await inject(app, `/${name}`);
      expect(answer.json()).toEqual({ theme: name });
      expect(answer.cookies.map((cookie) => cookie.name)).toEqual([name]);
    }
  });

  test("gives the session to hooks from onRequest on, and injected requests their cookie", async () => {
    const app = open();
    app.register(shop);
    app.register(
      scope((inner) => {
        inner.addHook("onRequest", async (request) => {
          await request.getDecorator<Session>("session").set({ theme: "dark" });
        });
        inner.get("/", (request) => request.getDecorator<Session>("session").get());
      }),
    );
    const answer = await inject(app, "/");
    expect(answer.json()).toEqual({ theme: "dark" });
    const [cookie] = answer.cookies;
    expect(cookie?.name).toBe("session");
    expect((await sessions.get(cookie?.value))?.data).toEqual({ theme: "dark" });
  });

  test("keeps its cookie where an error handler answers, and where a reply is sent by hand", async () => {
    const app = open();
    app.register(shop);
    app.setErrorHandler((_error, _request, reply) =>
      reply.removeHeader("set-cookie").code(418).send("teapot"),
    );
    app.get("/error", async (request, reply) => {
      await shop.of(request, reply).set({});
      throw new Error("lost");
    });
    app.get("/hijacked", async (request, reply) => {
      await shop.of(request, reply).set({});
      reply.hijack();
      reply.raw.writeHead(200, ["Set-Cookie", "own=1"]).end("raw");
    });
    const failed = await inject(app, "/error");
    expect([failed.statusCode, failed.cookies.map(({ name }) => name)]).toEqual([418, ["session"]]);
    const raw = await inject(app, "/hijacked");
    expect(raw.cookies.map(({ name }) => name)).toEqual(["own", "session"]);
  });

  test("keeps to the order of registration: a guard after it knows bearer sessions", async () => {
    const app = open();
    app.register(fastifySessions(sessions, { carriers: ["bearer"] }));
    app.register(csrfGuard());
    app.post("/", (request) => request.getDecorator<Session>("session").get());
    const { token } = await sessions.create({ theme: "dark" });
    const headers = { authorization: `Bearer ${token}`, origin: "https://app.example" };
    const answer = await inject(app, { method: "POST", url: "/", headers });
    expect([answer.statusCode, answer.json()]).toEqual([200, { theme: "dark" }]);
    const { origin } = headers;
    expect((await inject(app, { method: "POST", url: "/", headers: { origin } })).statusCode).toBe(
      403,
    );
  });

  test("has the name that Fastify shows, and refuses other versions", () => {
    expect(Reflect.get(shop, Symbol.for("plugin-meta"))).toEqual({
      name: "session-sets",
      fastify: "5.x",
    });
  });
});
