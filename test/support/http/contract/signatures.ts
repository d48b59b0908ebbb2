import { describe, expect, test } from "vitest";
import type { Start } from "./contract.ts";

export function signatures(start: Start): void {
  describe("a signed cookie", () => {
    test("is a token and its signature, and leads to its session", async () => {
      const app = await start({ keys: ["first secret"] });
      const browser = await app.visitor({ theme: "dark" });
      expect(browser.token).toMatch(/^[A-Za-z0-9_-]{34}\.[A-Za-z0-9_-]{43}$/);
      expect(await browser.data()).toEqual({ theme: "dark" });
      const rotated = await browser.send(({ session }) => session.rotate());
      expect(rotated.setCookies[0]?.value).toContain(".");
      expect(await browser.data()).toEqual({ theme: "dark" });
      expect((await browser.send(({ session }) => session.delete())).value).toBe(true);
      expect(browser.token).toBeUndefined();
    });

    test("is no session where the signature is wrong, without a round trip", async () => {
      const app = await start({ keys: ["first secret"] });
      const { token = "" } = await app.visitor({ theme: "dark" });
      const { token: other = "" } = await app.visitor({ theme: "light" });
      const [text = "", signature = ""] = token.split(".");
      const forged = [
        text,
        `${text}.`,
        `.${signature}`,
        `${text}.${other.split(".")[1]}`,
        `${text}.${signature}A`,
        `${text}.${signature.slice(1)}`,
        `${text}..${signature}`,
        `x${text.slice(1)}.${signature}`,
        `${text}.${"%C3%A9".repeat(20)}`,
      ];
      for (const value of forged) {
        const browser = app.browser(value);
        const operations = await app.recordOperations(async () => {
          const answer = await browser.send(({ session }) => session.get());
          expect([answer.status, answer.value, answer.setCookies]).toEqual([200, {}, []]);
        });
        expect(operations).toEqual([]);
      }
      expect(await app.browser(token).data()).toEqual({ theme: "dark" });
    });

    test("does not stand for a cookie of another name", async () => {
      const app = await start({ keys: ["first secret"], cookie: { name: "other" } });
      const browser = app.browser();
      await browser.send(({ session }) => session.set({ theme: "dark" }));
      const beside = await start({ keys: ["first secret"] }, app);
      expect(await beside.browser(browser.jar.get("other")).data()).toEqual({});
      expect(beside.operations).toEqual([]);
    });

    test("outlives a change of keys for as long as its key is kept", async () => {
      const old = await start({ keys: ["old secret"] });
      const { token } = await old.visitor({ theme: "dark" });
      const both = await start({ keys: ["new secret", "old secret"] }, old);
      const browser = both.browser(token);
      expect(await browser.data()).toEqual({ theme: "dark" });
      await browser.send(({ session }) => session.rotate());
      const renewed = await start({ keys: ["new secret"] }, old);
      expect(await renewed.browser(browser.token).data()).toEqual({ theme: "dark" });
      expect(await renewed.browser(token).data()).toEqual({});
    });

    test("is needed: an unsigned one of a live session is none", async () => {
      const plain = await start();
      const { token } = await plain.visitor({ theme: "dark" });
      const signed = await start({ keys: ["secret"] }, plain);
      expect(await signed.browser(token).data()).toEqual({});
      expect(signed.operations).toEqual([]);
    });

    test("signs the pre-session cookie of a form, too", async () => {
      const app = await start({ keys: ["secret"] });
      const browser = app.browser();
      const { value, setCookies } = await browser.send(({ session }) => session.createCSRFToken());
      expect(setCookies[0]?.value).toContain(".");
      const verify = () => browser.send(({ session }) => session.verifyCSRFToken(value));
      expect((await verify()).value).toBe(true);
      const [sent] = setCookies;
      browser.jar.set(sent?.name ?? "", (sent?.value ?? "").split(".")[0] ?? "");
      expect((await verify()).value).toBe(false);
    });
  });
}
