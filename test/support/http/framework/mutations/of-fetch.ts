/* Faults of the adapters of Requests and Responses, and of what the two share. */
import { FETCHES, type Mutation, NOTHING, of, shared } from "./mutation.ts";

const OF_HONO = of("hono", [
  [
    "the response is left as it is",
    "smoke",
    "requested.getExchange(c.req.raw, c.req).commit(c.res)",
    "c.res",
  ],
  [
    "a response is committed before the handler has run",
    "smoke",
    'Reflect.apply(c.set, c, ["session", session]);',
    'Reflect.apply(c.set, c, ["session", session]);\n    requested.getExchange(c.req.raw, c.req).commit(new Response() as never);',
  ],
  [
    "the response to an error is left as it is",
    "errors",
    "    const response = requested",
    "    if (Object(c).error) return;\n    const response = requested",
  ],
  [
    "the middleware gives no session",
    "smoke",
    'Reflect.apply(c.set, c, ["session", session]);',
    "",
  ],
  [
    "the options are lost",
    "options",
    'new RequestedSessions("honoSessions", sessions, options)',
    'new RequestedSessions("honoSessions", sessions, {})',
  ],
  [
    "the guard does not ask",
    "methods",
    "    guard(readHonoRequest(c).raw,",
    `    ${NOTHING}readHonoRequest(c).raw,`,
  ],
  [
    "the guard's options are lost",
    "origins",
    "createFetchGuard(options)",
    "createFetchGuard<Context>({})",
  ],
  ["exempt is given Hono's request", "exempt", "c.req, c as Context);", "c.req, c.req as never);"],
  [
    "the session that a requirement finds is forgotten",
    "signedIn",
    "found.put(c.req, session);",
    "",
  ],
  ["a requirement lets everybody in", "nobody", "if (refusal) return toResponse(refusal);", ""],
]);

const OF_FETCH = of("fetch", [
  [
    "of gives another session each time",
    "same",
    "requested.getSessionOfShown(SESSION_TAKES, request)",
    "requested.getSessionOfShown(SESSION_TAKES, new Request(request as never) as never)",
  ],
  [
    "the options are lost",
    "options",
    'new RequestedSessions("fetchSessions", sessions, options)',
    'new RequestedSessions("fetchSessions", sessions, {})',
  ],
  ["the guard does not ask", "methods", "    guard(shown, shown, shown as Request);", ""],
  [
    "the guard's options are lost",
    "origins",
    "createFetchGuard(options)",
    "createFetchGuard<Request>({})",
  ],
  [
    "the guard believes no proxy",
    "proxiedHost",
    "createFetchGuard(options)",
    "createFetchGuard({ ...options, trustProxy: false })",
  ],
  [
    "exempt is given nothing of the Request",
    "exempt",
    "shown as Request);",
    "{ headers: shown.headers } as never);",
  ],
  [
    "a requirement finds nobody",
    "signedIn",
    "return session ?? requested",
    "return (session && null) ?? requested",
  ],
]);

const OF_EXCHANGES_OF_HONO = shared(
  "adapters/shared-fetch.ts",
  ["hono"],
  [["the exchange is forgotten", "smoke", "owner.exchange ??= ", "owner.exchange = "]],
);

const OF_SHARED_FETCH = shared("adapters/shared-fetch.ts", FETCHES, [
  [
    "cookies are not signed",
    "keys",
    "this.#getExchange(owner, request), this.#signer)",
    "this.#getExchange(owner, request), null)",
  ],
  [
    "the guard believes no proxy",
    "proxiedHost",
    "const address = readAddress(request, { trustProxy });",
    "const address = readAddress(request, { trustProxy: false });",
  ],
  [
    "the guard knows another request than the session",
    "bearer",
    "guard({ request: one,",
    "guard({ request: {},",
  ],
  [
    "a developer is told of another framework's setting",
    "setting",
    "...address, proxySetting: TRUST_PROXY_SETTING",
    '...address, proxySetting: "app.proxy"',
  ],
  [
    "the headers of a refusal are lost",
    "pages",
    "new Response(body, { status, headers })",
    "new Response(body, { status, headers: headers && {} })",
  ],
]);

export const OF_FETCH_ADAPTERS: readonly Mutation[] = [
  ...OF_HONO,
  ...OF_FETCH,
  ...OF_SHARED_FETCH,
  ...OF_EXCHANGES_OF_HONO,
];
