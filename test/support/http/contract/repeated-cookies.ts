import { describe, expect, test } from "vitest";
import { type Browser, COOKIE, type Handler } from "../app.ts";
import { UNKNOWN } from "./anonymous.ts";
import type { Start } from "./contract.ts";

const CSRF = `${COOKIE}-csrf`;
const get: Handler = ({ session }) => session.get();

/** Values that stand for no session, whether cookies are signed or not. */
const JUNK = ["junk", "", "x.y", `${UNKNOWN}A`, "%E0%A4%A", `"${UNKNOWN}"x`];

/** A Cookie header with these values of one name, in their order. */
function repeated(name: string, values: readonly (string | undefined)[]): string {
  return values.map((value) => `${name}=${value}`).join("; ");
}

export function repeatedCookies(start: Start): void {
  const kinds = { "a cookie": {}, "a signed cookie": { keys: ["secret"] } };
  for (const [kind, options] of Object.entries(kinds)) {
    describe(`${kind} that is sent several times`, () => {
      /** What the session holds for a browser that sends these values of the cookie. */
      async function readData(browser: Browser, values: readonly (string | undefined)[]) {
        return (await browser.send(get, { headers: { cookie: repeated(COOKIE, values) } })).value;
      }

      test("leads to its session, wherever the others stand that are malformed", async () => {
        const app = await start(options);
        const browser = await app.visitor({ theme: "dark" });
        const { token } = browser;
        for (const junk of JUNK) {
          const operations = await app.recordOperations(async () => {
            for (const values of [
              [junk, token],
              [token, junk],
              [junk, junk, token, junk],
            ]) {
              expect(await readData(browser, values), values.join()).toEqual({ theme: "dark" });
            }
          });
          expect(operations).toEqual(["find", "find", "find"]);
        }
        expect(await readData(browser, [...JUNK, token])).toEqual({ theme: "dark" });
      });

      test("is the first one that lives, where several are well-formed", async () => {
        const app = await start(options);
        const [first, second] = [await app.visitor({ theme: "a" }), await app.visitor({})];
        const operations = await app.recordOperations(async () => {
          expect(await readData(first, [first.token, second.token])).toEqual({ theme: "a" });
        });
        expect(operations).toEqual(["find", "find"]); // asked for at once
      });

      test("costs no round trip where all are malformed, and is replaced by set", async () => {
        const app = await start(options);
        const browser = app.browser();
        const headers = { cookie: repeated(COOKIE, JUNK) };
        expect(await readData(browser, JUNK)).toEqual({});
        expect(app.operations).toEqual([]);
        const made = await browser.send(({ session }) => session.set({ theme: "a" }), { headers });
        expect([made.setCookies.length, app.operations]).toEqual([1, ["create"]]);
        expect(await browser.data()).toEqual({ theme: "a" });
      });

      test("keeps a sign-in form's token good, where it is the pre-session one", async () => {
        const app = await start(options);
        const browser = app.browser();
        const { value } = await browser.send(({ session }) => session.createCSRFToken());
        const [[name, secret] = []] = browser.jar.entries().filter(([one]) => one.startsWith(CSRF));
        const junk = ["junk", "", "A".repeat(33)];
        for (const values of [
          [...junk, secret],
          [secret, ...junk],
        ]) {
          const answer = await browser.send(
            ({ session }) => [session.verifyCSRFToken(value), session.createCSRFToken() !== ""],
            { headers: { cookie: repeated(name ?? "", values) } },
          );
          expect([answer.value, answer.setCookies]).toEqual([[true, true], []]);
        }
        expect(app.operations).toEqual([]);
      });
    });
  }

  test("a signed cookie is found behind a forged and an unsigned one", async () => {
    const app = await start({ keys: ["secret"] });
    const browser = await app.visitor({ theme: "dark" });
    const [text = "", signature = ""] = (browser.token ?? "").split(".");
    const cookie = repeated(COOKIE, [UNKNOWN, `${UNKNOWN}.${signature}`, text, browser.token]);
    const operations = await app.recordOperations(async () => {
      expect((await browser.send(get, { headers: { cookie } })).value).toEqual({ theme: "dark" });
    });
    expect(operations).toEqual(["find"]);
  });
}
