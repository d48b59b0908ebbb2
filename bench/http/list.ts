/* All apps. Each process loads only the framework that it serves. */
import { FLOOR, OURS } from "../subjects/list.ts";
import type { AppDescription, StartApp } from "./app.ts";

type Module = Readonly<Record<string, StartApp>>;

/** The apps of one framework: whose sessions, with which client, and the function that starts it. */
function framework(
  name: string,
  load: () => Promise<Module>,
  apps: readonly (readonly [subject: string, client: string, start: string])[],
): AppDescription[] {
  return apps.map(([subject, client, start]) => ({
    workload: `http-${name.toLowerCase()}`,
    title: `a request that reads, ${name}`,
    subject,
    client,
    start: async (options) => {
      const app = (await load())[start];
      if (!app) throw new Error(`There is no ${start} for ${name}.`);
      return app(options);
    },
  }));
}

const BOTH = [
  [OURS, "ioredis", "startOurs"],
  [FLOOR, "ioredis", "startBare"],
] as const;

export const APPS: readonly AppDescription[] = [
  ...framework("Koa", () => import("./koa.ts") as Promise<Module>, [
    ...BOTH,
    ["koa-session with koa-redis", "ioredis", "startKoaSession"],
  ]),
  ...framework("Express", () => import("./express.ts") as Promise<Module>, [
    ...BOTH,
    ["express-session with connect-redis", "node-redis", "startConnectRedis"],
    ["express-session with our store", "ioredis", "startOurStore"],
  ]),
  ...framework("Fastify", () => import("./fastify.ts") as Promise<Module>, [
    ...BOTH,
    ["@fastify/session with connect-redis", "node-redis", "startConnectRedis"],
    ["@fastify/session with our store", "ioredis", "startOurStore"],
  ]),
  ...framework("Hono", () => import("./hono.ts") as Promise<Module>, BOTH),
  ...framework("node", () => import("./node.ts") as Promise<Module>, BOTH),
];
