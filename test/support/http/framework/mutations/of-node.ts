/* Faults of the adapters of frameworks on node:http. */
import { type Mutation, NOTHING, of } from "./mutation.ts";

const OF_KOA = of("koa", [
  [
    "of gives another session each time",
    "same",
    "getRequestSession(req, ",
    "getRequestSession({}, ",
  ],
  ["the response is not known", "smoke", "    bindResponse(req, res);\n", ""],
  ["the middleware gives no session", "smoke", "defineSession(ctx, getSession(ctx));", ""],
  ["cookies are not signed", "keys", "signed ? createKoaSigner(keys) : null;", "null;"],
  ["no connection is secure", "secure", "return this.#ctx.secure;", "return false;"],
  [
    "everybody's word for a secure connection is taken",
    "secure",
    "return this.#ctx.secure;",
    'return this.#ctx.req.headers["x-forwarded-proto"] === "https";',
  ],
  [
    "the parsed body is not shown",
    "form",
    "return (this.#ctx.request as { readonly body?: unknown } | undefined)?.body;",
    "return undefined;",
  ],
  [
    "the options are lost",
    "options",
    'bindSessions("koaSessions", sessions, given,',
    'bindSessions("koaSessions", sessions, {},',
  ],
  ["the guard does not ask", "methods", "    guard(\n", `    ${NOTHING}\n`],
  [
    "the guard goes by the proxy's own host",
    "proxiedHost",
    "host: ctx.host,",
    'host: readHeader(request, "host") ?? "",',
  ],
  [
    "the guard knows another request than the session",
    "bearer",
    "{ request, method, host,",
    "{ request: {}, method, host,",
  ],
  [
    "exempt is given node:http's request",
    "exempt",
    "ctx as unknown as Context",
    "ctx.req as Context",
  ],
  [
    "a developer is told of another framework's setting",
    "setting",
    '"app.proxy = true"',
    '"trustProxy"',
  ],
  ["the session that a requirement finds is forgotten", "signedIn", "found.put(req, session);", ""],
  ["a requirement lets everybody in", "nobody", "if (refusal) {", "if (refusal && !ctx) {"],
  [
    "the headers of a refusal are lost",
    "pages",
    "for (const [name, value] of Object.entries(refusal.headers)) res.setHeader(name, value);",
    "res;",
  ],
]);

const OF_EXPRESS = of("express", [
  [
    "of gives another session each time",
    "same",
    "getRequestSession(req, ",
    "getRequestSession({}, ",
  ],
  ["the response is not known", "smoke", "    bindResponse(req, response ?? res);\n", ""],
  ["the middleware gives no session", "smoke", "defineSession(req, getSession(req, res));", ""],
  [
    "cookies are not signed",
    "keys",
    "ExpressExchange(req), signer)",
    "ExpressExchange(req), null)",
  ],
  ["no connection is secure", "secure", "secure ?? isEncrypted(req)", "isEncrypted(req)"],
  [
    "everybody's word for a secure connection is taken",
    "secure",
    "secure ?? isEncrypted(req)",
    'req.headers["x-forwarded-proto"] === "https"',
  ],
  [
    "the parsed body is not shown",
    "form",
    "return (this.#req as Partial<ExpressRequest>).body;",
    "return undefined;",
  ],
  ["the guard does not ask", "methods", "    guard(\n", `    ${NOTHING}\n`],
  [
    "the guard trusts every proxy",
    "proxiedHost",
    'typeof trusts === "function" && trusts(socket?.remoteAddress, 0) === true',
    "true",
  ],
  [
    "the guard trusts no proxy",
    "proxiedHost",
    'typeof trusts === "function" && trusts(socket?.remoteAddress, 0) === true',
    "false",
  ],
  [
    "the guard forgets the port",
    "host",
    "host: readHost(req) }",
    'host: readHost(req).split(":", 1)[0] ?? "" }',
  ],
  [
    "the guard knows another request than the session",
    "bearer",
    "{ request: req, method, host,",
    "{ request: {}, method, host,",
  ],
  [
    "exempt is given nothing of Express",
    "exempt",
    "      req as Request,\n",
    "      req.headers as never,\n",
  ],
  [
    "a developer is told of another framework's setting",
    "setting",
    `'app.set("trust proxy", 1)'`,
    '"trustProxy"',
  ],
  ["the session that a requirement finds is forgotten", "signedIn", "found.put(req, session);", ""],
  ["a requirement lets everybody in", "nobody", "if (refusal) {", "if (refusal && !req) {"],
  [
    "the headers of a refusal are lost",
    "pages",
    "answer.writeHead(refusal.status, refusal.headers)",
    "answer.writeHead(refusal.status)",
  ],
]);

