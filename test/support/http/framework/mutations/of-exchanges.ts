/* Faults of the exchanges, which adapters share. */
import { ALL, FETCHES, type Mutation, NODES, shared } from "./mutation.ts";

const OF_NODE_EXCHANGE = [
  ...shared("http/exchange/node-exchange.ts", NODES, [
    [
      "heads that are sent are not noticed",
      "headSent",
      "return head.isSent ? HEADERS_SENT : null;",
      "return null;",
    ],
    ["every method is safe", "foreign", "return this.#req.method;", 'return "GET";'],
    [
      "headers of the request are not found",
      "header",
      'return typeof first === "string" ? first : undefined;',
      'return name === "x-csrf-token" ? undefined : first as string | undefined;',
    ],
  ]),
  ...shared(
    "http/exchange/node-exchange.ts",
    ["express", "node"],
    [["the host is not known", "host", '?? readHeader(req, "host") ?? ""', '?? ""']],
  ),
];

const OF_RESPONSE_HEAD = [
  ...shared("http/exchange/response-head.ts", NODES, [
    [
      "the application's cookies are overwritten with the head",
      "ownCookies",
      "mergeCookies(cookies, this.#cookies.values())",
      "mergeCookies([], this.#cookies.values())",
    ],
    [
      "caches are told nothing",
      "private",
      "if (this.#caching !== null) {",
      "if (this.#caching?.kind === null) {",
    ],
    [
      "what the application tells caches is overwritten",
      "private",
      'given.take(name)?.join(", ") ?? this.#res.getHeader(name)?.toString();',
      'given.take("x-" + name)?.join(", ");',
    ],
    ["Vary is not set", "private", "if (headers.vary !== undefined)", "if (headers.vary === null)"],
    ["other headers are not sent", "clearSiteData", "    this.#res.setHeader(name, value);\n", ""],
    [
      "a cookie that is taken back is sent",
      "takenBack",
      "if (cookie === null) cookies.delete(key);",
      "if (cookie === null) return;",
    ],
    [
      "of two cookies of one name one is sent",
      "twin",
      "else cookies.set(key, cookie);",
      "else cookies.set(cookie.name, cookie);",
    ],
  ]),
  ...shared(
    "http/exchange/response-head.ts",
    ["koa", "express", "node"],
    [
      [
        "cookies are not put back when an error is answered",
        "ownErrors",
        "if (this.#cookies.size > 0) {",
        "if (this.#cookies.size < 0) {",
      ],
    ],
  ),
  ...shared(
    "http/exchange/response-head.ts",
    ["node"],
    [
      [
        "cookies are not put back where the head brings others",
        "ownCookies",
        "if (this.#cookies.size > 0) {",
        "if (this.#cookies.size < 0) {",
      ],
    ],
  ),
];

const OF_FETCH_EXCHANGE = shared("http/exchange/fetch-exchange.ts", FETCHES, [
  [
    "the last cookie alone is sent",
    "ownCookies",
    'headers.append("set-cookie", cookie)',
    'headers.set("set-cookie", cookie)',
  ],
  [
    "the application's cookies are overwritten",
    "ownCookies",
    "mergeCookies(headers.getSetCookie(), ",
    "mergeCookies([], ",
  ],
  ["heads that are sent are not noticed", "headSent", "    this.#committed = true;\n", ""],
  [
    "caches are told nothing",
    "private",
    "if (this.#caching !== null) {",
    "if (this.#caching?.kind === null) {",
  ],
  [
    "what the application tells caches is overwritten",
    "private",
    "headers.get(name) ?? undefined;",
    'headers.get("x-" + name) ?? undefined;',
  ],
  ["other headers are not sent", "clearSiteData", "headers.set(name, value);", ""],
  [
    "the session believes no proxy",
    "secure",
    "readAddress(this.#request, { trustProxy: this.#trustProxy })",
    "readAddress(this.#request, { trustProxy: false })",
  ],
  [
    "the session believes every proxy",
    "secure",
    "readAddress(this.#request, { trustProxy: this.#trustProxy })",
    "readAddress(this.#request, { trustProxy: true })",
  ],
  ["every method is safe", "foreign", "return this.#request.method;", 'return "GET";'],
  [
    "a cookie that is taken back is sent",
    "takenBack",
    "if (cookie === null) cookies.delete(key);",
    "if (cookie === null) return;",
  ],
  [
    "of two cookies of one name one is sent",
    "twin",
    "else cookies.set(key, cookie);",
    "else cookies.set(cookie.name, cookie);",
  ],
]);

const OF_EXCHANGE = [
  ...shared("http/exchange/exchange.ts", NODES, [
    [
      "a cookie is set beside its former value",
      "once",
      'const others = present.filter((cookie) => !names.has(cookie.replace(/=.*/s, "").trim()));',
      "const others = names.size < 0 ? [] : present;",
    ],
  ]),
  ...shared("http/exchange/exchange.ts", ALL, [
    [
      "an application's Cache-Control counts where a token is set",
      "noStore",
      "control: yields && control !== undefined ? control",
      "control: control !== undefined ? control",
    ],
    [
      "an application's Cache-Control counts nowhere",
      "cacheable",
      "control: yields && control !== undefined ? control",
      "control: false && control !== undefined ? control",
    ],
    [
      "an application's Vary is lost",
      "vary",
      '[varied, ...missing].filter(Boolean).join(", ")',
      'missing.join(", ")',
    ],
  ]),
];

const OF_ORIGIN = [
  ...shared(
    "http/exchange/request-origin.ts",
    ["express", "node", "hono", "fetch"],
    [
      ["every proxy is believed its host", "proxiedHost", "  if (!trustProxy) return own;\n", ""],
      [
        "no proxy is believed its host",
        "proxiedHost",
        'host: readFirst("x-forwarded-host") ?? own.host',
        "host: own.host",
      ],
    ],
  ),
  ...shared(
    "http/exchange/request-origin.ts",
    ["node", "hono", "fetch"],
    [
      [
        "no proxy is believed its scheme",
        "overHTTP",
        "scheme === undefined ? own.secure",
        "scheme !== null ? own.secure",
      ],
    ],
  ),
];

const OF_FOREIGN = shared("http/foreign.ts", ALL, [
  [
    "HEAD is taken for a method that changes something",
    "safe",
    '"GET", "HEAD", "OPTIONS", "TRACE"',
    '"GET", "OPTIONS", "TRACE"',
  ],
  [
    "handshakes of WebSockets are let in",
    "handshake",
    ' && header("upgrade")?.toLowerCase() !== "websocket"',
    "",
  ],
]);

export const OF_EXCHANGES: readonly Mutation[] = [
  ...OF_NODE_EXCHANGE,
  ...OF_RESPONSE_HEAD,
  ...OF_FETCH_EXCHANGE,
  ...OF_EXCHANGE,
  ...OF_ORIGIN,
  ...OF_FOREIGN,
];
