/* Requests of clients that send anything: generators of their headers and bodies. */
import { fc } from "../../support/properties.ts";
import { given, hostileText, make, type Recipe, SECRETS, show, value } from "../values/recipes.ts";
import type { Header } from "./wire.ts";

/** A text in parts, one after the other. */
export type Parts = readonly Recipe[];

/** A request as data. */
export interface Sent {
  /** The name of the work that the application is to do. */
  readonly act: string;
  readonly method: string;
  readonly headers: readonly (readonly [name: string, value: Parts])[];
  readonly body: Parts;
  readonly encoding: "latin1" | "utf8";
}

/** A cookie that the application has set, as it is sent. */
export const OWN_COOKIE = "its own cookie";

/** Parts that requests of an application may well have. */
export interface Expected {
  readonly acts: readonly string[];
  /** Names of cookies that it looks at. */
  readonly cookies: readonly string[];
}

const one = (...texts: string[]) => fc.constantFrom(...texts).map(value);
const parts = (...all: (Recipe | string)[]): Parts =>
  all.map((part) => (typeof part === "string" ? value(part) : part));
const credential = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...SECRETS, "an aged token").map(given) },
  { weight: 1, arbitrary: hostileText },
);

/** How often a cookie comes; hundreds of them are still under what Node takes. */
const TIMES = [1, 1, 1, 1, 2, 9, 300];

function arbitraryCookies({ cookies }: Expected): fc.Arbitrary<Parts> {
  const name = fc.oneof({ weight: 5, arbitrary: one(...cookies) }, hostileText);
  const quotes = fc.constantFrom(["", ""], ["", ""], ['"', '"'], ["%22", "%20"], [" ", "\t"]);
  const made = fc
    .tuple(name, fc.constantFrom("=", "=", "=", "", "=="), quotes, credential)
    .map(([key, equals, [open = "", close = ""], text]) => parts(key, equals, open, text, close));
  const pair = fc.oneof(
    { weight: 3, arbitrary: made },
    { weight: 2, arbitrary: fc.constant([given(OWN_COOKIE)]) },
  );
  const separator = fc.constantFrom("; ", "; ", ";", " ;; ", ", ");
  return fc
    .array(fc.tuple(pair, fc.constantFrom(...TIMES), separator), { maxLength: 4 })
    .map((pairs) =>
      pairs.flatMap(([all, times, between]) =>
        Array.from({ length: times }, () => [...all, value(between)]).flat(),
      ),
    );
}

const ORIGINS = [
  "http://shop.example",
  "https://shop.example",
  "https://evil.example",
  "null",
  "http://[::1]:99999",
  "https://",
];
const HOSTS = [
  "shop.example",
  "SHOP.example:80",
  "[::1]",
  "a b",
  "shop.example:99999",
  "x@shop.example",
];

function arbitraryHeader(expected: Expected): fc.Arbitrary<readonly [name: string, value: Parts]> {
  const text = (...right: string[]) =>
    fc.oneof({ weight: 2, arbitrary: one(...right) }, hostileText).map((all) => [all]);
  const schemes = one("Bearer ", "bearer ", "Bearer", "Bearer  ", "Basic ", "Bearer Bearer ");
  const ofOrigin = fc.oneof(
    { weight: 4, arbitrary: text(...ORIGINS) },
    credential.map((all) => parts("https://", all)),
  );
  const values: Record<string, fc.Arbitrary<Parts>> = {
    Cookie: arbitraryCookies(expected),
    Authorization: fc.tuple(schemes, credential),
    "X-Session-Token": credential.map((all) => [all]),
    Origin: ofOrigin,
    "Sec-Fetch-Site": text(
      "same-origin",
      "same-site",
      "cross-site",
      "none",
      "same-origin, cross-site",
    ),
    Host: text(...HOSTS),
    "X-Forwarded-Proto": text("https", "http", "https,http", "HTTPS", "javascript"),
    "X-Forwarded-Host": text(...HOSTS),
    "X-Forwarded-For": text("127.0.0.1", "::1", "1.2.3.4, 5.6.7.8"),
    Forwarded: text("proto=https;host=shop.example"),
    "X-CSRF-Token": fc.oneof(fc.constant(given("a CSRF token")), credential).map((all) => [all]),
    Accept: text("text/html", "*/*", "application/json"),
    Upgrade: text("h2c"),
    "Content-Type": text("application/json", "application/x-www-form-urlencoded", "text/plain"),
  };
  // Half of what tells who someone is, is in cookies.
  const names = [
    ...Object.keys(values),
    ...Array.from({ length: 8 }, () => "Cookie"),
    "Authorization",
  ];
  return fc
    .constantFrom(...names)
    .chain((name) => fc.tuple(fc.constant(name), values[name] as fc.Arbitrary<Parts>));
}

const bodies: fc.Arbitrary<Parts> = fc.oneof(
  { weight: 3, arbitrary: fc.constant([]) },
  credential.map((all) => parts('{"_csrf":"', all, '"}')),
  credential.map((all) => parts("_csrf=", all)),
  one('{"_csrf":{"a":1}}', '{"_csrf":["x"]}', '{"__proto__":{"_csrf":"x"}}', "[1", "null").map(
    (all) => [all],
  ),
  hostileText.map((all) => [all]),
);

/** Longer headers get to no application: Node takes 16 kB in all. */
const MAX_LENGTH = 14_000;

export function arbitraryRequests(expected: Expected): fc.Arbitrary<Sent> {
  return fc.record({
    act: fc.constantFrom(...expected.acts),
    method: fc.constantFrom("GET", "POST", "DELETE"),
    headers: fc.array(arbitraryHeader(expected), { maxLength: 5 }),
    body: bodies,
    encoding: fc.constantFrom("latin1", "utf8"),
  });
}

/** The headers and the body as texts; each request has a header `Host`, or Node answers it itself. */
export function toTexts(
  { headers, body, act }: Sent,
  of: (name: string) => unknown,
): { readonly headers: readonly Header[]; readonly body: string } {
  const text = (all: Parts): string => {
    let whole = "";
    for (const part of all) {
      if (whole.length >= MAX_LENGTH) break;
      whole += String(make(part, of)).slice(0, MAX_LENGTH);
    }
    return whole.slice(0, MAX_LENGTH);
  };
  const named = headers.some(([name]) => name === "Host");
  return {
    headers: [
      ["X-Handler", act],
      ...(named ? [] : [["Host", "shop.example"] as const]),
      ...headers.map(([name, all]) => [name, text(all)] as const),
    ],
    body: text(body),
  };
}

export function showSent({ act, method, headers, body, encoding }: Sent): string {
  const shown = (all: Parts) => all.map(show).join("").slice(0, 1000);
  const lines = headers.map(([name, all]) => `${name}: ${shown(all)}`);
  const end = body.length === 0 ? "" : `, with ${shown(body)}`;
  return `${method} for ${JSON.stringify(act)} in ${encoding} [${lines.join(" | ")}]${end}`;
}
