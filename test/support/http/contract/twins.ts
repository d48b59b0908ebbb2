import { describe, expect, test } from "vitest";
import { type Answer, type AppOptions, COOKIE, type Handler, type TestApp } from "../app.ts";
import { UNKNOWN } from "./anonymous.ts";
import type { Start } from "./contract.ts";

const get: Handler = ({ session }) => session.get();

/** The cookies of a browser that has the session's name several times, for several paths and domains. */
function sent(values: readonly (string | undefined)[], name = COOKIE): string {
  return values.map((value) => `${name}=${value}`).join("; ");
}

/** What a browser with these cookies is answered. */
async function ask(
  app: TestApp,
  values: readonly (string | undefined)[],
  handler: Handler = get,
): Promise<Answer> {
  return app.browser().send(handler, { headers: { cookie: sent(values) }, take: false });
}

/** The cookie of a session that has ended since. */
async function ended(app: TestApp): Promise<string | undefined> {
  const browser = await app.visitor({ theme: "ended" });
  const { token } = browser;
  await browser.send(({ session }) => session.delete());
  return token;
}

/** The cookie of before a renewal, which an alias leads on. */
async function renewed(app: TestApp): Promise<string | undefined> {
  const browser = await app.visitor({ theme: "renewed" });
  const { token } = browser;
  await browser.send(({ session }) => session.rotate());
  return token;
}

/** A cookie as well formed as any, of a session that there never was. */
async function unknown(app: TestApp): Promise<string | undefined> {
  const browser = await app.visitor({ theme: "forgotten" });
  const { token = "" } = browser;
  await app.sessions.delete(token.split(".")[0]);
  return token;
}

const KINDS: Record<string, AppOptions> = {
  "a cookie": {},
  "a signed cookie": { keys: ["secret"] },
};

