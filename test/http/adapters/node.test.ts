/* The session of a request of node:http, over real sockets. */
import { once } from "node:events";
import { connect, createServer as createServer2 } from "node:http2";
import { createServer as createSecureServer, request as httpsRequest } from "node:https";
import type { AddressInfo } from "node:net";
import { csrfGuard, nodeSessions } from "session-sets/node";
import { describe, expect, onTestFinished, test } from "vitest";
import { describeAdapter } from "../../support/http/adapter.ts";
import { request, serve, shopSessions } from "../../support/http/apps/ad-hoc.ts";
import { nodeAdapter } from "../../support/http/apps/node.ts";
import { CERTIFICATE } from "../../support/http/certificate.ts";

describeAdapter(nodeAdapter);

const sessions = shopSessions();
const sessionOf = nodeSessions(sessions);

describe("the cookie of a session", () => {
  test.each([
    ["an object", { "Set-Cookie": "own=1", "X-Own": "1" }],
    ["a list in an object", { "set-cookie": ["own=1"], "x-own": "1" }],
    ["a list", ["Set-Cookie", "own=1", "X-Own", "1"]],
    [
      "pairs",
      [
        ["Set-Cookie", "own=1"],
        ["X-Own", "1"],
      ] as unknown as string[],
    ],
  ])("is sent beside what the head brings in %s", async (_, headers) => {
    for (const reason of [[], ["Fine"]]) {
      const port = await serve(async (req, res) => {
        res.setHeader("Set-Cookie", "replaced=1"); // as Node does with headers of the head
        await sessionOf(req, res).set({ theme: "dark" });
        Reflect.apply(res.writeHead, res, [200, ...reason, headers]);
        res.end();
      });
      const answer = await request(port);
      const names = answer.cookies.map((cookie) => cookie.split("=")[0]);
      expect([names, answer.headers["x-own"]]).toEqual([["own", "session"], "1"]);
      expect(answer.headers["cache-control"]).toBe("no-store");
    }
  });

  test("leaves a response alone that sets none", async () => {
    const port = await serve(async (req, res) => {
      await sessionOf(req, res).get();
      res.writeHead(200, { "Set-Cookie": ["a=1", "b=2"] }).end();
    });
    const { cookies, headers } = await request(port);
    expect([cookies, headers["cache-control"]]).toEqual([["a=1", "b=2"], undefined]);
  });

  test("is Secure over TLS", async () => {
    const server = createSecureServer(CERTIFICATE, async (req, res) => {
      await sessionOf(req, res).set({ theme: "dark" });
      res.end();
    }).listen(0, "127.0.0.1");
    onTestFinished(() => void server.close());
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const sent = httpsRequest({ port, host: "127.0.0.1", rejectUnauthorized: false, agent: false });
    sent.end();
    const [response] = await once(sent, "response");
    response.resume();
    expect(response.headers["set-cookie"]).toEqual([expect.stringContaining("; Secure")]);
  });

  test("is sent over HTTP/2, through Node's compatible API, whose requests the guard knows", async () => {
    const guard = csrfGuard();
    const server = createServer2(async (req, res) => {
      guard(req as never);
      const session = sessionOf(req as never, res as never);
      await session.set({ theme: "dark" });
      res.end();
    }).listen(0, "127.0.0.1");
    onTestFinished(() => void server.close());
    await once(server, "listening");
    const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const client = connect(origin);
    onTestFinished(() => client.destroy());
    const stream = client.request({ ":path": "/", ":method": "POST", origin });
    const [headers] = await once(stream, "response");
    expect(headers["set-cookie"]).toHaveLength(1);
    expect(headers["cache-control"]).toBe("no-store");
    stream.close();
  });
});

describe("trustProxy", () => {
  const proxied = nodeSessions(sessions, { trustProxy: true });
  test.each([
    ["https", true],
    ["HTTPS", true],
    ["https, http", true],
    ["http, https", false],
    ["", false],
    ["wss", false],
  ])("goes by the first of what proxies say: %j", async (scheme, secure) => {
    const port = await serve(async (req, res) => {
      await proxied(req, res).set({ theme: "dark" });
      res.end();
    });
    const { cookies } = await request(port, "/", { headers: { "x-forwarded-proto": scheme } });
    expect(cookies[0]?.includes("; Secure")).toBe(secure);
  });
});
