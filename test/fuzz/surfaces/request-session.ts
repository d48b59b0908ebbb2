/* The session of a request, under each adapter, and the sets that are got from it. */
import { fc } from "../../support/properties.ts";
import { ADAPTERS, findAdapter } from "../requests/requests.ts";
import type { CoreWorld } from "../runs/worlds.ts";
import { given, hostile, listOf, mostly, value } from "../values/recipes.ts";
import {
  cause,
  duration,
  field,
  fields,
  onEndCallback,
  options,
  readOptions,
  replicas,
  setMethods,
  values,
} from "./core.ts";
import type { Method, Surface } from "./surfaces.ts";

/** How a request brings its token. */
interface Bringing {
  readonly adapter: string;
  /** By its name in the world; null for none. */
  readonly token: string | null;
  readonly by: "cookie" | "bearer" | "two cookies";
}

const bringings: fc.Arbitrary<Bringing> = fc.record({
  adapter: fc.constantFrom(...ADAPTERS.map(({ name }) => name)),
  token: fc.constantFrom(
    ...[
      "the token",
      "another token",
      "an aged token",
      "an old token",
      "a dead token",
      "an unknown token",
    ],
    null,
  ),
  by: fc.constantFrom("cookie", "bearer", "two cookies"),
});

/** The session of a request that brings a token so. */
function openSession(world: CoreWorld, { adapter, token, by }: Bringing): object {
  const { create, request, session } = findAdapter(adapter);
  const text = token === null ? "none" : String(world.of(token));
  const cookies = by === "two cookies" ? [text, String(world.of("another token"))] : [text];
  const headers: Record<string, string> =
    by === "bearer"
      ? { authorization: `Bearer ${text}` }
      : { cookie: cookies.map((one) => `session=${one}`).join("; ") };
  return session(create(world.sessions, { carriers: ["bearer", "cookie"] }), request(headers));
}

const touchOptions = options({ idleTimeout: duration });
const keep = fields;
const signOutOptions = options({ value: hostile, replicas, ...cause });
const csrfToken = mostly(fc.constant(given("a CSRF token")));
const response = mostly(fc.constant(given("a response")));

const sessionMethods: Readonly<Record<string, Method>> = {
  get: { args: [fc.oneof(fields, readOptions), readOptions], reads: "and touches" },
  load: { args: [readOptions], reads: "and touches" },
  signIn: {
    args: [
      values,
      options({
        keep,
        carrier: mostly(fc.constant(value("bearer"))),
        idleTimeout: duration,
        ...cause,
      }),
    ],
  },
  set: { args: [values, options(cause)] },
  unset: { args: [fields, options(cause)] },
  touch: { args: [touchOptions] },
  rotate: { args: [values, options({ grace: duration, ...cause })] },
  changeCredentials: { args: [mostly(field), signOutOptions] },
  signOutOthers: { args: [mostly(field), signOutOptions] },
  signOutEverywhere: { args: [mostly(field), signOutOptions] },
  delete: {
    args: [
      options({
        keep,
        replicas,
        clearSiteData: mostly(listOf(fc.constant(value("cache")))),
        ...cause,
      }),
    ],
  },
  onEnd: { args: [onEndCallback], reads: "only" },
  id: { args: [], gives: "value", reads: "only" },
  key: { args: [], gives: "value", reads: "only" },
  peers: { args: [mostly(field), hostile], reads: "and touches" },
  createCSRFToken: { args: [], gives: "value", reads: "only" },
  verifyCSRFToken: { args: [csrfToken], gives: "value", reads: "only" },
  commit: { args: [response], gives: "value", reads: "only" },
};

export const requestSessionSurface: Surface<CoreWorld, Bringing> = {
  name: "RequestSession",
  settings: bringings,
  open: openSession,
  methods: sessionMethods,
  skipped: {
    regenerate: "reading it is refused, whatever comes then",
    save: "the same",
    reload: "the same",
    destroy: "the same",
  },
};

export const peersSurface: Surface<CoreWorld, Bringing> = {
  name: "SessionSet of a request",
  settings: bringings.map((one) => ({ ...one, token: "the token" })),
  async open(world, bringing) {
    const session = openSession(world, bringing) as {
      peers(field: string): Promise<object>;
    };
    return session.peers("user_id");
  },
  methods: setMethods,
};
