/* Each option of @spots-tech/sessions and of its methods is known here, or refused with what to write. */
import { randomBytes } from "node:crypto";
import { inspect } from "node:util";
import { SpotsSessions } from "session-sets/compat/spots-sessions";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { watchCommands } from "../../support/redis/dump.ts";
import { type RedisServer, startRedis } from "../../support/redis/server.ts";

let server: RedisServer; // of its own: all of its commands are watched
let sessions: SpotsSessions;
beforeAll(async () => {
  server = await startRedis();
  sessions = new SpotsSessions({ connectionString: server.url });
});
afterAll(async () => {
  await sessions.client.quit();
  await server.stop();
});

let app: string;
let token: string;
beforeEach(async () => {
  app = `app-${randomBytes(8).toString("hex")}`;
  token = await sessions.create({ app, ownerId: "eva", data: { n: 1 }, duration: 3600 });
});

/** Every method, and what it takes. */
const METHODS = {
  create: () => ({ app, ownerId: "eva", data: { n: 1 }, duration: 60 }),
  get: () => ({ app, token }),
  refresh: () => ({ app, token, duration: 60 }),
  update: () => ({ app, token, data: { n: 2 } }),
  kill: () => ({ app, token }),
  killAll: () => ({ app, ownerId: "eva" }),
};
type Name = keyof typeof METHODS;
const NAMES = Object.keys(METHODS) as Name[];

/** The error that a call rejects with. */
function catchError(name: Name, options: unknown): Promise<unknown> {
  const call = sessions[name] as (options: unknown) => Promise<unknown>;
  return call.call(sessions, options).then(
    () => expect.unreachable(`${name} refused nothing`),
    (reason: unknown) => reason,
  );
}

test("every method is tried here", () => {
  const methods = Object.entries(Object.getOwnPropertyDescriptors(SpotsSessions.prototype))
    .filter(([, { value }]) => typeof value === "function")
    .map(([name]) => name);
  expect(methods.sort()).toEqual(["constructor", "moveSessions", ...NAMES].sort());
});

describe.each(NAMES)("%s", (name) => {
  test.each(["App", "tokn", "owner", "ownerID", "userId", "date", "ttl", "durration", "a b", ""])(
    "refuses the option %o, names those that there are, and does nothing",
    async (misspelt) => {
      const watch = await watchCommands(server.url);
      const error = await catchError(name, { ...METHODS[name](), [misspelt]: token });
      const options = Object.keys(METHODS[name]()).join(", ");
      expect(error).toMatchObject({
        name: "SessionError",
        code: "ERR_SESSION_CONFIG",
        hint: expect.stringMatching(
          new RegExp(`^${name} has no (?:option "\\w+"|such option); its options are ${options}$`),
        ),
      });
      expect(inspect(error)).not.toContain(token.slice(0, 12));
      const said = await watch.text();
      watch.stop();
      expect(said).not.toMatch(/EVAL|HGETALL/i);
    },
  );

  test("refuses an option that only another method has", async () => {
    const all = { app, token, ownerId: "eva", data: {}, duration: 60 };
    expect(await catchError(name, all)).toMatchObject({
      code: "ERR_SESSION_CONFIG",
      message: expect.stringContaining(`${name} has no option`),
    });
  });

  test("refuses anything in place of its options, and quotes nothing", async () => {
    for (const given of [undefined, null, token, 5, true, () => token]) {
      const error = await catchError(name, given);
      expect(error).toMatchObject({
        code: "ERR_SESSION_CONFIG",
        message: expect.stringContaining(`${name}({ app`),
      });
      expect(inspect(error)).not.toContain(token.slice(0, 12));
    }
  });
});

test("a token in place of a name is in no message", async () => {
  const error = await catchError("kill", { app, [token]: 1 });
  expect(error).toMatchObject({ code: "ERR_SESSION_CONFIG" });
  expect(inspect(error)).not.toContain(token.slice(0, 12));
});

