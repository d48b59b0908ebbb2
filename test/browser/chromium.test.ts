import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { launchBrowser } from "../support/programs/chromium.ts";

test("the browser opens a page of this machine, and two contexts share no cookie", async () => {
  const server = createServer((request, response) => {
    response.setHeader("Set-Cookie", "seen=yes; HttpOnly");
    response.end(`<title>${request.headers.cookie ?? "no cookie"}</title><h1>Hello</h1>`);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const browser = await launchBrowser();
  try {
    const [one, two] = [await browser.newContext(), await browser.newContext()];
    const page = await one.newPage();
    await page.goto(url);
    expect(await page.textContent("h1")).toBe("Hello");
    await page.goto(url);
    expect(await page.title()).toBe("seen=yes");
    const other = await two.newPage();
    await other.goto(url);
    expect(await other.title()).toBe("no cookie");
    // Letters need a font: without one every line is equally wide.
    const widths = await page.evaluate(
      `["iiii", "MMMM"].map((text) => {
        const span = document.body.appendChild(document.createElement("span"));
        span.textContent = text;
        return span.getBoundingClientRect().width;
      })`,
    );
    expect(widths).toEqual([expect.any(Number), expect.any(Number)]);
    const [narrow = 0, wide = 0] = widths as number[];
    expect(narrow).toBeGreaterThan(0);
    expect(wide).toBeGreaterThan(narrow);
  } finally {
    await browser.close();
    server.closeAllConnections();
    server.close();
  }
});
