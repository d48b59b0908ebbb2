/* The example for React Router, as global-setup.ts has installed and built it: started and used. */
import { expect, test } from "vitest";
import {
  expectDevices,
  expectEndingOthers,
  findFreePort,
  startExample,
} from "../support/programs/example-app.ts";
import { redisUrl } from "../support/redis/shared.ts";
import { APPS, findNode } from "./global-setup.ts";

const FOLDER = APPS["react-router"];
const SERVER = `${FOLDER}/node_modules/@react-router/serve/dist/cli.js`;
const SHOP = { hasTokens: false };

async function start(variables: { readonly [name: string]: string } = {}): Promise<string> {
  // The server would print the port 0, and not the one that it takes instead.
  const env = { NODE_ENV: "production", PORT: await findFreePort(), ...variables };
  return startExample([SERVER, "build/server/index.js"], {
    program: findNode(),
    cwd: FOLDER,
    env,
  });
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

/** What a form of a page sends, with or without scripts. */
function post(address: string, path: string, headers: Record<string, string> = {}) {
  const body = new URLSearchParams({ name: "ada", password: "correct horse" });
  return fetch(address + path, { method: "POST", redirect: "manual", headers, body });
}

test("an action's cookie goes out with its redirection, and to a page's scripts with its data", async () => {
  const address = await start();
  for (const [path, status] of [
    ["/sign-in", 302],
    ["/sign-in.data", 202],
  ] as const) {
    const answer = await post(address, path);
    expect(answer.status).toBe(status);
    expect(answer.headers.getSetCookie()).toEqual([
      expect.stringMatching(/^session=[\w-]{34}; .*HttpOnly; SameSite=Lax$/),
    ]);
    expect(answer.headers.get("cache-control")).toBe("no-store");
  }
});

test("behind a proxy that ends TLS, React Router refuses its own pages until it is told of their host", async () => {
  const address = await start();
  const origin = address.replace("http:", "https:");
  const answer = await post(address, "/sign-in", { origin, "x-forwarded-proto": "https" });
  expect(answer.status).toBe(400);
});

test("a page of another origin changes nothing: of a page's action, of its data, of a route without a page", async () => {
  const address = await start();
  const signedIn = await post(address, "/sign-in");
  const cookie = signedIn.headers.getSetCookie()[0]?.split(";")[0] ?? "";
  const evil = { cookie, origin: "https://evil.example" };
  // React Router answers the first two by itself.
  for (const [path, status] of [
    ["/sign-in", 400],
    ["/sign-in.data", 400],
    ["/sign-out", 403],
    ["/sign-out-everywhere", 403],
  ] as const) {
    const answer = await post(address, path, evil);
    expect([path, answer.status]).toEqual([path, status]);
    expect(answer.headers.getSetCookie()).toEqual([]);
  }
  const foreign = { cookie, "sec-fetch-site": "same-site" };
  for (const path of ["/sign-in", "/sign-in.data", "/sign-out"]) {
    expect([path, (await post(address, path, foreign)).status]).toEqual([path, 403]);
  }
  const page = await fetch(address, { headers: { cookie } });
  expect([page.status, page.redirected]).toEqual([200, false]);
  expect(page.headers.get("cache-control")).toBe("private");
});
