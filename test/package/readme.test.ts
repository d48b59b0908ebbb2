/* The first app of README.md, saved and started as a reader does, and used by two browsers. */
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { listBlocks } from "../support/docs/pages.ts";
import { CookieJar } from "../support/http/cookie-jar.ts";
import { startExample } from "../support/programs/example-app.ts";
import { redisUrl } from "../support/redis/shared.ts";
import { ROOT, read } from "../support/sources.ts";

const [APP = ""] = listBlocks(read("README.md"), "js");

async function findFreePort(): Promise<string> {
  const server = createServer().listen(0);
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return String(port);
}

/** A browser, which answers with the text of the page that it ends up on. */
function openBrowser(address: string) {
  const jar = new CookieJar();
  return async function open(path: string, method = "GET"): Promise<string> {
    const headers = { cookie: jar.header ?? "" };
    const response = await fetch(address + path, { method, headers, redirect: "manual" });
    jar.take(response.headers.getSetCookie());
    const location = response.headers.get("location");
    if (location) return open(location);
    expect(response.status).toBe(200);
    return (await response.text()).replace(/(?:\s*<[^>]*>\s*)+/g, " ").trim();
  };
}

test("the README's first app signs a user out everywhere", async () => {
  mkdirSync(`${ROOT}.cache`, { recursive: true });
  const folder = mkdtempSync(`${ROOT}.cache/readme-`);
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(`${folder}/app.mjs`, APP);
  const address = await startExample([`${folder}/app.mjs`], {
    env: { REDIS_URL: redisUrl(), PORT: await findFreePort() },
  });
  const [phone, desk] = [openBrowser(address), openBrowser(address)];
  expect(await phone("/")).toBe("Signed in on 0 devices. Sign in");
  expect(await phone("/sign-in", "POST")).toBe("Signed in on 1 devices. Sign out everywhere");
  expect(await desk("/sign-in", "POST")).toBe("Signed in on 2 devices. Sign out everywhere");
  expect(await phone("/")).toBe("Signed in on 2 devices. Sign out everywhere");
  expect(await phone("/sign-out", "POST")).toBe("Signed in on 0 devices. Sign in");
  // The page that the other one still shows has the button.
  expect(await desk("/sign-out", "POST")).toBe("Signed in on 0 devices. Sign in");
});
