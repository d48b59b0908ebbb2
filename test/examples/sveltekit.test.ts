/* The example for SvelteKit, as global-setup.ts has installed and built it: started and used. */
import { expect, test } from "vitest";
import {
  expectDevices,
  expectEndingOthers,
  startExample,
} from "../support/programs/example-app.ts";
import { redisUrl } from "../support/redis/shared.ts";
import { APPS, findNode } from "./global-setup.ts";

const SHOP = {
  end: "/?/end",
  endOthers: "/?/endOthers",
  signOut: "/?/signOut",
  signOutEverywhere: "/?/signOutEverywhere",
  hasTokens: false,
  // The server takes every request for one over HTTPS, where no proxy says otherwise.
  proxyHeaders: { "x-forwarded-proto": "http" },
};

function start(variables: { readonly [name: string]: string } = {}): Promise<string> {
  const env = { NODE_ENV: "production", PROTOCOL_HEADER: "x-forwarded-proto", ...variables };
  return startExample(["build"], { program: findNode(), cwd: APPS.sveltekit, env });
}

test("signs in, lists and ends devices, changes the password, and signs out everywhere, in memory", async () => {
  const address = await start();
  await expectDevices(address, address, SHOP);
  await expectEndingOthers(address, address, SHOP);
});

test("does so in two processes that share a Redis", async () => {
  const variables = { REDIS_URL: redisUrl() };
  const [one, another] = [await start(variables), await start(variables)];
  await expectDevices(one, another, SHOP);
  await expectEndingOthers(one, another, SHOP);
});

/** What a form of a page sends. */
function post(address: string, path: string, headers: ConstructorParameters<typeof Headers>[0]) {
  const body = new URLSearchParams({ name: "ada", password: "correct horse" });
  return fetch(address + path, { method: "POST", redirect: "manual", headers, body });
}

test("an action's cookie goes out with its redirection, and to a page's scripts with its data", async () => {
  const address = await start();
  const own = { origin: address, ...SHOP.proxyHeaders };
  for (const [accept, status] of [
    ["text/html", 303],
    ["application/json", 200],
  ] as const) {
    const answer = await post(address, "/sign-in", { ...own, accept });
    expect(answer.status).toBe(status);
    expect(answer.headers.getSetCookie()).toEqual([
      expect.stringMatching(/^session=[\w-]{34}; .*HttpOnly; SameSite=Lax$/),
    ]);
    expect(answer.headers.get("cache-control")).toBe("no-store");
  }
});

test("behind a proxy that ends TLS, its cookies are Secure", async () => {
  const address = await start();
  const origin = address.replace("http:", "https:");
  const own = { origin, accept: "text/html" };
  for (const headers of [own, { ...own, "x-forwarded-proto": "https" }]) {
    const answer = await post(address, "/sign-in", headers);
    expect(answer.headers.getSetCookie()).toEqual([
      expect.stringMatching(/^__Host-session=.*; Secure/),
    ]);
  }
});

test("a page of another origin changes nothing, nor does one of another subdomain", async () => {
  const address = await start();
  const own = { origin: address, accept: "text/html", ...SHOP.proxyHeaders };
  const evil = { ...own, origin: "https://evil.example" };
  const subdomain = { ...own, "sec-fetch-site": "same-site" };
  const signedIn = await post(address, "/sign-in", own);
  const cookie = signedIn.headers.getSetCookie()[0]?.split(";")[0] ?? "";
  for (const foreign of [evil, subdomain]) {
    for (const path of ["/sign-in", "/?/signOut", "/?/signOutEverywhere"]) {
      const answer = await post(address, path, { ...foreign, cookie });
      expect([path, answer.status]).toEqual([path, 403]);
      expect(answer.headers.getSetCookie()).toEqual([]);
    }
  }
  const page = await fetch(address, { headers: { ...own, cookie } });
  expect([page.status, page.redirected]).toEqual([200, false]);
  expect(page.headers.get("cache-control")).toBe("private");
});
