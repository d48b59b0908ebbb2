/* Every function and class of the package that takes options and makes something of them. */

import { createSessions, SessionError } from "session-sets";
import { SessionSetsStore } from "session-sets/compat/express-session";
import * as koaCompat from "session-sets/compat/koa-redis-session-sets";
import { SpotsSessions } from "session-sets/compat/spots-sessions";
import { memoryStore } from "session-sets/memory";
import { redisStore } from "session-sets/redis";
import { createSessionCookie, newId, newIdBeside, newIdInShard } from "session-sets/testing";
import { contextWith } from "../../support/http/request.ts";
import { fc } from "../../support/properties.ts";
import { ADAPTERS, type Adapter } from "../requests/requests.ts";
import {
  given,
  hostile,
  hostileText,
  listOf,
  mostly,
  odd,
  type Recipe,
  recordOf,
  value,
} from "../values/recipes.ts";
import { duration, options, values } from "./core.ts";

/** The steps that a program takes with the result. */
export type Use = (made: never) => readonly (() => unknown)[];

export interface Factory {
  readonly name: string;
  /** The export of the package. */
  readonly exported: unknown;
  readonly args: readonly fc.Arbitrary<Recipe>[];
  readonly create: (...args: never[]) => unknown;
  readonly use: Use;
}

/** Values that options of these names may have. */
const RIGHT: Readonly<Record<string, fc.Arbitrary<Recipe>>> = {
  store: fc.constant(given("a store")),
  client: fc.constant(given("a client")),
  references: fc.oneof(
    listOf(fc.constantFrom("user_id", "team_ids").map(value)),
    recordOf({
      user_id: fc.oneof(
        fc.constant(odd("true")),
        recordOf({
          identity: boolean(),
          type: texts("string", "number"),
          as: texts("set"),
          from: hostile,
        }),
      ),
      "\ud800": hostile,
    }),
  ),
  data: mostly(recordOf({ "~standard": recordOf({ validate: hostile, version: hostile }) })),
  maxBytes: fc.constantFrom(1, 100, 65_536).map(value),
  maxSessions: fc.constantFrom(1, 1000).map(value),
  maxTotalBytes: fc.constantFrom(1, 1_000_000).map(value),
  shards: fc.constantFrom(1, 4).map(value),
  prefix: texts("fuzz-options"),
  timeout: texts("10 seconds"),
  carriers: listOf(
    fc.oneof(
      texts("cookie", "bearer"),
      recordOf({ header: texts("X-Token", "constructor", "__proto__") }),
    ),
  ),
  keys: listOf(texts("a secret", "another secret")),
  trustProxy: boolean(),
  signed: boolean(),
  origins: listOf(texts("https://a.example", "capacitor://localhost")),
  connectionString: fc.constant(given("a URL")),
  tokenEncoding: texts("base64", "hex", "latin1"),
  tokenSize: fc.constantFrom(20, 128).map(value),
  missing: texts("reject"),
  migrate: fc.oneof(boolean(), recordOf({ prefix: texts("old:"), namespace: texts("old") })),
  byteLength: fc.constantFrom(1, 16).map(value),
  key: texts("session-id"),
  namespace: texts("fuzz-options"),
  maxAge: duration,
  idleTimeout: duration,
  absoluteTimeout: duration,
  rotationGrace: duration,
  name: texts("session", "sid"),
  formerNames: listOf(texts("sid")),
  path: texts("/", "/shop"),
  domain: texts("shop.example"),
  sameSite: texts("lax", "strict", "none"),
  secure: boolean(),
};

function boolean(): fc.Arbitrary<Recipe> {
  return fc.boolean().map(value);
}

function texts(...all: string[]): fc.Arbitrary<Recipe> {
  return fc.constantFrom(...all).map(value);
}

/** Options of these names: as they should be, or anything. A new one is among them as soon as it is there. */
function optionsNamed(names: readonly string[]): fc.Arbitrary<Recipe> {
  return options(
    Object.fromEntries(names.map((name) => [name, mostly(RIGHT[name] ?? hostile, 3)])),
  );
}

