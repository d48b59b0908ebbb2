/* How a framework shows a request: its cookies, its other headers, its body, its proxy, its path. */
import { randomUUID } from "node:crypto";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { IncomingMessage, ServerResponse } from "node:http";
import { SessionError } from "session-sets";
import { expect, onTestFinished } from "vitest";
import { COOKIE, type Handler, type SendOptions } from "../app.ts";
import type { Framework } from "./cases.ts";

const HTTPS = { "x-forwarded-proto": "https" };
const visit: Handler = ({ session }) => session.set({ theme: "dark" });
const get: Handler = ({ session }) => session.get();
const create: Handler = ({ session }) => session.createCSRFToken();
const verify: Handler = ({ session }) => session.verifyCSRFToken();

export function requests(framework: Framework): void {
  smoke(framework);
  sessions(framework);
  connections(framework);
  bodies(framework);
}

/** One session from its beginning to its end. */
export function smoke({ describe, test, start }: Framework): void {
  describe("the session of a request", () => {
    test("is made, read, changed, renewed and ended", async () => {
      const app = await start();
      const browser = app.browser();
      expect(await browser.data()).toEqual({});
      await browser.send(({ session }) => session.set({ user_id: 1, theme: "dark" }));
      expect(await browser.data()).toEqual({ user_id: 1, theme: "dark" });
      await browser.send(({ session }) => session.unset(["theme"]));
      const { token } = browser;
      await browser.send(({ session }) => session.rotate());
      expect([browser.token === token, await browser.data()]).toEqual([false, { user_id: 1 }]);
      expect((await browser.send(({ session }) => session.delete())).value).toBe(true);
      expect([browser.token, await browser.data()]).toEqual([undefined, {}]);
      expect(await app.sessions.by("user_id", 1).size()).toBe(0);
    });
  });
}

function sessions({ describe, test, start }: Framework): void {
  describe("the session of a request", () => {
    test("is the same object with and without the middleware, each time", async () => {
      const app = await start();
      const { value } = await app.browser().send(async ({ session, of }) => {
        const [first, second] = [of(), of()];
        await first.set({ theme: "dark" });
        return [first === session, second === session];
      });
      expect(value).toEqual([true, true]);
      expect(app.operations).toEqual(["create"]);
    });

    test("is one where the middleware is used twice, with one cookie", async () => {
      const app = await start({ twice: true });
      const browser = app.browser();
      const { value, setCookies } = await browser.send(async ({ session, of }) => {
        await session.set({ theme: "dark" });
        await of().rotate();
        return of() === session;
      });
      expect([value, setCookies.map(({ name }) => name)]).toEqual([true, [COOKIE]]);
      expect(await browser.data()).toEqual({ theme: "dark" });
    });

    test("is its own, also beside others on one connection", async () => {
      const app = await start();
      const browsers = await Promise.all([1, 2, 3, 4].map((user_id) => app.visitor({ user_id })));
      for (const _ of [1, 2]) {
        const read = await Promise.all(browsers.map((browser) => browser.data()));
        expect(read).toEqual([1, 2, 3, 4].map((user_id) => ({ user_id })));
        for (const browser of browsers) await browser.data();
      }
      expect(await app.browser().data()).toEqual({});
    });

    test("is none for a malformed cookie, which costs no round trip", async () => {
      const app = await start();
      for (const value of [
        "",
        "x",
        "%E0%A4%A",
        "__proto__",
        `"${"A".repeat(34)}"`,
        "A".repeat(9_000),
      ]) {
        const answer = await app.browser(value).send(get);
        expect([answer.status, answer.value, answer.setCookies]).toEqual([200, {}, []]);
      }
      expect(app.operations).toEqual([]);
    });

    test("is found by a cookie that comes in two Cookie headers, and between others", async () => {
      for (const options of [{}, { keys: ["secret"] }]) {
        const app = await start(options);
        const browser = await app.visitor({ theme: "dark" });
        for (const cookie of [
          [`${COOKIE}=junk`, `${COOKIE}=${browser.token}`],
          [`a=1; ${COOKIE}=junk; b=2;; ${COOKIE}s=x`, `c; ${COOKIE}=${browser.token}; d=4`],
        ]) {
          expect((await browser.send(get, { headers: { cookie } })).value).toEqual({
            theme: "dark",
          });
        }
      }
    });

    test("goes by the options of the cookie", async () => {
      const app = await start({
        cookie: { name: "sid", domain: "example.com", path: "/shop", sameSite: "strict" },
      });
      const browser = app.browser();
      const { setCookies } = await browser.send(visit);
      const attributes = { domain: "example.com", path: "/shop", samesite: "Strict" };
      expect(setCookies).toMatchObject([{ name: "sid", attributes }]);
      expect(await browser.data()).toEqual({ theme: "dark" });
      const cleared = await browser.send(({ session }) => session.delete());
      const gone = { name: "sid", value: "", attributes: { ...attributes, "max-age": "0" } };
      expect(cleared.setCookies[0]).toMatchObject(gone);
    });

    test("goes by the keys that cookies are signed with", async () => {
      const app = await start({ keys: ["new secret", "old secret"] });
      const browser = await app.visitor({ theme: "dark" });
      expect(browser.token).toMatch(/^[A-Za-z0-9_-]{34}\.[A-Za-z0-9_-]{43}$/);
      expect(await browser.data()).toEqual({ theme: "dark" });
      const [token] = (browser.token ?? "").split(".");
      expect(await app.browser(token).data()).toEqual({});
      const old = await start({ keys: ["old secret"] }, app);
      expect(await app.browser((await old.visitor({ theme: "old" })).token).data()).toEqual({
        theme: "old",
      });
      expect(await old.browser(browser.token).data()).toEqual({});
    });
  });

  describe("while the store is down", () => {
    test("what needs it is answered with 503, and the browser keeps its cookie", async () => {
      const app = await start();
      const browser = await app.visitor({ user_id: 1 });
      const { token } = browser;
      app.outage = new SessionError("ERR_STORE_UNAVAILABLE", "The store does not answer", {
        operation: "find a session",
      });
      for (const handler of [get, visit]) {
        const answer = await browser.send(handler);
        expect([answer.status, answer.setCookies]).toEqual([503, []]);
      }
      const first = await app.browser().send(visit);
      expect([first.status, first.setCookies]).toEqual([503, []]);
      app.outage = undefined;
      expect([browser.token, await browser.data()]).toEqual([token, { user_id: 1 }]);
    });
  });
}

