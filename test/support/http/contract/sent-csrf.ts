import { describe, expect, test } from "vitest";
import type { Handler, SendOptions } from "../app.ts";
import type { Start } from "./contract.ts";

const create: Handler = ({ session }) => session.createCSRFToken();
const verify: Handler = ({ session }) => session.verifyCSRFToken();

const header = (token: unknown): SendOptions => ({
  method: "POST",
  headers: { "x-csrf-token": String(token) },
});
const field = (token: unknown, name = "_csrf"): SendOptions => json({ [name]: token });
const json = (body: unknown): SendOptions => ({
  method: "POST",
  headers: { "content-type": "application/json" },
  body: JSON.stringify(body),
});

export function sentCSRFTokens(start: Start): void {
  const places = { "the header": header, "the form": field };

  describe("verifyCSRFToken without an argument", () => {
    for (const [place, send] of Object.entries(places)) {
      test(`finds the token of the session in ${place}`, async () => {
        const app = await start();
        const [browser, other] = [await app.visitor({ user_id: 1 }), await app.visitor()];
        const { value: token } = await browser.send(create);
        expect((await browser.send(verify, send(token))).value).toBe(true);
        expect((await browser.send(verify, send(`${token}x`))).value).toBe(false);
        expect((await other.send(verify, send(token))).value).toBe(false);
      });

      test(`finds the token of a form without a session in ${place}`, async () => {
        const app = await start();
        const browser = app.browser();
        const { value: token } = await browser.send(create);
        expect((await browser.send(verify, send(token))).value).toBe(true);
        expect((await app.browser().send(verify, send(token))).value).toBe(false);
      });
    }

    test("is false where the request brings none", async () => {
      const app = await start();
      const browser = await app.visitor();
      expect((await browser.send(verify)).value).toBe(false);
      expect((await browser.send(verify, { method: "POST" })).value).toBe(false);
      expect((await browser.send(verify, header(""))).value).toBe(false);
    });

    test("is false for a form that is something else, and looks at no other field", async () => {
      const app = await start();
      const browser = await app.visitor();
      const { value: token } = await browser.send(create);
      for (const body of [[], [token], {}, { _csrf: [token] }, { _csrf: { token } }]) {
        expect((await browser.send(verify, json(body))).value, JSON.stringify(body)).toBe(false);
      }
      expect((await browser.send(verify, field(token, "csrf"))).value).toBe(false);
    });

    test("takes the header before the form", async () => {
      const app = await start();
      const browser = await app.visitor();
      const { value: token } = await browser.send(create);
      const both = (inHeader: unknown, inForm: unknown): SendOptions => {
        const sent = field(inForm);
        return { ...sent, headers: { ...sent.headers, ...header(inHeader).headers } };
      };
      expect((await browser.send(verify, both(token, "x"))).value).toBe(true);
      expect((await browser.send(verify, both("x", token))).value).toBe(false);
    });
  });
}