test("update deletes what is null, and keeps what only JSON makes null", async () => {
  const of = { app, token };
  await sessions.update({ ...of, data: { a: 1, b: 2, c: 3, d: 4, e: 5 } });
  const made = { toJSON: () => null };
  const data = { a: null, b: Number.NaN, c: new Date(Number.NaN), d: undefined, e: made };
  expect(await sessions.update({ ...of, data })).toBe(true);
  expect((await sessions.get(of))?.data).toEqual({ n: 1, b: null, c: null, d: 4, e: null });
});

describe("new SpotsSessions", () => {
  const refusal = (options: unknown): unknown => {
    try {
      new SpotsSessions(options as never).client.disconnect();
    } catch (error) {
      return error;
    }
    return expect.unreachable("nothing was refused");
  };

  test.each([
    "connectionstring",
    "url",
    "client",
    "prefix",
    "tokenLength",
    "encoding",
    "Missing",
    "references",
    "limit",
    "whenFull",
  ])("refuses the option %o, and names those that there are", (misspelt) => {
    expect(refusal({ [misspelt]: "reject" })).toMatchObject({
      code: "ERR_SESSION_CONFIG",
      hint: `SpotsSessions has no option "${misspelt}"; its options are connectionString, tokenEncoding, tokenSize, missing`,
    });
  });

  test.each([null, 6379, true, {}, { host: "localhost" }, []])(
    "refuses the connectionString %o",
    (connectionString) => {
      expect(refusal({ connectionString })).toMatchObject({
        code: "ERR_SESSION_CONFIG",
        message: expect.stringContaining('such as "redis://localhost:6379"'),
      });
    },
  );

  test.each([
    "redis://:pass-word@localhost:99999",
    "redis://:pass-word@[::1",
    "redis://:pass-word%zz@localhost",
    "redis://:pass-word@one:6379,two:6379",
  ])("refuses a connectionString that cannot be read, and does not show it", (connectionString) => {
    for (const options of [connectionString, { connectionString }]) {
      const error = refusal(options);
      expect(error).toMatchObject({
        name: "SessionError",
        code: "ERR_SESSION_CONFIG",
        message: expect.stringContaining("write redis://user:password@host:port"),
      });
      expect(inspect(error, { showHidden: true })).not.toContain("pass-word");
    }
  });

  test.each([null, "128", 19, 65_537, 2 ** 31, Number.POSITIVE_INFINITY, Number.NaN])(
    "refuses the tokenSize %o, and says what is allowed",
    (tokenSize) => {
      expect(refusal({ tokenSize })).toMatchObject({
        code: "ERR_SESSION_CONFIG",
        message: expect.stringMatching(/from 20.* to 65536; got /),
      });
    },
  );

  test("makes tokens of the smallest and of the largest size", async () => {
    for (const tokenSize of [20, 65_536]) {
      const own = new SpotsSessions({
        connectionString: server.url,
        tokenSize,
        tokenEncoding: "hex",
      });
      const made = await own.create({ app, ownerId: "eva", duration: 60 });
      expect(made).toHaveLength(2 * tokenSize);
      expect(await own.get({ app, token: made })).toEqual({ ownerId: "eva", data: {} });
      await own.client.quit();
    }
  });

  test.each(["utf8", "utf-8", "utf16le", "ucs2", "ascii", "HEX", "", null, 64])(
    "refuses the tokenEncoding %o, and names those that keep every bit",
    (tokenEncoding) => {
      expect(refusal({ tokenEncoding })).toMatchObject({
        code: "ERR_SESSION_CONFIG",
        message: expect.stringContaining("base64, base64url, hex, latin1, binary"),
      });
    },
  );

  test("refuses to have its client replaced, which would do nothing", async () => {
    const { client } = sessions;
    expect(() => {
      sessions.client = client as never;
    }).toThrow(expect.objectContaining({ code: "ERR_SESSION_CONFIG" }));
    expect(sessions.client).toBe(client);
  });
});
