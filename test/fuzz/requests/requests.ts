/* Requests as each framework shows them, with no server around them, and the sessions they get. */
import { IncomingMessage, ServerResponse } from "node:http";
import { Socket } from "node:net";
import * as express from "session-sets/express";
import * as fastify from "session-sets/fastify";
import * as fetched from "session-sets/fetch";
import * as hono from "session-sets/hono";
import * as koa from "session-sets/koa";
import * as node from "session-sets/node";
import type { CoreWorld } from "../runs/worlds.ts";
import { throwPlanted } from "../values/planted.ts";

export type Headers = Readonly<Record<string, string>>;

/** An adapter, and what it takes for a request. */
export interface Adapter {
  readonly name: string;
  /** Makes the adapter; its options are those of all adapters. */
  readonly create: (sessions: CoreWorld["sessions"], options?: object) => object;
  readonly guard: (options?: object) => unknown;
  /** The package's export for both. */
  readonly exported: { readonly create: unknown; readonly guard: unknown };
  /** The arguments that the adapter's functions are called with, by their names. */
  readonly request: (headers: Headers, method?: string) => Shown;
  /** The session of such a request. */
  readonly session: (adapter: object, shown: Shown) => object;
}

/** A request as a framework shows it: the arguments, and the response's headers that the session has set. */
export interface Shown {
  readonly args: readonly unknown[];
  readonly setCookies: () => readonly string[];
}

function nodeRequest(headers: Headers, method = "GET") {
  const req = new IncomingMessage(new Socket());
  Object.assign(req.headers, { host: "shop.example" }, headers);
  Object.assign(req, { method, url: "/" });
  const res = new ServerResponse(req);
  const setCookies = () => [res.getHeader("set-cookie") ?? []].flat().map(String);
  return { req, res, setCookies };
}

/** Of the adapters on Request; its headers may be anything, which those of a Request may not. */
function fetchRequest(headers: Headers, method = "GET") {
  const all: Headers = { host: "shop.example", ...headers };
  const get = (name: string) => (Object.hasOwn(all, name) ? (all[name] ?? null) : null);
  return { url: "http://shop.example/", method, headers: { get } };
}

const callable = (object: object) => object as (...args: unknown[]) => object;
const sessionBy = (object: object) => (object as { of(...args: unknown[]): object }).of;

export const ADAPTERS: readonly Adapter[] = [
  {
    name: "Koa",
    create: (sessions, options = {}) => koa.koaSessions(sessions, options),
    guard: (options) => koa.csrfGuard(options),
    exported: { create: koa.koaSessions, guard: koa.csrfGuard },
    request(headers, method = "GET") {
      const { req, res, setCookies } = nodeRequest(headers, method);
      const app = { keys: ["a key that signs"] };
      const ctx = { req, res, request: {}, method, host: "shop.example", secure: false, app };
      return { args: [ctx], setCookies };
    },
    session: (adapter, { args }) => sessionBy(adapter)(...args),
  },
  {
    name: "Express",
    create: (sessions, options = {}) => express.expressSessions(sessions, options),
    guard: (options) => express.csrfGuard(options),
    exported: { create: express.expressSessions, guard: express.csrfGuard },
    request(headers, method) {
      const { req, res, setCookies } = nodeRequest(headers, method);
      return { args: [Object.assign(req, { res }), res], setCookies };
    },
    session: (adapter, { args }) => sessionBy(adapter)(args[0]),
  },
  {
    name: "Fastify",
    create: (sessions, options = {}) => fastify.fastifySessions(sessions, options),
    guard: (options) => fastify.csrfGuard(options),
    exported: { create: fastify.fastifySessions, guard: fastify.csrfGuard },
    request(headers, method = "GET") {
      const { req, res, setCookies } = nodeRequest(headers, method);
      const request = { raw: req, method, host: "shop.example", protocol: "http" };
      const reply = { raw: res, code() {}, headers() {}, send() {} };
      return { args: [request, reply], setCookies };
    },
    session: (adapter, { args }) => sessionBy(adapter)(...args),
  },
  {
    name: "Hono",
    create: (sessions, options = {}) => hono.honoSessions(sessions, options),
    guard: (options) => hono.csrfGuard(options),
    exported: { create: hono.honoSessions, guard: hono.csrfGuard },
    request(headers, method) {
      const res = new Response("");
      const c = { req: { raw: fetchRequest(headers, method) }, res, set() {} };
      return { args: [c], setCookies: () => c.res.headers.getSetCookie() };
    },
    session: (adapter, { args }) => sessionBy(adapter)(...args),
  },
  {
    name: "node",
    create: (sessions, options = {}) => node.nodeSessions(sessions, options),
    guard: (options) => node.csrfGuard(options),
    exported: { create: node.nodeSessions, guard: node.csrfGuard },
    request(headers, method) {
      const { req, res, setCookies } = nodeRequest(headers, method);
      return { args: [req, res], setCookies };
    },
    session: (adapter, { args }) => callable(adapter)(...args),
  },
  {
    name: "fetch",
    create: (sessions, options = {}) => fetched.fetchSessions(sessions, options),
    guard: (options) => fetched.csrfGuard(options),
    exported: { create: fetched.fetchSessions, guard: fetched.csrfGuard },
    request: (headers, method) => ({ args: [fetchRequest(headers, method)], setCookies: () => [] }),
    session: (adapter, { args }) => callable(adapter)(...args),
  },
  {
    name: "fetch, by parts",
    create: (sessions, options = {}) => fetched.fetchSessions(sessions, options),
    guard: (options) => fetched.csrfGuard(options),
    exported: { create: fetched.fetchSessions, guard: fetched.csrfGuard },
    request(headers) {
      const set: string[] = [];
      const cookies = { set: (name: string, text: string) => void set.push(`${name}=${text}`) };
      return { args: [{ headers: fetchRequest(headers).headers, cookies }], setCookies: () => set };
    },
    session: (adapter, { args }) => callable(adapter)(...args),
  },
];

export function findAdapter(name: string): Adapter {
  const found = ADAPTERS.find((one) => one.name === name);
  if (!found) throw new Error(`There is no adapter ${name}`);
  return found;
}

/** Arguments of calls that have to do with requests; `token` is brought by the requests. */
export function requestGivens(token: string): Record<string, unknown> {
  const givens: Record<string, unknown> = {
    // Some adapters hand their errors on to it.
    next: (error?: unknown) => {
      if (error !== undefined) throw error;
    },
    "a next that throws": (error?: unknown) => {
      if (error !== undefined) throw error;
      throwPlanted();
    },
    POST: "POST",
    done() {},
    "a Fastify": { hasRequestDecorator: () => true, decorateRequest() {}, addHook() {} },
    "a response": new Response(""),
    "a CSRF token": `${"A".repeat(22)}.${"B".repeat(43)}`,
  };
  for (const { name, request } of ADAPTERS) {
    const { args } = request({ cookie: `session=${token}` }, "POST");
    for (const [i, arg] of args.entries()) givens[`${name} ${i}`] = arg;
  }
  givens["a request of node"] = givens["node 0"];
  givens["a response of node"] = givens["node 1"];
  givens["a request of fetch"] = givens["fetch 0"];
  return givens;
}
