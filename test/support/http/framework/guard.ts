/* The CSRF guard, as far as a framework shows it requests: methods, headers, hosts, proxies. */
import { expect } from "vitest";
import type { AppOptions, Handler, TestApp } from "../app.ts";
import type { Framework } from "./cases.ts";

type Headers = Record<string, string>;

/** Whether a request with these headers gets through. */
async function passes(app: TestApp, headers: Headers, method = "POST"): Promise<boolean> {
  const from = app.errors.length;
  const { status, text } = await app.browser().send(() => "done", { method, headers });
  if (status === 200) return true;
  expect(status).toBe(403);
  expect(app.errors[from]).toMatchObject({ code: "ERR_CSRF", status: 403 });
  expect(text).not.toContain("done");
  return false;
}

const EVIL = "https://evil.shop.example";
const get: Handler = ({ session }) => session.get();

export function guard(framework: Framework): void {
  origins(framework);
  decisions(framework);
}

function origins({ describe, test, start }: Framework): void {
  const guarded = (options: AppOptions = {}) => start({ guard: {}, ...options });

  describe("the CSRF guard", () => {
    test("goes by Sec-Fetch-Site, for every method that may change something", async () => {
      const app = await guarded();
      for (const method of ["POST", "PUT", "PATCH", "DELETE"]) {
        expect(await passes(app, { "sec-fetch-site": "same-origin" }, method)).toBe(true);
        expect(await passes(app, {}, method)).toBe(true);
        for (const site of ["cross-site", "same-site", ""]) {
          expect(await passes(app, { "sec-fetch-site": site }, method), site).toBe(false);
        }
      }
    });

    test("lets safe methods pass from everywhere", async () => {
      const app = await guarded();
      const foreign = { origin: "http://evil.example", "sec-fetch-site": "cross-site" };
      for (const method of ["GET", "HEAD", "OPTIONS"]) {
        const { status } = await app.browser().send(() => "done", { method, headers: foreign });
        expect(status).toBe(200);
      }
    });

    test("goes by Origin and the host with its port, where there is no Sec-Fetch-Site", async () => {
      const app = await guarded();
      const host = "shop.example:8080";
      for (const origin of ["http://shop.example:8080", "http://SHOP.example:8080"]) {
        expect(await passes(app, { host, origin }), origin).toBe(true);
      }
      for (const origin of ["http://evil.example", "http://shop.example", "null"]) {
        expect(await passes(app, { host, origin }), origin).toBe(false);
      }
      const implied = { host: "shop.example:443", origin: "https://shop.example" };
      expect(await passes(app, implied)).toBe(true);
    });

    test("takes a page over HTTP for another origin, where the connection is secure", async () => {
      const app = await guarded({ trustProxy: true });
      const secure = { host: "shop.example", "x-forwarded-proto": "https" };
      expect(await passes(app, { ...secure, origin: "http://shop.example" })).toBe(false);
      expect(await passes(app, { ...secure, origin: "https://shop.example" })).toBe(true);
    });

    test("takes its own page over HTTPS for its own, where the connection only looks insecure", async () => {
      const wary = await guarded();
      const [host, origin] = ["shop.example", "https://shop.example"];
      expect(await passes(wary, { host, origin, "x-forwarded-proto": "https" })).toBe(true);
      const plain = { host, origin: "http://shop.example", "x-forwarded-proto": "https" };
      expect(await passes(wary, plain), "a proxy that is not trusted").toBe(true);
    });

    test("knows its own host behind a proxy that the framework trusts, and no other", async () => {
      const trusting = await guarded({ trustProxy: true });
      const wary = await guarded();
      const headers = {
        host: "10.0.0.7:3000",
        origin: "https://shop.example",
        "x-forwarded-host": "shop.example",
        "x-forwarded-proto": "https",
      };
      expect(await passes(trusting, headers)).toBe(true);
      expect(await passes(wary, headers)).toBe(false);
      expect(await passes(trusting, { ...headers, origin: "https://evil.example" })).toBe(false);
    });
  });
}

function decisions({ describe, test, start, adapter }: Framework): void {
  const guarded = (options: AppOptions = {}) => start({ guard: {}, ...options });
  const foreign = { origin: EVIL, "sec-fetch-site": "cross-site" };

  describe("the CSRF guard", () => {
    test("refuses before anything is done, asks the store nothing and sets no cookie", async () => {
      const app = await guarded();
      const browser = await app.visitor({ user_id: 1 });
      const operations = await app.recordOperations(async () => {
        const sent = { method: "POST", headers: { "sec-fetch-site": "cross-site" } };
        const { setCookies } = await browser.send(({ session }) => session.delete(), sent);
        expect(setCookies).toEqual([]);
      });
      expect(operations).toEqual([]);
      expect(await browser.data()).toEqual({ user_id: 1 });
    });

    test("names the framework's setting of proxies where it refuses", async () => {
      const app = await guarded();
      expect(await passes(app, foreign)).toBe(false);
      const { hint = "" } = Object(app.errors[0]);
      expect(hint).toContain("origins");
      expect(hint).toContain(adapter.proxySetting);
    });

    test("lets in the origins on its list, and no others", async () => {
      const app = await guarded({ guard: { origins: ["https://admin.example"] } });
      const site = { "sec-fetch-site": "cross-site" };
      expect(await passes(app, { origin: "https://admin.example", ...site })).toBe(true);
      expect(await passes(app, { origin: EVIL, ...site })).toBe(false);
      expect(await passes(app, site)).toBe(false);
    });

    test("is exempt where it is told so, by what the framework gives its handlers", async () => {
      const given: unknown[] = [];
      const exempt = (one: unknown) => given.push(one) > 0;
      const app = await guarded({ guard: { exempt } });
      expect(await passes(app, { ...foreign, "x-from": "a provider" })).toBe(true);
      const [request] = given.map((one) => Object(one));
      const { headers } = request.req?.raw ?? request;
      const from = typeof headers.get === "function" ? headers.get("x-from") : headers["x-from"];
      expect(from).toBe("a provider");
      expect(adapter.isGiven(given[0])).toBe(true);
    });

    test("lets nobody in where exempt throws, or gives a promise", async () => {
      for (const exempt of [
        () => Promise.resolve(true) as never,
        () => {
          throw Object.assign(new Error("no"), { status: 500 });
        },
      ]) {
        const app = await guarded({ guard: { exempt } });
        const sent = { method: "POST", headers: foreign };
        expect((await app.browser().send(() => "done", sent)).status).toBe(500);
      }
    });

    test("lets a request pass whose session is by a bearer token, and not that of a cookie", async () => {
      const app = await guarded({ carriers: ["bearer", "cookie"] });
      const { token } = await app.sessions.create({ theme: "dark" });
      const headers = { ...foreign, authorization: `Bearer ${token}` };
      const answer = await app.browser().send(get, { method: "POST", headers });
      expect([answer.status, answer.value]).toEqual([200, { theme: "dark" }]);
      const victim = await app.visitor({ user_id: 1 });
      expect((await victim.send(get, { method: "POST", headers: foreign })).status).toBe(403);
    });
  });
}
