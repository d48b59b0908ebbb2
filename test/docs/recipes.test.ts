/* The programs of docs/recipes, each run and used over HTTP, and what goes wrong in them. */
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { pathToFileURL } from "node:url";
import type { ReferenceValue, Sessions } from "session-sets";
import { afterEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { temporaryFolder } from "../support/docs/blocks.ts";
import { Browser } from "../support/docs/browser.ts";
import { codeBlocks } from "../support/docs/docs.ts";
import { CLIENT, startProvider } from "../support/docs/openid-provider.ts";
import { filesUnder, read } from "../support/sources.ts";

// biome-ignore lint/suspicious/noExplicitAny: each program has fields of its own
type AnySessions = Sessions<any>;

afterEach(() => {
  vi.unstubAllEnvs();
});

/**
 * Runs the program of a page.
 *
 * @param edit what a reader might have written instead.
 */
async function start(page: string, edit = (source: string) => source) {
  const file = `docs/recipes/${page}.md`;
  const folder = `${temporaryFolder()}/${page}`;
  mkdirSync(folder);
  const named = codeBlocks(file, read(file)).filter(({ name }) => name !== undefined);
  for (const { name, source } of named) writeFileSync(`${folder}/${name}`, edit(source));
  const server = createServer((req, res) => app(req, res));
  server.listen(0);
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = `http://localhost:${(server.address() as AddressInfo).port}`;
  vi.stubEnv("OIDC_REDIRECT_URI", `${address}/callback`);
  const program = await import(pathToFileURL(`${folder}/app.ts`).href);
  const app: RequestListener = program.app;
  const sessions: AnySessions = program.sessions;
  onTestFinished(() => sessions.close());
  return { address, sessions, open: () => new Browser(address) };
}

/** Replaces a text of a program, which must be there. */
function replace(from: string, to: string) {
  return (source: string) => {
    if (!source.includes(from)) throw new Error(`there is no ${from}`);
    return source.replaceAll(from, to);
  };
}

async function readOnly(sessions: AnySessions, field: string, value: ReferenceValue) {
  const [session, ...others] = await sessions.by(field, value).list();
  expect(others).toEqual([]);
  return session;
}

test("every recipe begins with an example, and says what goes wrong", () => {
  const pages = filesUnder("docs/recipes", ".md");
  expect(pages.length).toBeGreaterThanOrEqual(7);
  for (const page of pages) {
    const text = read(page);
    const [title, ...others] = text.match(/^#{1,2} .*$/gm) ?? [];
    expect(title, page).toMatch(/^# /);
    expect(others, page).toContain("## What goes wrong");
    const beforeHeadings = text.slice(0, text.indexOf("\n## "));
    expect(beforeHeadings, page).toMatch(/\?[^?]*^```ts$/ms);
  }
});

describe("remember me", () => {
  const HOUR = 3_600_000;

  test.each([
    ["is", { remember: "yes" }, 30 * 24, 90 * 24],
    ["is not", {}, 0.5, 12],
  ])("where the box %s ticked", async (_, form, idle, absolute) => {
    const { open, sessions } = await start("remember-me");
    const browser = open();
    const { cookies } = await browser.post("/sign-in", form);
    const maxAge = cookies[0]?.attributes["max-age"];
    if (idle < 1) expect(maxAge).toBeUndefined();
    else expect(Number(maxAge) / 3600).toBeCloseTo(absolute, 1);
    const session = await readOnly(sessions, "user_id", 1);
    const since = (date: Date | null | undefined) =>
      (Number(date) - Number(session?.createdAt)) / HOUR;
    expect(since(session?.expiresAt)).toBeCloseTo(idle, 2);
    expect(since(session?.absoluteDeadline)).toBeCloseTo(absolute, 2);
  });

  test("an idle timeout alone leaves the absolute one as it is", async () => {
    const edit = replace(', absoluteTimeout: "90 days"', "");
    const { open, sessions } = await start("remember-me", edit);
    await open().post("/sign-in", { remember: "yes" });
    const session = await readOnly(sessions, "user_id", 1);
    const length = Number(session?.absoluteDeadline) - Number(session?.createdAt);
    expect(length / HOUR).toBeCloseTo(12, 2);
    expect(session?.expiresAt).toEqual(session?.absoluteDeadline);
  });
});

describe("step-up", () => {
  /** A browser whose password was checked long ago. */
  async function signInLongAgo({ open, sessions }: Awaited<ReturnType<typeof start>>) {
    const browser = open();
    await browser.post("/sign-in");
    expect((await browser.post("/transfer")).status).toBe(200);
    await sessions.by("user_id", 1).set({ verified_at: Date.now() - 11 * 60_000 });
    return browser;
  }

  test("asks for the password again, and gives the session a new token", async () => {
    const program = await start("step-up");
    const browser = await signInLongAgo(program);
    const thief = browser.copy();
    const before = await readOnly(program.sessions, "user_id", 1);
    expect(await browser.post("/transfer")).toMatchObject({ status: 403 });
    expect(await browser.post("/verify", { password: "a guess" })).toMatchObject({ status: 422 });
    expect(await browser.post("/transfer")).toMatchObject({ status: 403 });
    expect(await browser.post("/verify", { password: "correct horse" })).toMatchObject({
      status: 204,
    });
    expect(await browser.post("/transfer")).toMatchObject({ status: 200 });
    expect((await thief.post("/transfer")).path).toBe("/sign-in");
    const after = await readOnly(program.sessions, "user_id", 1);
    expect(after?.lineage).toBe(before?.lineage);
    expect(after?.absoluteDeadline).toEqual(before?.absoluteDeadline);
  });

  test.each([
    ["set", "set({ verified_at: Date.now() })"],
    ["rotate without the user", "rotate({ verified_at: Date.now() })"],
  ])("by %s a thief's copy would rise, too", async (_, call) => {
    const edit = replace("rotate({ user_id, verified_at: Date.now() })", call);
    const program = await start("step-up", edit);
    const browser = await signInLongAgo(program);
    const thief = browser.copy();
    await browser.post("/verify", { password: "correct horse" });
    expect((await thief.post("/transfer")).text).toBe("The money is on its way.");
  });
});

describe("impersonation", () => {
  async function signInAsAdmin(program: Awaited<ReturnType<typeof start>>) {
    const said = vi.spyOn(console, "log").mockImplementation(() => {});
    onTestFinished(() => said.mockRestore());
    const browser = program.open();
    const { token } = await program.sessions.create({ user_id: 9 });
    browser.jar.set("session", token);
    return { browser, said };
  }

  test("acts as a user, in the sets of both, and is told apart", async () => {
    const program = await start("impersonation");
    const endings: unknown[] = [];
    const { browser, said } = await signInAsAdmin(program);
    const loop = (async () => {
      for await (const ending of program.sessions.endings()) endings.push(ending);
    })();
    await expect
      .poll(async () => {
        const { token } = await program.sessions.create({});
        await program.sessions.delete(token);
        return endings.length; // the loop has begun to listen
      })
      .toBeGreaterThan(0);
    endings.length = 0;

    await browser.post("/impersonate/1", { reason: "case 12" });
    const acting = await readOnly(program.sessions, "actor_id", 9);
    expect(acting?.data).toEqual({ user_id: 1, actor_id: 9 });
    expect((await readOnly(program.sessions, "user_id", 1))?.id).toBe(acting?.id);
    const length = Number(acting?.absoluteDeadline) - Number(acting?.createdAt);
    expect(length).toBe(30 * 60_000);
    expect(await program.sessions.by("user_id", 9).size()).toBe(0);
    expect(said.mock.calls[0]).toEqual(expect.arrayContaining([acting?.lineage, "case 12"]));

    expect((await browser.post("/password")).status).toBe(403);
    expect((await browser.post("/impersonate/2")).status).toBe(403);
    await browser.post("/impersonation/end");
    expect(await program.sessions.by("user_id", 1).size()).toBe(0);
    const told = (how: string, reason: string) =>
      expect.objectContaining({ how, initiator: "admin", reason });
    await expect
      .poll(() => endings)
      .toEqual(
        expect.arrayContaining([told("sign-in", "case 12"), told("delete", "impersonation ended")]),
      );
    await program.sessions.close();
    await loop.catch(() => {});
  });

  test("is for admins only, and ends with the user's sessions or the admin's", async () => {
    const program = await start("impersonation");
    const user = program.open();
    const { token } = await program.sessions.create({ user_id: 1 });
    user.jar.set("session", token);
    expect((await user.post("/impersonate/2")).status).toBe(403);
    for (const [field, value] of [
      ["user_id", 2],
      ["actor_id", 9],
    ] as const) {
      const { browser } = await signInAsAdmin(program);
      await browser.post("/impersonate/2");
      expect(await program.sessions.by(field, value).clear()).toBe(1);
      expect((await browser.post("/impersonation/end")).status).toBe(401);
    }
    expect((await user.post("/password")).status).toBe(204);
  });

  test("a user that isn't a number is refused, and the admin stays signed in", async () => {
    const program = await start(
      "impersonation",
      replace("Number(req.params.user_id)", "req.params.user_id as never"),
    );
    const { browser } = await signInAsAdmin(program);
    expect((await browser.post("/impersonate/1")).text).toContain("SessionError");
    expect(await program.sessions.by("user_id", 9).size()).toBe(1);
  });
});

describe("Passport", () => {
  const ada = { name: "ada", password: "correct horse" };

  test("checks the password, and the session is this library's", async () => {
    const { open, sessions } = await start("passport");
    const [desk, phone] = [open(), open()];
    expect((await desk.post("/sign-in", { ...ada, password: "a guess" })).status).toBe(401);
    expect((await desk.get("/me")).status).toBe(401);
    for (const browser of [desk, phone]) {
      expect((await browser.post("/sign-in", ada)).status).toBe(204);
      expect(JSON.parse((await browser.get("/me")).text)).toEqual({ user_id: 1 });
    }
    const thief = desk.copy();
    await desk.post("/sign-in", ada);
    expect((await thief.get("/me")).status).toBe(401);
    expect((await desk.post("/sign-out-everywhere")).text).toBe("2");
    expect((await phone.get("/me")).status).toBe(401);
    expect(await sessions.by("user_id", 1).size()).toBe(0);
  });

  test("without session: false it calls what express-session has", async () => {
    const { open } = await start("passport", replace(", { session: false }", ""));
    const { status, text } = await open().post("/sign-in", ada);
    expect(status).toBe(500);
    expect(text).toContain("regenerate");
  });
});

describe("OpenID Connect", () => {
  async function startWithProvider() {
    const provider = await startProvider();
    vi.stubEnv("OIDC_ISSUER", provider.issuer);
    vi.stubEnv("OIDC_CLIENT_ID", CLIENT.id);
    vi.stubEnv("OIDC_CLIENT_SECRET", CLIENT.secret);
    const program = await start("openid-connect");
    const logOut = (logout_token: string) =>
      program.open().post("/back-channel-logout", { logout_token });
    const event = { events: { "http://schemas.openid.net/event/backchannel-logout": {} } };
    return { ...program, provider, logOut, event };
  }

  test("signs in, in a new session without the sign-in's secrets", async () => {
    const { open, sessions, provider } = await startWithProvider();
    const browser = open();
    await browser.get("/sign-in");
    expect((await browser.get("/")).text).toBe("Hello, ada");
    const session = await readOnly(sessions, "user_id", "ada");
    expect(session?.data).toEqual({ user_id: "ada", sid: provider.sid });
  });

  test("a callback of another browser, or a second time, signs nobody in", async () => {
    const { address, open, sessions } = await startWithProvider();
    const attacker = open();
    const { path } = await attacker.get("/sign-in");
    expect(path).toBe("/");
    // As far as the provider, and not back.
    const sent = async (browser: Browser) => {
      const response = await fetch(`${address}/sign-in`, {
        redirect: "manual",
        headers: { cookie: browser.jar.header ?? "" },
      });
      browser.jar.take(response.headers.getSetCookie());
      const location = response.headers.get("location") ?? "";
      const back = await fetch(location, { redirect: "manual" });
      return back.headers.get("location") ?? "";
    };
    const callback = await sent(attacker);
    const victim = open();
    expect((await victim.get(callback)).status).toBe(400);
    await sent(victim); // also with a sign-in of its own under way
    expect((await victim.get(callback)).status).toBe(400);
    expect((await attacker.get(callback)).text).toBe("Hello, ada");
    expect((await attacker.get(callback)).status).toBe(400);
    expect(await sessions.by("user_id", "ada").size()).toBe(1);
  });

  test("a logout at the provider ends the session of that sid, or all of the user", async () => {
    const { open, sessions, provider, logOut, event } = await startWithProvider();
    const [desk, phone] = [open(), open()];
    await desk.get("/sign-in");
    const sid = provider.sid;
    await phone.get("/sign-in");
    expect((await logOut(provider.createToken({ ...event, sid }))).status).toBe(200);
    expect((await phone.get("/")).text).toBe("Hello, ada");
    expect(await sessions.by("sid", sid).size()).toBe(0);
    await logOut(provider.createToken(event));
    expect(await sessions.by("user_id", "ada").size()).toBe(0);
  });

  test("what is no logout token of the provider ends nothing", async () => {
    const { open, sessions, provider, logOut, event } = await startWithProvider();
    const stranger = await startProvider();
    await open().get("/sign-in");
    const good = { ...event, sid: provider.sid };
    const [, payload = ""] = provider.createToken(good).split(".");
    const none = Buffer.from('{"alg":"none","kid":"k1"}').toString("base64url");
    const bad = [
      "",
      "not a token",
      `${none}.${payload}.`,
      stranger.createToken({ ...good, iss: provider.issuer }),
      provider.createToken({ ...good, aud: "another app" }),
      provider.createToken({ ...good, iss: stranger.issuer }),
      provider.createToken({ ...good, exp: 1 }),
      provider.createToken({ ...good, exp: undefined }),
      provider.createToken({ ...good, nonce: "n" }),
      provider.createToken({ sid: provider.sid }),
    ];
    for (const token of bad) expect((await logOut(token)).status, token).toBe(400);
    expect(await sessions.by("user_id", "ada").size()).toBe(1);
  });

  test("a logout while the code is exchanged is not overtaken by the sign-in", async () => {
    const { open, sessions, provider, logOut, event } = await startWithProvider();
    provider.meanwhile = async () => {
      await logOut(provider.createToken({ ...event, sid: provider.sid }));
    };
    const { status, text } = await open().get("/sign-in");
    expect([status, text]).toEqual([409, expect.stringContaining("Please sign in again")]);
    expect(await sessions.by("user_id", "ada").size()).toBe(0);
  });
});