/** The names of all options, as a factory lists them where it is given one that it does not have. */
export function listOptionNames(create: (options: object) => unknown): string[] {
  try {
    create({ "?": 1 });
  } catch (error) {
    const [, list] = /its options are (.*)$/.exec((error as SessionError).hint) ?? [];
    if (list !== undefined) return list.split(", ");
  }
  throw new Error("A factory does not say which options it has");
}

const COOKIE_NAMES = listOptionNames((cookie) => ADAPTERS[0]?.create(createSessions(), { cookie }));
const cookie = optionsNamed(COOKIE_NAMES);

const sessionsOf = createSessions({ references: { user_id: true, team_ids: { identity: false } } });

function ofAdapter(adapter: Adapter): Factory {
  const names = listOptionNames((one) => adapter.create(sessionsOf as never, one));
  const all = Object.fromEntries(
    names.map((name) => [name, mostly(name === "cookie" ? cookie : (RIGHT[name] ?? hostile), 3)]),
  );
  return {
    name: `sessions for ${adapter.name}`,
    exported: adapter.exported.create,
    args: [mostly(fc.constant(given("sessions")), 8), options(all)],
    create: (sessions: never, given: never) => adapter.create(sessions, given),
    use(made: object) {
      const headers = { cookie: "session=x; sid=y", "x-token": "z", authorization: "Bearer x" };
      const session = () => adapter.session(made, adapter.request(headers, "POST")) as Used;
      return [
        () => session().get(),
        () => session().set({ theme: "dark" }),
        () => session().signIn({ user_id: 1 }),
        () => session().createCSRFToken(),
        () => session().delete(),
      ];
    },
  };
}

interface Used {
  get(): Promise<unknown>;
  set(values: object): Promise<unknown>;
  signIn(values: object): Promise<unknown>;
  createCSRFToken(): string;
  delete(): Promise<unknown>;
}

function ofGuard(adapter: Adapter): Factory {
  const names = listOptionNames((one) => adapter.guard(one));
  return {
    name: `csrfGuard for ${adapter.name}`,
    exported: adapter.exported.guard,
    args: [optionsNamed(names)],
    create: (given: never) => adapter.guard(given),
    use: (guard: (...args: unknown[]) => unknown) =>
      adapter.name === "Fastify"
        ? []
        : ["https://a.example", "::", "null", "\ud800"].map((origin) => () => {
            const headers = { origin, "x-forwarded-host": "[", "x-forwarded-proto": "https" };
            return guard(...adapter.request(headers, "POST").args, () => {});
          }),
  };
}

type Core = ReturnType<typeof createSessions>;

/** The calls that programs make on sessions. */
function useSessions(sessions: Core): readonly (() => unknown)[] {
  const values = { user_id: 1, theme: "dark" } as never;
  let token: string | undefined;
  return [
    async () => {
      token = (await sessions.create(values)).token;
    },
    () => sessions.get(token),
    () => sessions.set(token, { theme: "light" }),
    () => sessions.rotate(token),
    () => sessions.signIn(token, values),
    () => sessions.delete(token),
    () => sessions.close(),
  ];
}

const KOA_COMPAT = [
  ...["client", "prefix", "namespace", "references", "maxAge", "byteLength", "key", "migrate"],
  ...[
    "signed",
    "httpOnly",
    "overwrite",
    "domain",
    "path",
    "secure",
    "sameSite",
    "priority",
    "partitioned",
  ],
];

