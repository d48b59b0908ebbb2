/* What node:http does with a head that is written, or given, in an unusual way, it does under a session. */
import type { IncomingMessage } from "node:http";
import { nodeSessions } from "session-sets/node";
import { expect, test } from "vitest";
import { readHeader } from "../../../src/http/exchange/node-exchange.ts";
import { request, serve, shopSessions } from "../../support/http/apps/ad-hoc.ts";

test("a head that is written twice is an error of Node's, and the first one is sent whole", async () => {
  const session = nodeSessions(shopSessions());
  let error: unknown;
  const port = await serve(async (req, res) => {
    await session(req, res).set({ theme: "dark" });
    res.writeHead(201, { "x-own": "1" });
    try {
      res.writeHead(500);
    } catch (thrown) {
      error = thrown;
    }
    res.end();
  });
  const { cookies } = await request(port);
  expect(error).toMatchObject({ code: "ERR_HTTP_HEADERS_SENT" });
  expect(cookies).toEqual([expect.stringMatching(/^session=/)]);
});

test("of a header that is a list the first one counts, and of one that is no text none", () => {
  const headers = { "x-token": ["a", "b"], "x-count": 5, "x-none": [] };
  const req = { headers } as unknown as IncomingMessage;
  expect(readHeader(req, "x-token")).toBe("a");
  for (const name of ["x-count", "x-none", "constructor"]) {
    expect(readHeader(req, name)).toBeUndefined();
  }
});
