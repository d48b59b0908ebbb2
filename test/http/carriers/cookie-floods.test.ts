/* What floods of cookies cost: the form is looked at before a signature, eight of them at most. */
import Koa from "koa";
import { createSessions } from "session-sets";
import { fetchSessions } from "session-sets/fetch";
import { koaSessions } from "session-sets/koa";
import { memoryStore } from "session-sets/memory";
import { describe, expect, test } from "vitest";
import { request, serve } from "../../support/http/apps/ad-hoc.ts";

interface Data {
  user_id?: number;
  theme?: string;
}

const sessions = createSessions<Data>({ references: { user_id: {} }, store: memoryStore() });

/** A cookie as well formed as any, of a session that there never was. */
const madeUp = (at: number) => `AA${String(at).padStart(32, "x")}`;

/** A Keygrip that is asked, and how often it was. */
function countingKeys() {
  const asked: string[] = [];
  const keys = {
    sign: (text: string) => `mac-of-${text.length}`,
    verify(text: string, signature: string) {
      asked.push(text);
      return signature === keys.sign(text);
    },
  };
  return { keys, asked };
}

/** A shop under Koa whose cookies these keys sign. */
async function signedShop({ keys }: ReturnType<typeof countingKeys>) {
  const app = new Koa();
  app.keys = keys as never;
  app.use(koaSessions(sessions, { signed: true }));
  app.use(async (ctx) => {
    const { session } = ctx as unknown as {
      session: ReturnType<ReturnType<typeof fetchSessions<Data, "user_id">>>;
    };
    const made = ctx.query.form === undefined ? null : session.verifyCSRFToken("x.y");
    ctx.body = { data: await session.get(), made };
  });
  return serve(app.callback());
}

describe("a flood of signed cookies", () => {
  const headers = (cookie: string) => ({ headers: { cookie } });

  test("costs no HMAC where the values are malformed", async () => {
    const counting = countingKeys();
    const port = await signedShop(counting);
    for (const one of [
      "session=1; ",
      "session=1.2; ",
      `session=${"x".repeat(35)}.y; `,
      "session=; ",
    ]) {
      const cookie = one.repeat(Math.floor(13_000 / one.length));
      expect((await request(port, "/?form", headers(cookie))).text).toContain('"data":{}');
    }
    expect(counting.asked).toEqual([]);
  });

  test("costs eight where they are well formed, and a live one behind them is not found", async () => {
    const counting = countingKeys();
    const port = await signedShop(counting);
    const { token } = await sessions.create({ theme: "dark" });
    const live = `session=${token}.${counting.keys.sign(`session=${token}`)}`;
    const flood = Array.from({ length: 200 }, (_, at) => `session=${madeUp(at)}.forged`);
    const seen = async (cookies: string[]) => {
      counting.asked.length = 0;
      const { text } = await request(port, "/", headers(cookies.join("; ")));
      return [JSON.parse(text).data, counting.asked.length];
    };
    expect(await seen([...flood, live])).toEqual([{}, 8]);
    expect(await seen([...flood.slice(0, 7), live])).toEqual([{ theme: "dark" }, 8]);
    expect(await seen([live])).toEqual([{ theme: "dark" }, 1]);
  });

  test("of forms costs eight, too", async () => {
    const counting = countingKeys();
    const port = await signedShop(counting);
    const flood = Array.from({ length: 100 }, (_, at) => {
      const secret = `${String(at).padStart(8, "0")}${"x".repeat(24)}`;
      return `session-csrf-${secret.slice(0, 8)}=${secret}.forged`;
    });
    await request(port, "/?form", headers(flood.join("; ")));
    expect(counting.asked).toHaveLength(8);
  });
});

describe("a Cookie header of 64 KB", () => {
  const HEADERS: Record<string, string> = {
    "many malformed values": "session=1; ",
    "many well-formed values": `session=${madeUp(1)}; `,
    "many forms": `session-csrf-xxxxxxxx=${"x".repeat(32)}; `,
    "many names": "a=1; ",
    "nothing but semicolons": ";",
    "nothing but spaces": " ",
    "names without values": "a;",
    "one name": "a",
    "nothing but equals signs": "=",
  };

  test.each(Object.entries(HEADERS))("takes no time: %s", async (_, part) => {
    const cookie = `${part.repeat(Math.floor(65_000 / part.length))}; z=1`;
    for (const keys of [undefined, ["secret", "older", "oldest"]]) {
      const shop = fetchSessions(sessions, keys ? { keys } : {});
      // What is quadratic in its length takes seconds, each time. On a busy machine one may take longer.
      let least = Number.POSITIVE_INFINITY;
      for (let left = 20; left > 0; left--) {
        const started = process.cpuUsage();
        const session = shop(new Request("https://shop.example/", { headers: { cookie } }));
        session.verifyCSRFToken("x.y");
        least = Math.min(least, process.cpuUsage(started).user / 1000);
      }
      expect(least, "ms of the processor").toBeLessThan(25);
    }
  });

  test("is read to its end, and no longer one is under fetch", async () => {
    const { token } = await sessions.create({ theme: "dark" });
    const own = `; __Host-session=${token}`;
    const ask = (length: number) => {
      const cookie = `a=${"x".repeat(length - own.length - 2)}${own}`;
      expect(cookie).toHaveLength(length);
      return fetchSessions(sessions)(
        new Request("https://shop.example/", { headers: { cookie } }),
      ).get();
    };
    expect(await ask(65_536)).toEqual({ theme: "dark" });
    expect(await ask(65_537)).toEqual({});
    expect(await ask(1_000_000)).toEqual({});
  });
});

test("a bearer header that is too long for any token is none", async () => {
  const shop = fetchSessions(sessions, { carriers: ["bearer", { header: "x-token" }] });
  const long = "x".repeat(1_000_000);
  for (const headers of [{ authorization: `Bearer ${long}` }, { "x-token": long }] as Record<
    string,
    string
  >[]) {
    expect(await shop(new Request("https://shop.example/", { headers })).get()).toEqual({});
  }
});