const OF_FASTIFY = of("fastify", [
  [
    "of gives another session each time",
    "same",
    "getRequestSession(raw, ",
    "getRequestSession({}, ",
  ],
  ["the response is not known", "smoke", "    bindResponse(raw, response);\n", ""],
  ["the hook gives no session", "smoke", "defineSession(request, getSession(request, reply));", ""],
  [
    "cookies are not signed",
    "keys",
    "FastifyExchange(raw, request), signer)",
    "FastifyExchange(raw, request), null)",
  ],
  ["no connection is secure", "secure", 'return request.protocol === "https";', "return false;"],
  [
    "everybody's word for a secure connection is taken",
    "secure",
    'return request.protocol === "https";',
    'return request.raw.headers["x-forwarded-proto"] === "https";',
  ],
  ["the parsed body is not shown", "form", "return this.#request.body;", "return undefined;"],
  [
    "the plugin serves a scope of its own",
    "smoke",
    '[Symbol.for("skip-override")]: true',
    '[Symbol.for("skip-override")]: false',
  ],
  ["the guard does not ask", "methods", "guard(asked, request as Request);", ""],
  [
    "the guard goes by the proxy's own host",
    "proxiedHost",
    "return host === raw.headers.host ? readHost(raw) : host;",
    "return readHost(raw);",
  ],
  [
    "the guard knows another request than the session",
    "bearer",
    "{ request: raw, method, host,",
    "{ request: {}, method, host,",
  ],
  [
    "exempt is given node:http's request",
    "exempt",
    "guard(asked, request as Request);",
    "guard(asked, raw as never);",
  ],
  [
    "a developer is told of another framework's setting",
    "setting",
    '"Fastify\'s option trustProxy"',
    '"app.proxy"',
  ],
  [
    "the session that a requirement finds is forgotten",
    "signedIn",
    "if (session) found.put(raw, session);",
    "",
  ],
  [
    "a requirement lets everybody in",
    "nobody",
    "if (!refusal) return undefined;",
    "if (raw) return undefined;",
  ],
  ["the headers of a refusal are lost", "pages", "reply.headers(refusal.headers);", ""],
]);

const OF_NODE = of("node", [
  [
    "of gives another session each time",
    "same",
    "getRequestSession(req, ",
    "getRequestSession({}, ",
  ],
  ["the response is not known", "smoke", "    bindResponse(req, res);\n", ""],
  [
    "cookies are not signed",
    "keys",
    "PlainNodeExchange(req, trustProxy), signer)",
    "PlainNodeExchange(req, trustProxy), null)",
  ],
  [
    "the session believes no proxy",
    "secure",
    "readAddress(this.#req, { trustProxy: this.#trustProxy })",
    "readAddress(this.#req, { trustProxy: false })",
  ],
  [
    "the session believes every proxy",
    "secure",
    "readAddress(this.#req, { trustProxy: this.#trustProxy })",
    "readAddress(this.#req, { trustProxy: true })",
  ],
  [
    "the options are lost",
    "options",
    'bindSessions("nodeSessions", sessions, given,',
    'bindSessions("nodeSessions", sessions, {},',
  ],
  [
    "the guard does not ask",
    "methods",
    "    guard({ request: req,",
    `    ${NOTHING}{ request: req,`,
  ],
  [
    "the guard believes no proxy",
    "proxiedHost",
    "const address = readAddress(req, { trustProxy });",
    "const address = readAddress(req, { trustProxy: false });",
  ],
  [
    "the guard believes every proxy",
    "proxiedHost",
    "const address = readAddress(req, { trustProxy });",
    "const address = readAddress(req, { trustProxy: true });",
  ],
  [
    "the guard knows another request than the session",
    "bearer",
    "guard({ request: req,",
    "guard({ request: {},",
  ],
  ["exempt is given nothing", "exempt", "header }, req);", "header }, {} as never);"],
  [
    "a developer is told of another framework's setting",
    "setting",
    "...address, proxySetting: TRUST_PROXY_SETTING",
    '...address, proxySetting: "app.proxy"',
  ],
  [
    "a requirement lets everybody in",
    "nobody",
    "return found.session;",
    "return found.session ?? ({} as never);",
  ],
  [
    "the headers of a refusal are lost",
    "pages",
    "res.writeHead(found.refusal.status, found.refusal.headers)",
    "res.writeHead(found.refusal.status)",
  ],
]);

export const OF_NODES_ADAPTERS: readonly Mutation[] = [
  ...OF_KOA,
  ...OF_EXPRESS,
  ...OF_FASTIFY,
  ...OF_NODE,
];
