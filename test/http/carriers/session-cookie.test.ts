/* The cookie that an application's own tests send, under every adapter and with every option of cookies. */
import Keygrip from "keygrip";
import { createSessions, type Sessions } from "session-sets";
import { expressSessions } from "session-sets/express";
import { fastifySessions } from "session-sets/fastify";
import { fetchSessions } from "session-sets/fetch";
import { honoSessions } from "session-sets/hono";
import { koaSessions } from "session-sets/koa";
import { nodeSessions } from "session-sets/node";
import { createSessionCookie } from "session-sets/testing";
import { describe, expect, onTestFinished, test } from "vitest";
import { type Adapter, type AppOptions, type Data, TestApp } from "../../support/http/app.ts";
import { expressAdapter } from "../../support/http/apps/express.ts";
import { fastifyAdapter } from "../../support/http/apps/fastify.ts";
import { fetchAdapter } from "../../support/http/apps/fetch.ts";
import { honoAdapter } from "../../support/http/apps/hono.ts";
import { koaAdapter, koaAdapterWith } from "../../support/http/apps/koa.ts";
import { nodeAdapter } from "../../support/http/apps/node.ts";
import { openMemory } from "../../support/stores/stores.ts";

type Own = Pick<AppOptions, "cookie" | "carriers" | "keys">;

/** An adapter's own function with the options that its application under test is started with. */
const withKeys = ({ keys, ...rest }: Own) => ({ ...rest, ...(keys ? { keys } : {}) });
const ADAPTERS = {
  Koa: [
    koaAdapter,
    (sessions: Sessions<Data>, { keys, ...rest }: Own) =>
      koaSessions(sessions, { ...rest, signed: keys !== undefined }),
  ],
  Express: [
    expressAdapter,
    (sessions: Sessions<Data>, own: Own) => expressSessions(sessions, withKeys(own)),
  ],
  Fastify: [
    fastifyAdapter,
    (sessions: Sessions<Data>, own: Own) => fastifySessions(sessions, withKeys(own)),
  ],
  Hono: [
    honoAdapter,
    (sessions: Sessions<Data>, own: Own) => honoSessions(sessions, withKeys(own)),
  ],
  "node:http": [
    nodeAdapter,
    (sessions: Sessions<Data>, own: Own) => nodeSessions(sessions, withKeys(own)),
  ],
  fetch: [
    fetchAdapter,
    (sessions: Sessions<Data>, own: Own) => fetchSessions(sessions, withKeys(own)),
  ],
} as const;
const KINDS = Object.keys(ADAPTERS) as (keyof typeof ADAPTERS)[];

const COOKIES: Record<string, Own> = {
  "as they are by default": {},
  "that are always Secure": { cookie: { secure: true } },
  "of another name": { cookie: { name: "shop" } },
  "without a prefix": { cookie: { prefix: false } },
  "without a prefix, always Secure": { cookie: { prefix: false, secure: true, name: "sid" } },
  "of a domain": { cookie: { domain: "shop.example" } },
  "of a path, of another name": { cookie: { path: "/shop", name: "shop" } },
  "with former names": { cookie: { formerNames: ["sid"] } },
  "that are partitioned": { cookie: { secure: true, sameSite: "none", partitioned: true } },
  "that are signed": { keys: ["a secret", "an older one"] },
  "that are signed, Secure and of another name": {
    keys: ["a secret"],
    cookie: { secure: true, name: "shop", path: "/shop" },
  },
  "beside bearer tokens": { carriers: ["bearer", "cookie"] },
};

async function start(adapter: Adapter, options: AppOptions): Promise<TestApp> {
  const under = openMemory();
  const app = await TestApp.start(adapter, "", under, options);
  onTestFinished(async () => {
    await app.close();
    await under.close?.();
  });
  return app;
}

describe.each(KINDS)("under %s", (kind) => {
  const [adapter, make] = ADAPTERS[kind];
  // Koa tells the keys to requests only.
  const given = ({ keys }: Own) => (kind === "Koa" && keys ? { keys } : {});

  describe.each(Object.entries(COOKIES))("with cookies %s", (_, own) => {
    test("a request is signed in, over HTTP and over HTTPS", async () => {
      const app = await start(adapter, { ...own, trustProxy: true });
      const cookie = await createSessionCookie(make(app.sessions, own), { user_id: 1 }, given(own));
      for (const scheme of ["http", "https"]) {
        const headers = { cookie, "x-forwarded-proto": scheme };
        const answer = await app.browser().send(({ session }) => session.get(), { headers });
        expect(answer.value).toEqual({ user_id: 1 });
        expect(answer.setCookies).toEqual([]);
      }
    });

    test("the session can be written, and is ended by the request that signs it out", async () => {
      const app = await start(adapter, { ...own, trustProxy: true });
      const cookie = await createSessionCookie(make(app.sessions, own), { user_id: 1 }, given(own));
      const headers = { cookie, "x-forwarded-proto": "https" };
      const browser = app.browser();
      await browser.send(({ session }) => session.set({ theme: "dark" }), { headers });
      const [session] = await app.sessions.by("user_id", 1).list();
      expect(session?.data).toEqual({ user_id: 1, theme: "dark" });
      await browser.send(({ session }) => session.delete(), { headers });
      expect(await app.sessions.by("user_id", 1).size()).toBe(0);
    });
  });

  test("a session has deadlines of its own, and may be nobody's", async () => {
    const app = await start(adapter, {});
    const web = make(app.sessions, {});
    const deadlines = { idleTimeout: "5 minutes", absoluteTimeout: "1 hour" } as const;
    const cookie = await createSessionCookie(web, { cart: ["a"] }, deadlines);
    const load = async () =>
      (await app.browser().send(({ session }) => session.get(), { headers: { cookie } })).value;
    expect(await load()).toEqual({ cart: ["a"] });
    await app.under.elapse(5 * 60_000 + 1);
    expect(await load()).toEqual({});
    const empty = await createSessionCookie(web);
    const id = await app
      .browser()
      .send(({ session }) => session.load(), { headers: { cookie: empty } });
    expect(id.value).toMatchObject({ data: {} });
  });

  test("a cookie of other keys is no session", async () => {
    const own = { keys: ["a secret"] };
    const app = await start(adapter, own);
    const others = { keys: ["another secret"] };
    const web = make(app.sessions, others);
    const cookie = await createSessionCookie(web, { user_id: 1 }, given(others));
    const answer = await app.browser().send(({ session }) => session.get(), {
      headers: { cookie },
    });
    expect(answer.value).toEqual({});
  });

  test("where tokens come by a header, the token is to be sent in it", async () => {
    const { sessions } = await start(adapter, {});
    await expect(
      createSessionCookie(make(sessions, { carriers: ["bearer"] }), { user_id: 1 }),
    ).rejects.toMatchObject({
      code: "ERR_SESSION_CONFIG",
      message: expect.stringMatching(/sessions\.create.*Bearer/),
    });
    expect(await sessions.by("user_id", 1).size()).toBe(0);
  });
});

