/* The results of the adapters' functions: middlewares, requirements and guards, called with any kind of request. */
import { fc } from "../../support/properties.ts";
import { type Adapter, findAdapter } from "../requests/requests.ts";
import type { CoreWorld } from "../runs/worlds.ts";
import {
  given,
  hostile,
  hostileText,
  mostly,
  type Recipe,
  recordOf,
  value,
} from "../values/recipes.ts";
import { field, options } from "./core.ts";
import type { Method, Surface } from "./surfaces.ts";

const part = (...names: string[]) => mostly(fc.constantFrom(...names).map(given));
const boolean = mostly(fc.boolean().map(value));

/** An object with some properties of a request. That of a framework is the same each time it is read. */
const hollow = recordOf(
  {
    req: part("a request of node"),
    res: part("a response of node"),
    raw: part("a request of node", "a response of node", "a request of fetch"),
    request: hostile,
    method: part("POST"),
    host: mostly(hostileText),
    secure: boolean,
    app: hostile,
    url: mostly(hostileText),
    headers: hostile,
    socket: hostile,
    cookies: hostile,
    protocol: mostly(hostileText),
    body: hostile,
    set: hostile,
  },
  [
    "plain",
    "plain",
    "without a prototype",
    "of a class",
    "a Proxy",
    "by getters",
    "by a getter that throws",
  ],
);

/** An argument that a framework gives: that of an adapter's request with this index. */
function shown({ name }: Adapter, index: number): fc.Arbitrary<Recipe> {
  return mostly(fc.oneof({ weight: 2, arbitrary: fc.constant(given(`${name} ${index}`)) }, hollow));
}

const next = fc.constantFrom("next", "a next that throws").map(given);
const requirementOptions = options({
  redirect: mostly(hostileText),
  answer: mostly(fc.constantFrom("page", "program").map(value)),
  touch: boolean,
});

/** How the functions of each adapter are called. */
interface Called {
  readonly middleware: Method;
  readonly sessionOf: Method;
  readonly requirement: Method;
  readonly of?: Method;
  readonly guard: Method;
}

const plugin: Method = {
  args: [mostly(fc.constant(given("a Fastify"))), hostile, fc.constant(given("done"))],
  byFramework: true,
  gives: "value",
  reads: "only",
};

function describeCalls(adapter: Adapter): Called {
  const [first, second] = [shown(adapter, 0), shown(adapter, 1)];
  const sync = { gives: "value", reads: "only" } as const;
  const sessionOf: Method = { args: [first], ...sync };
  const of: Method = { args: [first], ...sync };
  switch (adapter.name) {
    case "Koa":
    case "Hono": {
      const middleware: Method = { args: [first, next], byFramework: true, reads: "only" };
      const requirement: Method = { args: [first, next], byFramework: true, reads: "and touches" };
      return { middleware, sessionOf, requirement, of, guard: middleware };
    }
    case "Express": {
      const middleware: Method = { args: [first, second, next], byFramework: true, ...sync };
      const requirement: Method = {
        args: [first, second, next],
        byFramework: true,
        reads: "and touches",
      };
      return { middleware, sessionOf, requirement, of, guard: middleware };
    }
    case "Fastify":
      return {
        middleware: plugin,
        sessionOf: { args: [first, second], ...sync },
        requirement: { args: [first, second], byFramework: true, reads: "and touches" },
        of,
        guard: plugin,
      };
    case "node":
      return {
        middleware: { args: [first, second], ...sync },
        sessionOf: { args: [first, second], ...sync },
        requirement: { args: [first, second], byFramework: true, reads: "and touches" },
        guard: { args: [first], ...sync },
      };
    default:
      return {
        middleware: { args: [first], ...sync },
        sessionOf,
        requirement: { args: [first], reads: "and touches" },
        guard: { args: [first], ...sync },
      };
  }
}

type Adapted = { requireSession(field: string, options?: object): object };

/** The surfaces of one adapter: what it makes of sessions, a requirement, and a guard. */
function createSurfaces(name: string): Surface<CoreWorld>[] {
  const adapter = findAdapter(name);
  const { middleware, sessionOf, requirement, of, guard } = describeCalls(adapter);
  const settings = fc.constant(undefined);
  return [
    {
      name: `sessions for ${name}`,
      settings,
      open: ({ sessions }) => adapter.create(sessions),
      methods: {
        "()": middleware,
        of: sessionOf,
        requireSession: {
          args: [mostly(field), requirementOptions],
          gives: "value",
          reads: "only",
        },
      },
    },
    {
      name: `requirement of ${name}`,
      settings,
      open: ({ sessions }) => (adapter.create(sessions) as Adapted).requireSession("user_id"),
      methods: { "()": requirement, ...(of ? { of } : {}) },
    },
    {
      name: `guard of ${name}`,
      settings,
      open: () => adapter.guard() as object,
      methods: { "()": guard },
      skipped: {},
    },
  ];
}

export const adapterSurfaces: readonly Surface<CoreWorld>[] = [
  "Koa",
  "Express",
  "Fastify",
  "Hono",
  "node",
  "fetch",
].flatMap(createSurfaces);
