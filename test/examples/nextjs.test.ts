/* The example for Next.js, as global-setup.ts has installed and built it: started and used. */
import { expect, test } from "vitest";
import {
  Browser,
  expectDevices,
  expectEndingOthers,
  startExample,
} from "../support/programs/example-app.ts";
import { redisUrl } from "../support/redis/shared.ts";
import { APPS, QUIET } from "./global-setup.ts";

function start(variables: { readonly [name: string]: string } = {}): Promise<string> {
  const env = { ...QUIET, NODE_ENV: "production", ...variables };
  return startExample([`${APPS.nextjs}/node_modules/next/dist/bin/next`, "start"], {
    cwd: APPS.nextjs,
    env,
  });
}

test("signs in, lists and ends devices, changes the password, and signs out everywhere, in memory", async () => {
  const address = await start();
  await expectDevices(address);
  await expectEndingOthers(address);
});

test("does so in two processes that share a Redis", async () => {
  const variables = { REDIS_URL: redisUrl() };
  const [one, another] = [await start(variables), await start(variables)];
  await expectDevices(one, another);
  await expectEndingOthers(one, another);
});

test("sends who isn't signed in to the form, whatever they would end", async () => {
  const browser = new Browser(await start(), "Safari");
  await browser.open("/sign-in"); // its form has a token
  for (const path of ["/devices/end-others", "/password", "/sign-out-everywhere"]) {
    expect([path, await browser.open(path, {})]).toEqual([path, "200 Sign in"]);
  }
});

/** A page's form with this button, without scripts: its hidden fields name the action. */
async function submit(
  address: string,
  page: string,
  button: string,
  cookie = "",
  own: Record<string, string> = {},
  headers: Record<string, string> = {},
) {
  const html = await (await fetch(address + page, { headers: { cookie } })).text();
  const forms = html.match(/<form[\s\S]*?<\/form>/g) ?? [];
  const form = forms.find((one) => one.includes(`>${button}</button>`)) ?? "";
  const body = new FormData();
  for (const [input] of form.matchAll(/<input[^>]*>/g)) {
    const name = /name="([^"]*)"/.exec(input)?.[1];
    const value = /value="([^"]*)"/.exec(input)?.[1] ?? "";
    if (name) body.set(name, value.replaceAll("&quot;", '"').replaceAll("&amp;", "&"));
  }
  for (const [name, value] of Object.entries(own)) body.set(name, value);
  return fetch(address + page, {
    method: "POST",
    redirect: "manual",
    headers: { cookie, origin: address, ...headers },
    body,
  });
}

/** The Cookie header after an answer. */
function readCookie(answer: Response): string {
  return answer.headers
    .getSetCookie()
    .map((one) => one.split(";", 1)[0])
    .join("; ");
}

const heading = async (address: string, page: string, cookie: string) =>
  /<h1>(.*?)<\/h1>/.exec(await (await fetch(address + page, { headers: { cookie } })).text())?.[1];

test("a Server Action signs in and redirects: the cookie goes out with the redirection", async () => {
  const address = await start();
  const answer = await submit(address, "/join", "Sign in and go");
  expect([answer.status, answer.headers.get("location")]).toEqual([303, "/"]);
  const cookie = readCookie(answer);
  expect(cookie).toMatch(/^session=[\w-]{34}$/);
  expect(answer.headers.getSetCookie()[0]).toMatch(
    /; HttpOnly; SameSite=lax$|; HttpOnly;.*SameSite=lax/i,
  );
  expect(await heading(address, "/", cookie)).toBe("Your devices");

  const out = await submit(address, "/join", "Sign out", cookie);
  expect([out.status, out.headers.get("location")]).toEqual([303, "/join"]);
  expect(out.headers.getSetCookie()[0]).toMatch(/^session=;/);
  expect(await heading(address, "/join", cookie)).toBe("Sign in by an action");
});

test("a Server Action signs in and stays: the same answer shows who is signed in", async () => {
  const address = await start();
  const answer = await submit(address, "/join", "Sign in and stay");
  expect(answer.status).toBe(200);
  const html = await answer.text();
  expect(html).toContain("You are signed in.");
  expect(html).toContain("<h1>Signed in</h1>");
  expect(await heading(address, "/join", readCookie(answer))).toBe("Signed in");
});

test("a Server Action with a wrong password, or from another origin, signs nobody in", async () => {
  const address = await start();
  const wrong = await submit(address, "/join", "Sign in and stay", "", { password: "a guess" });
  expect(await wrong.text()).toContain("is wrong");
  const evil = { origin: "https://evil.example" };
  const foreign = await submit(address, "/join", "Sign in and go", "", {}, evil);
  expect(foreign.status).toBeGreaterThanOrEqual(400);
  for (const answer of [wrong, foreign]) expect(answer.headers.getSetCookie()).toEqual([]);
});

test("a Server Action takes the password that a route handler has changed, and no longer the old one", async () => {
  const address = await start();
  const browser = new Browser(address, "Safari");
  const [old, changed] = ["correct horse", "battery staple"];
  await browser.open("/sign-in");
  await browser.open("/sign-in", { name: "ada", password: old });
  await browser.open("/password");
  expect(await browser.open("/password", { password: old, new_password: "" })).toMatch(/^422/);
  const form = { password: old, new_password: changed };
  expect(await browser.open("/password", form)).toBe("200 Your devices");
  const signIn = async (password: string) =>
    (await submit(address, "/join", "Sign in and stay", "", { password })).text();
  expect(await signIn(old)).toContain("is wrong");
  expect(await signIn(changed)).toContain("You are signed in.");
});

test("sends Secure cookies behind a proxy that ends TLS", async () => {
  const address = await start();
  const cookies = async (headers: Record<string, string>) =>
    (await fetch(`${address}/sign-in`, { headers })).headers.getSetCookie().join();
  expect(await cookies({})).toMatch(/^session-csrf-(?!.*Secure)/);
  const secure = await cookies({ "x-forwarded-proto": "https" });
  expect(secure).toMatch(/^__Host-session-csrf-.*Secure/);
  const forwarded = { "x-forwarded-proto": "https" };
  const action = await submit(address, "/join", "Sign in and go", "", {}, forwarded);
  expect(action.headers.getSetCookie()[0]).toMatch(/^__Host-session=.*Secure/);
});
