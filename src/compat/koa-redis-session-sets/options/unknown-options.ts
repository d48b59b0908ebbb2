import { createConfigError, quote } from "../../../shared/errors.ts";
import type { KoaRedisSessionSetsOptions } from "./options.ts";

/*
 * The options of this entry, and what to write instead of others. koa-redis-session-sets passed unknown
 * options on to the cookie, which ignores them: typing mistakes, and options of other libraries.
 */

const OPTIONS: Readonly<Record<keyof KoaRedisSessionSetsOptions, string>> = {
  client: "client: new Redis()",
  references: "references: { user_id: {} }",
  maxAge: 'maxAge: "28 days"',
  prefix: 'prefix: "shop"',
  namespace: 'namespace: "shop"',
  byteLength: "byteLength: 16",
  key: 'key: "session-id"',
  migrate: "migrate: true",
  signed: "signed: true",
  httpOnly: "httpOnly: true",
  overwrite: "overwrite: true",
  domain: 'domain: "example.com"',
  path: 'path: "/"',
  secure: "secure: true",
  sameSite: 'sameSite: "lax"',
  priority: 'priority: "high"',
  partitioned: "partitioned: true",
};

/** By options of other libraries: the option that does the same here, or a hint at what does. */
const FOREIGN_OPTIONS: Readonly<
  Record<string, keyof KoaRedisSessionSetsOptions | { hint: string }>
> = {
  absoluteTimeout: "maxAge",
  cookie: {
    hint: "write the options of the cookie beside the others: { client, secure: true }",
  },
  cookieName: "key",
  expires: "maxAge",
  idleTimeout: "maxAge",
  keys: { hint: 'sign the cookie with the keys of the app: app.keys = ["a secret"]' },
  name: "key",
  redis: "client",
  renew: { hint: "leave it out: each set, unset and touch extends the session" },
  rolling: { hint: "leave it out: each set, unset and touch extends the session" },
  saltLength: "byteLength",
  secret: { hint: 'sign the cookie with the keys of the app: app.keys = ["a secret"]' },
  secretLength: "byteLength",
  secureProxy: { hint: "set app.proxy = true where a proxy ends TLS, and write secure: true" },
  store: "client",
  ttl: "maxAge",
  url: "client",
};

/** @throws SessionError ERR_SESSION_CONFIG for an unknown option. */
export function refuseUnknownOptions(names: readonly string[]): void {
  const name = names.find((one) => !Object.hasOwn(OPTIONS, one));
  if (name === undefined) return;
  const meant = Object.hasOwn(FOREIGN_OPTIONS, name) ? FOREIGN_OPTIONS[name] : findNearest(name);
  const instead = typeof meant === "object" ? meant.hint : meant && `write ${OPTIONS[meant]}`;
  throw createConfigError(
    `koa-redis-session-sets has no option ${quote(name)}${instead ? `; ${instead}` : ""}. Its options are ${Object.keys(OPTIONS).join(", ")}`,
    { option: name },
  );
}

/** The option that a mistyped name is nearest to, if any is near. */
function findNearest(name: string): keyof KoaRedisSessionSetsOptions | undefined {
  if (name.length > 20) return undefined;
  const known = Object.keys(OPTIONS) as (keyof KoaRedisSessionSetsOptions)[];
  const countAway = (one: string) =>
    countEdits(one.toLowerCase(), name.toLowerCase().replace(/[-_]/g, ""));
  const [best] = known.sort((a, b) => countAway(a) - countAway(b));
  return best && countAway(best) <= Math.min(2, best.length / 3) ? best : undefined;
}

/** How many letters must be added, removed or replaced to turn one text into another. */
function countEdits(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, i) => i);
  for (const [i, letter] of [...from].entries()) {
    const next = [i + 1];
    for (const [j, other] of [...to].entries()) {
      const replaced = (row[j] as number) + Number(letter !== other);
      next.push(Math.min(replaced, (row[j + 1] as number) + 1, (next[j] as number) + 1));
    }
    row = next;
  }
  return row[to.length] as number;
}
