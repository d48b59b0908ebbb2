// The pages of docs/, by the rooms of the sidebar. A page that isn't there yet isn't shown.
import { existsSync, readFileSync } from "node:fs";

export const DOCS = new URL("../../docs/", import.meta.url);

/** @type {readonly (readonly [room: string, pages: readonly (string | readonly [string, string])[]])[]} */
export const ROOMS = [
  ["Begin", ["getting-started", "testing-an-app"]],
  [
    "Sessions",
    [
      "sessions",
      "session-sets",
      ["request-session", "A request's session"],
      "signing-in",
      "rotation",
      "deadlines",
      "limits",
      "endings",
      "types",
      "errors",
    ],
  ],
  ["On the web", ["cookies", "bearer-tokens", "csrf", ["websockets", "WebSockets and streams"]]],
  [
    "Frameworks",
    [
      "frameworks/koa",
      "frameworks/express",
      "frameworks/fastify",
      "frameworks/hono",
      "frameworks/node",
      ["frameworks/fetch", "fetch"],
      "frameworks/nextjs",
      "frameworks/react-router",
      "frameworks/sveltekit",
      "frameworks/bun-and-deno",
    ],
  ],
  [
    "Recipes",
    [
      "recipes/passport",
      "recipes/openid-connect",
      "recipes/remember-me",
      "recipes/step-up",
      "recipes/impersonation",
      "recipes/several-apps",
      "recipes/multi-tenant",
    ],
  ],
  [
    "Migrating",
    [
      ["migrate/index", "Live sessions"],
      ["migrate/express-session", "From express-session"],
      ["migrate/koa-redis-session-sets", "From koa-redis-session-sets"],
      ["migrate/redis-user-sessions", "From redis-user-sessions"],
      ["migrate/spots-sessions", "From @spots-tech/sessions"],
    ],
  ],
  [
    "In production",
    [
      "stores",
      ["redis-layout", "Redis layout"],
      "operating",
      "performance",
      ["security", "Security"],
      "compatibility",
    ],
  ],
  ["Inside", ["writing-a-store", ["design", "Design"]]],
];

const isThere = (page) => existsSync(new URL(`${page}.md`, DOCS));

/** The first heading of a page, which is its title. */
export function readTitle(page) {
  const [, title] = /^# (.+)$/m.exec(readFileSync(new URL(`${page}.md`, DOCS), "utf8")) ?? [];
  if (!title) throw new Error(`docs/${page}.md has no title`);
  return title;
}

/** The pages that are there, with their titles, room by room. */
export function listRooms() {
  return ROOMS.map(([room, pages]) => ({
    room,
    pages: pages
      .map((page) => (typeof page === "string" ? [page] : page))
      .filter(([page]) => isThere(page))
      .map(([page, title = readTitle(page)]) => ({ page, title })),
  })).filter(({ pages }) => pages.length > 0);
}
