import { createConfigError, quote } from "../../../shared/errors.ts";
import type { KoaRedisSessionSetsOptions } from "./options.ts";

/*
 * The options that there are, and what to write in place of others. Whatever was not known here went
 * on to the cookie, which has no use for it: a typing mistake, and an option of another library.
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

/** What options of other libraries are called here, or what does the same. */
const ELSEWHERE: Readonly<Record<string, keyof KoaRedisSessionSetsOptions | { hint: string }>> = {
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
  renew: { hint: "leave it out: each set, unset and touch puts the session's end off" },
  rolling: { hint: "leave it out: each set, unset and touch puts the session's end off" },
  saltLength: "byteLength",
  secret: { hint: 'sign the cookie with the keys of the app: app.keys = ["a secret"]' },
  secretLength: "byteLength",
  secureProxy: { hint: "set app.proxy = true where a proxy ends TLS, and write secure: true" },
  store: "client",
  ttl: "maxAge",
  url: "client",
};

/** @throws SessionError ERR_SESSION_CONFIG for an option that there is not. */
export function refuseUnknownOptions(names: readonly string[]): void {
  const name = names.find((one) => !Object.hasOwn(OPTIONS, one));
  if (name === undefined) return;
  const meant = Object.hasOwn(ELSEWHERE, name) ? ELSEWHERE[name] : nearest(name);
  const instead = typeof meant === "object" ? meant.hint : meant && `write ${OPTIONS[meant]}`;
  throw createConfigError(
    `koa-redis-session-sets has no option ${quote(name)}${instead ? `; ${instead}` : ""}. Its options are ${Object.keys(OPTIONS).join(", ")}`,
    { option: name },
  );
}

/** The option that a mistyped name is nearest to, if any is near. */
function nearest(name: string): keyof KoaRedisSessionSetsOptions | undefined {
  if (name.length > 20) return undefined;
  const known = Object.keys(OPTIONS) as (keyof KoaRedisSessionSetsOptions)[];
  const away = (one: string) =>
    distance(one.toLowerCase(), name.toLowerCase().replace(/[-_]/g, ""));
  const [best] = known.sort((a, b) => away(a) - away(b));
  return best && away(best) <= Math.min(2, best.length / 3) ? best : undefined;
}

/** How many letters are to be put in, left out or replaced to get from one text to another. */
function distance(from: string, to: string): number {
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