describe("Koa's signed cookies", () => {
  const keygrip = new Keygrip(["a secret"]);

  test("are signed by its Keygrip", async () => {
    const app = await start(
      koaAdapterWith((koa) => {
        koa.keys = keygrip;
      }),
      {},
    );
    const web = koaSessions(app.sessions, { signed: true });
    const cookie = await createSessionCookie(web, { user_id: 1 }, { keys: keygrip });
    const answer = await app.browser().send(({ session }) => session.get(), {
      headers: { cookie },
    });
    expect(answer.value).toEqual({ user_id: 1 });
  });

  test("need app.keys, which Koa tells to requests only", async () => {
    const sessions = createSessions<Data>({ references: ["user_id"] });
    const web = koaSessions(sessions, { signed: true });
    const refused = (message: RegExp) =>
      expect.objectContaining({
        code: "ERR_SESSION_CONFIG",
        message: expect.stringMatching(message),
      });
    await expect(createSessionCookie(web, {})).rejects.toThrowError(refused(/keys: app\.keys/));
    for (const keys of [[], [""], "secret", null, {}]) {
      await expect(createSessionCookie(web, {}, { keys })).rejects.toThrowError(refused(/Keygrip/));
    }
    const unsigned = koaSessions(sessions);
    await expect(createSessionCookie(unsigned, {}, { keys: ["a"] })).rejects.toThrowError(
      refused(/signed: true/),
    );
  });
});

test.each([
  ["the sessions", createSessions()],
  ["a function", () => {}],
  ["an object", { createSession: () => {} }],
  ["nothing", undefined],
  ["null", null],
  ["a text", "session"],
])("%s is no adapter", async (_, other) => {
  await expect(createSessionCookie(other as never, {})).rejects.toMatchObject({
    code: "ERR_SESSION_CONFIG",
    message: expect.stringMatching(/koaSessions.*fetchSessions returned/),
  });
});

test("what is no value or no option is refused, and no session is made", async () => {
  const sessions = createSessions<Data>({ references: ["user_id"] });
  const web = nodeSessions(sessions);
  for (const [values, options] of [
    [{ user_id: 1 }, { idelTimeout: 1 }],
    [{ user_id: 1 }, { idleTimeout: "soon" }],
    [{ user_id: 1 }, null],
    [{ user_id: 1n }, {}],
    [{ "@x": 1 }, {}],
  ] as const) {
    const call = createSessionCookie(web, values as never, options as never);
    await expect(call).rejects.toMatchObject({
      code: expect.stringMatching(/^ERR_SESSION_(CONFIG|VALUE)$/),
    });
  }
  expect(await sessions.by("user_id", 1).size()).toBe(0);
});

test("its values have the types of the application's sessions", () => {
  const sessions = createSessions({
    data: {} as { user_id: number; theme?: "dark" },
    references: ["user_id"],
  });
  const uses = () => [
    createSessionCookie(koaSessions(sessions), { user_id: 1 }),
    createSessionCookie(expressSessions(sessions), { user_id: 1, theme: "dark" }),
    createSessionCookie(fastifySessions(sessions), { user_id: 1 }),
    createSessionCookie(honoSessions(sessions), { user_id: 1 }),
    createSessionCookie(nodeSessions(sessions), { user_id: 1 }, { idleTimeout: "1 hour" }),
    createSessionCookie(fetchSessions(sessions), { user_id: 1 }),
    // @ts-expect-error: a field that must be there
    createSessionCookie(koaSessions(sessions), {}),
    // @ts-expect-error: no value of the field
    createSessionCookie(expressSessions(sessions), { user_id: "1" }),
    // @ts-expect-error: no field
    createSessionCookie(fastifySessions(sessions), { user_id: 1, user: 1 }),
    // @ts-expect-error: no value of the field
    createSessionCookie(honoSessions(sessions), { user_id: 1, theme: "light" }),
    // @ts-expect-error: no values at all
    createSessionCookie(nodeSessions(sessions)),
    // @ts-expect-error: no value of the field
    createSessionCookie(fetchSessions(sessions), { user_id: true }),
    // @ts-expect-error: no adapter
    createSessionCookie(sessions, { user_id: 1 }),
  ];
  expect(uses).toBeTypeOf("function");
});
