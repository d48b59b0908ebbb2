import { describe, expect, test } from "vitest";
import type { AppOptions, TestApp } from "../app.ts";
import type { Start } from "./contract.ts";

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

export function guard(start: Start): void {
  const guarded = (options: AppOptions = {}) => start({ guard: {}, ...options });

  describe("the CSRF guard", () => {
    test("goes by Sec-Fetch-Site: this origin and the user pass, all others do not", async () => {
      const app = await guarded();
      for (const method of ["POST", "PUT", "PATCH", "DELETE"]) {
        expect(await passes(app, { "sec-fetch-site": "same-origin" }, method)).toBe(true);
        expect(await passes(app, { "sec-fetch-site": "none" }, method)).toBe(true);
        for (const site of ["cross-site", "same-site", "", "Same-Origin", "same-origin, none"]) {
          expect(await passes(app, { "sec-fetch-site": site }, method), site).toBe(false);
        }
      }
    });

    test("takes Sec-Fetch-Site before Origin", async () => {
      const app = await guarded();
      const host = "shop.example";
      const [own, other] = [`http://${host}`, "http://evil.example"];
      expect(await passes(app, { host, origin: own, "sec-fetch-site": "cross-site" })).toBe(false);
      expect(await passes(app, { host, origin: other, "sec-fetch-site": "same-origin" })).toBe(
        true,
      );
    });

    test("goes by Origin where a browser sends no Sec-Fetch-Site", async () => {
      const app = await guarded();
      const host = "shop.example:8080";
      const own = [
        "http://shop.example:8080",
        "https://shop.example:8080",
        "http://SHOP.example:8080",
      ];
      for (const origin of own) expect(await passes(app, { host, origin }), origin).toBe(true);
      const loud = { host: "SHOP.example", origin: "https://shop.example" };
      expect(await passes(app, loud)).toBe(true);
      const ports = { host: "shop.example:443", origin: "https://shop.example" };
      expect(await passes(app, ports)).toBe(true);
      expect(await passes(app, { ...ports, origin: "http://shop.example" })).toBe(false);
      const others = [
        "http://evil.example",
        "http://shop.example",
        "http://shop.example:8081",
        "http://sub.shop.example:8080",
        "http://shop.example:8080.evil.example",
        "http://evil.example/shop.example:8080",
        "null",
        "",
        "shop.example:8080",
        "javascript:alert(1)",
        "ftp://shop.example:8080",
      ];
      for (const origin of others) expect(await passes(app, { host, origin }), origin).toBe(false);
    });

    test("takes a page over HTTP for another origin, where the connection is secure", async () => {
      const app = await guarded({ trustProxy: true });
      const host = "shop.example";
      const secure = { host, "x-forwarded-proto": "https" };
      for (const origin of [
        "http://shop.example",
        "http://SHOP.example",
        "http://shop.example:80",
      ]) {
        expect(await passes(app, { ...secure, origin }), origin).toBe(false);
      }
      expect(await passes(app, { ...secure, origin: "https://shop.example" })).toBe(true);
      const site = { "sec-fetch-site": "same-origin" };
      expect(await passes(app, { ...secure, ...site, origin: "http://shop.example" })).toBe(true);
    });

    test("takes its own page over HTTPS for its own, where the connection only looks insecure", async () => {
      const wary = await guarded();
      const trusting = await guarded({ trustProxy: true });
      const [host, origin] = ["shop.example", "https://shop.example"];
      expect(await passes(wary, { host, origin, "x-forwarded-proto": "https" })).toBe(true);
      for (const app of [wary, trusting]) {
        expect(await passes(app, { host, origin })).toBe(true);
        expect(await passes(app, { host, origin: "http://shop.example" })).toBe(true);
        expect(await passes(app, { host, origin: "https://evil.example" })).toBe(false);
      }
    });

    test("lets a request with neither header pass: it is no browser's", async () => {
      expect(await passes(await guarded(), {})).toBe(true);
    });

    test("lets safe methods pass from everywhere", async () => {
      const app = await guarded();
      const foreign = { origin: "http://evil.example", "sec-fetch-site": "cross-site" };
      for (const method of ["GET", "HEAD", "OPTIONS"]) {
        expect((await app.browser().send(() => "done", { method, headers: foreign })).status).toBe(
          200,
        );
      }
    });

    test("lets the origins on its list pass, and no others", async () => {
      const app = await guarded({ guard: { origins: ["https://admin.example"] } });
      const site = { "sec-fetch-site": "cross-site" };
      expect(await passes(app, { origin: "https://admin.example", ...site })).toBe(true);
      expect(await passes(app, { origin: "https://admin.example" })).toBe(true);
      for (const origin of ["http://admin.example", "https://admin.example:444", "null"]) {
        expect(await passes(app, { origin, ...site })).toBe(false);
        expect(await passes(app, { origin })).toBe(false);
      }
      expect(await passes(app, site)).toBe(false);
    });

    test("knows its own host behind a proxy that the framework trusts", async () => {
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

    test("does not ask the store, and sets no cookie", async () => {
      const app = await guarded();
      const browser = await app.visitor({ user_id: 1 });
      const operations = await app.recordOperations(async () => {
        const { setCookies } = await browser.send(({ session }) => session.delete(), {
          method: "POST",
          headers: { "sec-fetch-site": "cross-site" },
        });
        expect(setCookies).toEqual([]);
      });
      expect(operations).toEqual([]);
      expect(await browser.data()).toEqual({ user_id: 1 });
    });
  });
}