/** Resolves when the server has seen that the connection of a request with this header is closed. */
function waitUntilClosed(header: string, value: string): Promise<void> {
  const channel = "http.server.request.start";
  return new Promise((resolve) => {
    function onStart(message: unknown): void {
      const { request, response } = message as {
        request: IncomingMessage;
        response: ServerResponse;
      };
      if (request.headers[header] === value) response.once("close", resolve);
    }
    subscribe(channel, onStart);
    onTestFinished(() => void unsubscribe(channel, onStart));
  });
}

function connections({ describe, test, start }: Framework): void {
  describe("the connection", () => {
    test("makes the cookie Secure when it is, as the framework sees it through its proxy", async () => {
      const trusting = await start({ trustProxy: true });
      const wary = await start();
      const secure = async (app: typeof wary, headers: Record<string, string>) => {
        const { setCookies } = await app.browser().send(visit, { headers });
        const [{ name, attributes } = { name: "", attributes: {} }] = setCookies;
        return [name, "secure" in attributes];
      };
      expect(await secure(trusting, HTTPS)).toEqual(["__Host-session", true]);
      expect(await secure(trusting, {})).toEqual(["session", false]);
      expect(await secure(trusting, { "x-forwarded-proto": "http" })).toEqual(["session", false]);
      expect(await secure(wary, HTTPS)).toEqual(["session", false]);
    });

    test("that is insecure takes no Secure cookie: ERR_COOKIE, and nothing is made", async () => {
      const app = await start({ cookie: { secure: true }, trustProxy: true });
      const answer = await app.browser().send(visit);
      expect(answer.error).toMatchObject({ code: "ERR_COOKIE", status: 500 });
      expect([answer.status, answer.setCookies, app.operations]).toEqual([500, [], []]);
      expect((await app.browser().send(visit, { headers: HTTPS })).status).toBe(200);
    });

    test("that the client has closed already is no obstacle", async () => {
      const app = await start();
      const browser = await app.visitor({ user_id: 1 });
      const unhandled: unknown[] = [];
      const listener = (error: unknown) => void unhandled.push(error);
      process.on("unhandledRejection", listener);
      onTestFinished(() => void process.off("unhandledRejection", listener));
      const client = new AbortController();
      const mark = randomUUID();
      const closed = waitUntilClosed("x-mark", mark);
      let end = () => {};
      const ended = new Promise<void>((resolve) => {
        end = resolve;
      });
      const sent = browser.send(
        async ({ session }) => {
          client.abort();
          await closed;
          await session.set({ theme: "dark" });
          await session.rotate({ cart: ["tea"] });
          end();
        },
        { signal: client.signal, headers: { "x-mark": mark } },
      );
      await expect(sent).rejects.toThrow();
      await ended;
      expect(await browser.data()).toEqual({ user_id: 1, theme: "dark", cart: ["tea"] });
      expect(unhandled).toEqual([]);
    });
  });
}

function bodies({ describe, test, start, adapter }: Framework): void {
  const json = (body: unknown): SendOptions => ({
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  const places: Record<string, (token: unknown) => SendOptions> = {
    "the header": (token) => ({ method: "POST", headers: { "x-csrf-token": String(token) } }),
    ...(adapter.parsesBodies && { "the form": (token: unknown) => json({ _csrf: token }) }),
  };

  describe("verifyCSRFToken without an argument", () => {
    for (const [place, send] of Object.entries(places)) {
      test(`finds the token in ${place}, with a session and without`, async () => {
        const app = await start();
        const other = await app.visitor();
        for (const browser of [await app.visitor({ user_id: 1 }), app.browser()]) {
          const { value: token } = await browser.send(create);
          expect((await browser.send(verify, send(token))).value).toBe(true);
          expect((await browser.send(verify, send(`${token}x`))).value).toBe(false);
          expect((await other.send(verify, send(token))).value).toBe(false);
        }
      });
    }

    test("is false where the request brings none", async () => {
      const app = await start();
      const browser = await app.visitor();
      expect((await browser.send(verify)).value).toBe(false);
      expect((await browser.send(verify, { method: "POST" })).value).toBe(false);
    });
  });
}