export function twins(start: Start): void {
  for (const [kind, options] of Object.entries(KINDS)) {
    describe(`${kind} of several sessions`, () => {
      test("is that of the live one, wherever it stands, found in one round trip", async () => {
        const app = await start(options);
        const { token } = await app.visitor({ theme: "live" });
        const dead = await ended(app);
        for (const values of [
          [dead, token],
          [token, dead],
          [dead, token, await unknown(app)],
        ]) {
          const operations = await app.recordOperations(async () => {
            expect((await ask(app, values)).value).toEqual({ theme: "live" });
          });
          expect(operations).toEqual(values.map(() => "find"));
        }
      });

      test("is a live one's before one that an alias leads to, a tombstone's before nobody's", async () => {
        const app = await start(options);
        const { token } = await app.visitor({ theme: "live" });
        const [alias, tombstone, nothing] = [
          await renewed(app),
          await ended(app),
          await unknown(app),
        ];
        expect((await ask(app, [nothing, tombstone, alias, token])).value).toEqual({
          theme: "live",
        });
        expect((await ask(app, [nothing, tombstone, alias])).value).toEqual({ theme: "renewed" });
        const late = (values: (string | undefined)[]) =>
          ask(app, values, ({ session }) => session.set({ cart: ["tea"] }));
        expect((await late([nothing, tombstone])).error).toMatchObject({
          code: "ERR_SESSION_GONE",
        });
        expect((await late([nothing, nothing])).status).toBe(200);
      });

      test("is looked at eight times, and no more", async () => {
        const app = await start(options);
        const { token } = await app.visitor({ theme: "live" });
        const dead = await Promise.all(Array.from({ length: 8 }, () => unknown(app)));
        const operations = await app.recordOperations(async () => {
          expect((await ask(app, [...dead.slice(1), token])).value).toEqual({ theme: "live" });
          expect((await ask(app, [...dead, token])).value).toEqual({});
        });
        expect(operations).toEqual(Array.from({ length: 16 }, () => "find"));
      });

      test("is not crowded out by eight that were planted under a former name", async () => {
        const old = await start(options);
        const app = await start({ ...options, cookie: { formerNames: ["older"] } }, old);
        const { token } = await app.visitor({ theme: "live" });
        const planted = await Promise.all(Array.from({ length: 8 }, () => unknown(old)));
        const cookie = `${sent(planted, "older")}; ${sent([token])}`;
        const { value } = await app.browser().send(get, { headers: { cookie }, take: false });
        expect(value).toEqual({ theme: "live" });
      });

      test("ends with all of its twins where it makes way for another user's or nobody's", async () => {
        const app = await start(options);
        const changes: Handler[] = [
          ({ session }) => session.set({ user_id: 3 }),
          ({ session }) => session.set({ user_id: null as never }),
          ({ session }) => session.unset(["user_id"]),
          ({ session }) => session.rotate({ user_id: 3 }),
        ];
        for (const change of changes) {
          const [a, b] = [await app.visitor({ user_id: 1 }), await app.visitor({ user_id: 2 })];
          const { status } = await ask(app, [a.token, b.token], change);
          expect([status, await a.data(), await b.data()], String(change)).toEqual([200, {}, {}]);
        }
      });

      test("stays beside its twins where it only gets a new token", async () => {
        const app = await start(options);
        const [a, b] = [await app.visitor({ user_id: 1 }), await app.visitor({ user_id: 2 })];
        await ask(app, [a.token, b.token], ({ session }) => session.rotate());
        expect(await b.data()).toEqual({ user_id: 2 });
      });

      test("is asked for once in a request, whatever comes first", async () => {
        const app = await start(options);
        const { token } = await app.visitor({ user_id: 1 });
        const dead = await ended(app);
        const handlers: Record<string, readonly [Handler, unknown, string[]]> = {
          set: [({ session }) => session.set({ theme: "dark" }), undefined, ["change"]],
          unset: [({ session }) => session.unset(["theme"]), true, ["change"]],
          touch: [({ session }) => session.touch(), true, ["change"]],
          load: [async ({ session }) => (await session.load())?.data.user_id, 1, []],
          "get of some": [({ session }) => session.get(["user_id"]), { user_id: 1 }, []],
          peers: [async ({ session }) => (await session.peers("user_id")) !== null, true, []],
        };
        for (const [verb, [handler, value, more]] of Object.entries(handlers)) {
          const operations = await app.recordOperations(async () => {
            expect((await ask(app, [dead, token], handler)).value, verb).toEqual(value);
          });
          expect(operations, verb).toEqual(["find", "find", ...more]);
        }
        const both = await ask(app, [dead, token], ({ session }) =>
          Promise.all([session.get(), session.get(["user_id"]), session.id === null]),
        );
        expect(both.value).toEqual([{ user_id: 1 }, { user_id: 1 }, true]);
      });

      test("ends with all of its twins at a sign-out, which uncovers none", async () => {
        const app = await start(options);
        for (const verb of ["delete", "signOutEverywhere"] as const) {
          const [a, b] = [await app.visitor({ user_id: 1 }), await app.visitor({ user_id: 2 })];
          const alias = await renewed(app);
          const tokens = [await ended(app), alias, a.token, b.token];
          const { value, setCookies } = await ask(app, tokens, ({ session }) =>
            verb === "delete" ? session.delete() : session.signOutEverywhere("user_id"),
          );
          expect(value).toBe(verb === "delete" ? true : 1);
          expect(setCookies.map((one) => [one.name, one.value])).toEqual([[COOKIE, ""]]);
          for (const token of tokens) expect((await ask(app, [token])).value).toEqual({});
        }
      });

      test("ends with all of its twins at a sign-in, and keeps what its own session had", async () => {
        const app = await start(options);
        const [a, b] = [await app.visitor({ theme: "a" }), await app.visitor({ user_id: 2 })];
        const dead = await ended(app);
        const browser = app.browser();
        const { setCookies } = await browser.send(
          ({ session }) => session.signIn({ user_id: 1 }, { keep: ["theme"] }),
          { headers: { cookie: sent([dead, a.token, b.token]) } },
        );
        expect(setCookies.map(({ name }) => name)).toEqual([COOKIE]);
        expect(await browser.data()).toEqual({ user_id: 1, theme: "a" });
        expect((await ask(app, [dead, a.token, b.token])).value).toEqual({});
        expect(await app.sessions.by("user_id", 2).size()).toBe(0);
      });

      test("signs in beside nothing but dead ones", async () => {
        const app = await start(options);
        const browser = app.browser();
        await browser.send(({ session }) => session.signIn({ user_id: 1 }), {
          headers: { cookie: sent([await ended(app), await unknown(app)]) },
        });
        expect(await browser.data()).toEqual({ user_id: 1 });
      });

      test("signs out where it is there twice, once as of before a renewal", async () => {
        const app = await start(options);
        const browser = await app.visitor({ user_id: 1 });
        const { token: old } = browser;
        await browser.send(({ session }) => session.rotate());
        const { value } = await ask(app, [old, browser.token], ({ session }) => session.delete());
        expect([value, await browser.data()]).toEqual([true, {}]);
        expect(await app.sessions.by("user_id", 1).size()).toBe(0);
      });

      test("carries CSRF tokens of the live one, once it was read; before, none is good", async () => {
        const app = await start(options);
        const live = await app.visitor({ theme: "live" });
        const other = await app.visitor({ theme: "dead" });
        const make: Handler = ({ session }) => session.createCSRFToken();
        const [ofLive, ofOther] = [(await live.send(make)).value, (await other.send(make)).value];
        const form = app.browser();
        const { value: ofForm } = await form.send(make);
        await app.sessions.delete(other.token?.split(".")[0]);
        const cookie = `${form.jar.header}; ${sent([other.token, live.token])}`;
        const verified = (read: boolean) =>
          form.send(
            async ({ session }) => {
              if (read) await session.get(["theme"]);
              return [ofLive, ofOther, ofForm].map((token) => session.verifyCSRFToken(token));
            },
            { headers: { cookie } },
          );
        expect((await verified(false)).value).toEqual([false, false, false]);
        expect((await verified(true)).value).toEqual([true, false, false]);
        const unread = await form.send(make, { headers: { cookie } });
        expect(
          (await form.send(({ session }) => session.verifyCSRFToken(unread.value))).value,
        ).toBe(true);
        const read = await form.send(
          async ({ session }) => {
            await session.load();
            return session.createCSRFToken();
          },
          { headers: { cookie } },
        );
        expect((await live.send(({ session }) => session.verifyCSRFToken(read.value))).value).toBe(
          true,
        );
      });

      test("of which none lives takes the token of a form, and none of the dead ones", async () => {
        const app = await start(options);
        const others = [await app.visitor({}), await app.visitor({})];
        const make: Handler = ({ session }) => session.createCSRFToken();
        const tokens: unknown[] = [];
        for (const other of others) {
          tokens.push((await other.send(make)).value);
          await app.sessions.delete(other.token?.split(".")[0]);
        }
        const form = app.browser();
        tokens.push((await form.send(make)).value);
        const cookie = `${form.jar.header}; ${sent(others.map(({ token }) => token))}`;
        const { value } = await form.send(
          async ({ session }) => {
            await session.get();
            return [...tokens, session.createCSRFToken()].map((token) =>
              session.verifyCSRFToken(token),
            );
          },
          { headers: { cookie } },
        );
        expect(value).toEqual([false, false, true, true]);
      });

      test("is read under its former names, after its own, and replaced at the next Set-Cookie", async () => {
        const old = await start(options);
        const cookie = { name: "sid", formerNames: [COOKIE, "older"] };
        const app = await start({ ...options, cookie }, old);
        const browser = await old.visitor({ theme: "former" });
        const { token: former } = browser;
        const read = await app.browser().send(get, { headers: { cookie: sent([former]) } });
        expect([read.value, read.setCookies]).toEqual([{ theme: "former" }, []]);

        const { setCookies } = await app
          .browser()
          .send(({ session }) => session.rotate(), { headers: { cookie: sent([former]) } });
        expect(setCookies.map(({ name, value }) => [name, value !== ""]).sort()).toEqual([
          [COOKIE, false],
          ["sid", true],
        ]);
        const present = setCookies.find(({ name }) => name === "sid")?.value;
        const both = `${sent([former])}; sid=${present}`;
        const out = await app
          .browser()
          .send(async ({ session }) => [(await session.get()).theme, await session.delete()], {
            headers: { cookie: both },
          });
        expect(out.value).toEqual(["former", true]);
        expect(out.setCookies.map(({ name, value }) => [name, value]).sort()).toEqual([
          [COOKIE, ""],
          ["sid", ""],
        ]);
      });

      test("goes by the present name before a former one, unless only that lives", async () => {
        const old = await start(options);
        const app = await start(
          { ...options, cookie: { name: "sid", formerNames: [COOKIE] } },
          old,
        );
        const former = (await old.visitor({ theme: "former" })).token;
        const browser = app.browser();
        await browser.send(({ session }) => session.set({ theme: "present" }));
        const cookie = `${sent([former])}; sid=${browser.jar.get("sid")}`;
        expect((await browser.send(get, { headers: { cookie } })).value).toEqual({
          theme: "present",
        });
        await app.sessions.delete(browser.jar.get("sid")?.split(".")[0]);
        expect((await browser.send(get, { headers: { cookie } })).value).toEqual({
          theme: "former",
        });
      });
    });
  }

  test("the twins of a cookie are asked for at the same time", async () => {
    const first = await start();
    const { store } = first.under;
    let [running, most] = [0, 0];
    const counting = new Proxy(store, {
      get(target, name) {
        const member = Reflect.get(target, name, target);
        if (typeof member !== "function") return member;
        if (name !== "find") return member.bind(target);
        return async (...args: unknown[]) => {
          most = Math.max(most, ++running);
          await new Promise(setImmediate);
          running--;
          return Reflect.apply(member, target, args);
        };
      },
    });
    const app = await start({ sessions: { store: counting } }, first);
    const tokens = [await ended(first), await ended(first), (await first.visitor()).token];
    await ask(app, tokens);
    expect(most).toBe(3);
  });

  test("a failure to ask for twins is asked again by the next call", async () => {
    const app = await start();
    const { token } = await app.visitor({ theme: "live" });
    const dead = await ended(app);
    const { value } = await ask(app, [dead, token], async ({ session }) => {
      app.outage = new Error("out of order");
      const failed = await session.get().catch(({ message }) => message);
      app.outage = undefined;
      return [failed, await session.get()];
    });
    expect(value).toEqual(["out of order", { theme: "live" }]);
  });

  test("the twin of this host alone is expired where the cookie is a domain's", async () => {
    const app = await start({ cookie: { domain: "shop.example" } });
    const { token } = await app.visitor({ user_id: 1 });
    const changes: Record<string, Handler> = {
      signIn: ({ session }) => session.signIn({ user_id: 1 }),
      delete: ({ session }) => session.delete(),
      set: ({ session }) => session.set({ user_id: 2 }),
      rotate: ({ session }) => session.rotate({ user_id: 2 }),
    };
    for (const [verb, change] of Object.entries(changes)) {
      const visitor = await app.visitor({ user_id: 1 });
      const { setCookies } = await ask(app, [token, visitor.token], change);
      const seen = setCookies.map(({ value, attributes }) => [
        attributes.domain ?? "this host",
        value === "" ? "expired" : "set",
      ]);
      expect(seen.sort(), verb).toEqual([
        ["shop.example", verb === "delete" ? "expired" : "set"],
        ["this host", "expired"],
      ]);
    }
    const host = await start();
    const visitor = await host.visitor({ user_id: 1 });
    expect((await visitor.send(({ session }) => session.delete())).setCookies).toHaveLength(1);
  });

  test("a well-formed token of nobody beside a live one is no obstacle to a change", async () => {
    const app = await start();
    const { token } = await app.visitor({ user_id: 1 });
    const { value } = await ask(app, [UNKNOWN, token], async ({ session }) => [
      (await session.changeCredentials("user_id")).ended,
      await session.signOutOthers("user_id"),
      await session.get(),
    ]);
    expect(value).toEqual([0, 0, { user_id: 1 }]);
  });
}