export const FACTORIES: readonly Factory[] = [
  {
    name: "createSessions",
    exported: createSessions,
    args: [optionsNamed(listOptionNames((one) => createSessions(one)))],
    create: (given: never) => createSessions(given),
    use: useSessions as Use,
  },
  {
    name: "memoryStore",
    exported: memoryStore,
    args: [optionsNamed(listOptionNames((one) => memoryStore(one)))],
    create: (given: never) => memoryStore(given),
    use: (store: never) =>
      useSessions(createSessions<Record<string, unknown>>({ store, references: ["user_id"] })),
  },
  {
    name: "redisStore",
    exported: redisStore,
    args: [
      mostly(fc.constant(given("a client")), 6),
      optionsNamed(["prefix", "timeout", "shards"]),
    ],
    create: (client: never, given: never) => redisStore(client, given),
    use: (store: never) =>
      useSessions(createSessions<Record<string, unknown>>({ store, references: ["user_id"] })),
  },
  {
    name: "SessionSetsStore",
    exported: SessionSetsStore,
    args: [optionsNamed(listOptionNames((one) => new SessionSetsStore(one)))],
    create: (given: never) => new SessionSetsStore(given),
    use: (store: SessionSetsStore) => [
      () => store.set("a sid", { cookie: {}, user_id: 1, theme: "dark" }),
      () => store.get("a sid"),
      () => store.by("user_id", 1),
      () => store.destroy("a sid"),
      () => store.close(),
    ],
  },
  {
    name: "koaRedisSessionSets",
    exported: koaCompat.default,
    args: [hostile, optionsNamed(KOA_COMPAT)],
    create: (app: never, given: never) => koaCompat.default(app, given),
    use(middleware: koaCompat.KoaRedisSessionSets) {
      const cookies = { get: () => undefined, set() {} };
      const context = { ...contextWith(), cookies } as never;
      return [
        () => middleware.createSession(context).set({ user_id: 1, theme: "dark" }),
        () => middleware.createSession(context).createCSRFToken(),
        () => middleware.createSession(context).delete(),
        () => middleware.store.clear("user_id", 1),
      ];
    },
  },
  {
    name: "SpotsSessions",
    exported: SpotsSessions,
    args: [
      fc.oneof(
        // Any URL but that of the test's own server would have it call on others.
        optionsNamed(["connectionString", "tokenEncoding", "tokenSize", "missing"]).filter(
          staysHere,
        ),
      ),
    ],
    create: (given: never) => new SpotsSessions(given),
    use: (spots: SpotsSessions) => [
      () => spots.create({ app: "a", ownerId: "o", duration: 60 }),
      () => spots.get({ app: "a", token: "none" }),
      async () => spots.client.disconnect(),
    ],
  },
  {
    name: "SessionError",
    exported: SessionError,
    args: [
      fc.oneof(texts("ERR_SESSION_VALUE", "ERR_CSRF"), hostileText),
      hostile,
      fc.constant(odd("undefined")),
    ],
    create: (...all: never[]) => Reflect.construct(SessionError, all),
    use: () => [],
  },
  {
    name: "createSessionCookie",
    exported: createSessionCookie,
    args: [
      mostly(fc.constantFrom(...ADAPTERS.map(({ name }) => given(`sessions for ${name}`)))),
      values,
      options({ idleTimeout: duration, absoluteTimeout: duration, keys: hostile }),
    ],
    create: (...all: never[]) => Reflect.apply(createSessionCookie, undefined, all),
    use: (cookie: Promise<string>) => [() => cookie],
  },
  {
    name: "newId",
    exported: newId,
    args: [mostly(fc.constantFrom(1, 64, 4096).map(value))],
    create: (shards: never) => newId(shards),
    use: () => [],
  },
  {
    name: "newIdInShard",
    exported: newIdInShard,
    args: [mostly(fc.constantFrom(0, 4095).map(value))],
    create: (shard: never) => newIdInShard(shard),
    use: () => [],
  },
  {
    name: "newIdBeside",
    exported: newIdBeside,
    args: [hostileText],
    create: (id: never) => newIdBeside(id),
    use: () => [],
  },
  ...ADAPTERS.map(ofAdapter),
  ...ADAPTERS.map(ofGuard),
];

/** Whether a recipe of options says where its own server is, and nothing else. */
function staysHere(recipe: Recipe): boolean {
  if (!("record" in recipe) || recipe.dress !== "plain") return false;
  const urls = recipe.record.filter(
    ([name]) => !("value" in name) || name.value === "connectionString",
  );
  return urls.length > 0 && urls.every(([, one]) => "given" in one && one.given === "a URL");
}
