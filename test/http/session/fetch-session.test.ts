/* The session of a Request, where no server is needed: `commit`, and what the guard goes by. */
import { getRequestListener } from "@hono/node-server";
import { csrfGuard, fetchSessions } from "session-sets/fetch";
import { describe, expect, onTestFinished, test } from "vitest";
import { shopSessions } from "../../support/http/apps/ad-hoc.ts";

const sessions = shopSessions();
const fetchSession = fetchSessions(sessions);

/** The session of a new Request, which has a cookie to send. */
async function started() {
  const session = fetchSession(new Request("https://shop.example/"));
  await session.set({ theme: "dark" });
  return session;
}

describe("commit", () => {
  test("gives back the response itself where there is nothing to send", async () => {
    const session = fetchSession(new Request("https://shop.example/"));
    session.id;
    const response = Response.redirect("https://shop.example/", 302);
    expect(session.commit(response)).toBe(response);
    expect(response.headers.get("cache-control")).toBeNull();
  });

  test("writes to the response itself where its headers can be changed", async () => {
    class PageResponse extends Response {}
    const response = new PageResponse("page", { status: 201, headers: { "set-cookie": "own=1" } });
    const session = await started();
    expect(session.commit(response)).toBe(response);
    expect(response.headers.getSetCookie()).toEqual([
      "own=1",
      expect.stringMatching(/^__Host-session=.*; Secure/),
    ]);
    expect(response.headers.get("cache-control")).toBe("no-store");
    expect([response.status, await response.text()]).toEqual([201, "page"]);
  });

  test("makes a copy where they cannot: of a redirection, and of a fetched response", async () => {
    const redirection = (await started()).commit(Response.redirect("https://shop.example/a", 303));
    expect([redirection.status, redirection.headers.get("location")]).toEqual([
      303,
      "https://shop.example/a",
    ]);
    expect(redirection.headers.getSetCookie()).toHaveLength(1);
    const fetched = (await started()).commit(await fetch("data:text/plain,far"));
    expect([await fetched.text(), fetched.headers.getSetCookie().length]).toEqual(["far", 1]);
  });

  test("is ERR_COOKIE for a response that can be neither changed nor copied", async () => {
    const session = await started();
    expect(() => session.commit(Response.error())).toThrow(
      expect.objectContaining({ code: "ERR_COOKIE", cookie: "__Host-session" }),
    );
  });

  test("is so, too, where a server has put a Response of its own in place of the platform's", async () => {
    const { Request, Response } = globalThis;
    onTestFinished(() => {
      for (const [name, value] of Object.entries({ Request, Response })) {
        Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
      }
    });
    getRequestListener(() => new globalThis.Response());
    expect(new globalThis.Response(null, { status: 0 }).status).toBe(200); // it refuses nothing
    const session = await started();
    expect(() => session.commit(Response.error())).toThrow(
      expect.objectContaining({ code: "ERR_COOKIE" }),
    );
    const redirection = (await started()).commit(Response.redirect("https://shop.example/a", 303));
    expect([redirection.status, redirection.headers.getSetCookie().length]).toEqual([303, 1]);
  });

  test("leaves such a response as it is where only caches would be told something", async () => {
    const session = fetchSession(new Request("https://shop.example/"));
    expect(await session.get()).toEqual({});
    const response = Response.error();
    expect(session.commit(response)).toBe(response);
  });

  test("leaves the body a stream, which may read the session but set no cookie", async () => {
    const session = await started();
    const body = new ReadableStream(
      {
        async pull(controller) {
          const late = await session.rotate().catch(({ code }) => code);
          const { theme } = await session.get();
          controller.enqueue(new TextEncoder().encode(`${theme} ${late}`));
          controller.close();
        },
      },
      { highWaterMark: 0 },
    );
    const response = session.commit(new Response(body));
    expect(response.body).toBe(body);
    expect(await response.text()).toBe("dark ERR_COOKIE");
  });

  test("may be called for another response, as by what answers an error", async () => {
    const session = await started();
    const first = new Response("lost");
    session.commit(first);
    session.commit(first);
    expect(first.headers.getSetCookie()).toHaveLength(1);
    const second = session.commit(new Response("sorry", { status: 500 }));
    expect(second.headers.getSetCookie()).toEqual(first.headers.getSetCookie());
  });

  test("forbids to store a response with a token, whatever that says", async () => {
    const headers = { "cache-control": "public" };
    const response = (await started()).commit(new Response("", { headers }));
    expect(response.headers.get("cache-control")).toBe("no-store");
  });
});

describe("fetchSession", () => {
  test("is the same session each time, and another for another Request", async () => {
    const request = new Request("https://shop.example/");
    expect(fetchSession(request)).toBe(fetchSession(request));
    expect(fetchSession(request)).not.toBe(fetchSession(request.clone()));
  });

  test("takes anything that has a URL, a method and headers", async () => {
    const { token } = await sessions.create({ theme: "dark" });
    const headers = new Headers({ cookie: `__Host-session=${token}` });
    const session = fetchSession({ url: "https://shop.example/", method: "GET", headers });
    expect(await session.get()).toEqual({ theme: "dark" });
  });
});

describe("the guard", () => {
  const guard = csrfGuard();
  const post = (url: string, headers: Record<string, string>) =>
    new Request(url, { method: "POST", headers });

  test("lets no request pass that has a session by a cookie, too", async () => {
    const byBearer = fetchSessions(sessions, { carriers: ["bearer"] });
    const { token } = await sessions.create({});
    const headers = { origin: "https://evil.example", authorization: `Bearer ${token}` };
    const request = post("https://shop.example/", headers);
    byBearer(request);
    guard(request);
    fetchSession(request);
    expect(() => guard(request)).toThrow(expect.objectContaining({ code: "ERR_CSRF" }));
  });

  test("goes by the Host header, or else by the host of the URL", () => {
    const origin = "https://shop.example";
    guard(post("http://localhost:3000/", { host: "shop.example", origin }));
    guard(post("https://shop.example/", { origin }));
    for (const request of [
      post("http://localhost:3000/", { origin }),
      post("https://shop.example/", { host: "localhost:3000", origin }),
    ]) {
      expect(() => guard(request)).toThrow(expect.objectContaining({ code: "ERR_CSRF" }));
    }
  });
});

test("load takes no list of fields, and a sign-in needs values", async () => {
  const session = fetchSession(new Request("https://shop.example/"));
  await expect(session.load(["theme"] as never)).rejects.toMatchObject({
    code: "ERR_SESSION_CONFIG",
    message: expect.stringMatching(/call get with a list/),
  });
  await expect(session.signIn(undefined as never)).rejects.toMatchObject({
    code: "ERR_SESSION_CONFIG",
  });
});
