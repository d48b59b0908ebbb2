// A program of a user of the package in TypeScript, with the sessions typed as each framework's users
// do it. (It is compiled by itself: what it declares of Express and Fastify holds for whole programs.)
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import express from "express";
import fastify from "fastify";
import { Hono } from "hono";
import { createSessions } from "session-sets";
import { csrfGuard as expressGuard, expressSessions, type SessionOf } from "session-sets/express";
import { csrfGuard as fastifyGuard, fastifySessions } from "session-sets/fastify";
import { csrfGuard as fetchGuard, fetchSessions } from "session-sets/fetch";
import { csrfGuard as honoGuard, honoSessions, type SessionVariables } from "session-sets/hono";
import { csrfGuard as nodeGuard, nodeSessions } from "session-sets/node";

const sessions = createSessions({
  data: {} as { user_id?: number; theme?: string },
  references: ["user_id"],
});

declare global {
  namespace Express {
    interface Request {
      session: SessionOf<typeof sessions>;
    }
  }
}

declare module "fastify" {
  interface FastifyRequest {
    session: SessionOf<typeof sessions>;
  }
}

async function underExpress(): Promise<unknown> {
  const app = express();
  app.use(expressSessions(sessions), expressGuard());
  app.get("/", async (req, res) => {
    await req.session.set({ theme: "dark" });
    // @ts-expect-error: no field of the sessions
    await req.session.get(["password"]);
    res.json(await req.session.get(["theme"]));
  });
  const server = app.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const response = await fetch(`http://127.0.0.1:${port}/`);
  server.close();
  return response.json();
}

async function underFastify(): Promise<unknown> {
  const app = fastify();
  await app.register(fastifySessions(sessions));
  await app.register(fastifyGuard());
  app.get("/", async (request) => {
    await request.session.set({ theme: "dark" });
    await request.session.signIn({ user_id: 1 }, { keep: ["theme"] });
    // @ts-expect-error: not the type of the field
    await request.session.set({ theme: 1n }).catch(() => {});
    return request.session.get(["theme"]);
  });
  return new Promise((resolve) => app.inject("/", (_error, answer) => resolve(answer?.json())));
}

async function underHono(): Promise<unknown> {
  const app = new Hono<{ Variables: SessionVariables<typeof sessions> }>();
  app.use(honoSessions(sessions), honoGuard());
  app.get("/", async (c) => {
    await c.var.session.signIn({ user_id: 1, theme: "dark" });
    // @ts-expect-error: no field of the sessions
    await c.var.session.get(["password"]);
    return c.json(await c.var.session.get(["theme"]));
  });
  return (await app.request("/")).json();
}

async function withFetch(): Promise<unknown> {
  const request = new Request("https://shop.example/");
  fetchGuard()(request);
  const session = fetchSessions(sessions)(request);
  await session.set({ theme: "dark" });
  // @ts-expect-error: no field of the sessions
  await session.get(["password"]);
  const response: Response = session.commit(Response.json(await session.get(["theme"])));
  return response.json();
}

console.log(
  JSON.stringify({
    express: await underExpress(),
    fastify: await underFastify(),
    hono: await underHono(),
    fetch: await withFetch(),
    node: [nodeSessions(sessions), nodeGuard()].map((value) => typeof value),
  }),
);
