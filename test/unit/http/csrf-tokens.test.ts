/* How CSRF tokens and signatures are checked: in constant time, and only where they are well formed. */
import * as crypto from "node:crypto";
import { createSessions } from "session-sets";
import { type KoaSessionsOptions, koaSessions } from "session-sets/koa";
import { memoryStore } from "session-sets/memory";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { contextWith } from "../../support/http/request.ts";

// Another file of the same worker may have loaded the sources, with the real one.
vi.hoisted(() => vi.resetModules());
vi.mock("node:crypto", async (original) => {
  const real = await original<typeof crypto>();
  return { ...real, timingSafeEqual: vi.fn(real.timingSafeEqual) };
});

const compare = vi.mocked(crypto.timingSafeEqual);
const sessions = createSessions({ store: memoryStore(), idleTimeout: "1 hour" });

let token: string;
beforeEach(async () => {
  ({ token } = await sessions.create({}));
  compare.mockReset(); // to the real one
});

function openSession(cookie: string, options: KoaSessionsOptions<object> = {}, keys?: string[]) {
  return koaSessions(sessions, options).of({ ...contextWith(cookie), app: { keys } });
}

const hmac = (key: string, text: string) =>
  crypto.createHmac("sha256", key).update(text).digest("base64url");

/** The pairs of texts that were compared. */
function compared(): string[][] {
  return compare.mock.calls.map((pair) => pair.map(String));
}

/** A text of the same length that begins and ends alike. */
function altered(text: string): string {
  const [at, one] = [20, text[20] === "A" ? "B" : "A"];
  return text.slice(0, at) + one + text.slice(at + 1);
}

describe("a CSRF token", () => {
  test("is compared in constant time, a right one and a wrong one", () => {
    const session = openSession(`session=${token}`);
    const [salt = "", mac = ""] = session.createCSRFToken().split(".");
    expect(session.verifyCSRFToken(`${salt}.${mac}`)).toBe(true);
    expect(compared()).toEqual([[mac, mac]]);
    compare.mockClear();
    expect(session.verifyCSRFToken(`${salt}.${altered(mac)}`)).toBe(false);
    expect(compared()).toEqual([[mac, altered(mac)]]);
  });

  test("is right by that comparison alone", () => {
    const session = openSession(`session=${token}`);
    const right = session.createCSRFToken();
    compare.mockReturnValueOnce(false);
    expect(session.verifyCSRFToken(right)).toBe(false);
  });

  test("whose salt is none is refused, though its code is right for it", () => {
    const session = openSession(`session=${token}`);
    const made = (salt: string) => `${salt}.${hmac(token, salt)}`;
    expect(session.verifyCSRFToken(made("A-_9zA-_9zA-_9zA-_9zAA"))).toBe(true);
    const salts = ["", "A", "A".repeat(21), "A".repeat(23), "A".repeat(10_000)];
    const odd = [`${"A".repeat(21)}+`, `${"A".repeat(21)}é`, `${"A".repeat(22)}\n`, " ".repeat(22)];
    for (const salt of [...salts, ...odd]) {
      expect(session.verifyCSRFToken(made(salt)), salt.slice(0, 40)).toBe(false);
    }
  });
});

describe("a signature", () => {
  const keys = ["new key", "old key"];
  const sign = (key: string) => hmac(key, `session=${token}`);
  const idWith = (signature: string) =>
    openSession(`session=${token}.${signature}`, { signed: true }, keys).id;

  test.each(keys)("of the %s is compared in constant time, a right one and a wrong one", (key) => {
    expect(idWith(sign(key))).not.toBeNull();
    expect(compared().at(-1)).toEqual([sign(key), sign(key)]);
    compare.mockClear();
    expect(idWith(altered(sign(key)))).toBeNull();
    expect(compared()).toEqual(keys.map((one) => [sign(one), altered(sign(key))]));
  });

  test("is right by that comparison alone", () => {
    compare.mockReturnValueOnce(false);
    expect(idWith(sign("new key"))).toBeNull();
  });
});
