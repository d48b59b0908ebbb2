/* A call that was not awaited: the headers go out while it is under way. */
import express from "express";
import { expressSessions } from "session-sets/express";
import { expect, test } from "vitest";
import { request, serve, shopSessions } from "../../support/http/apps/ad-hoc.ts";

test("a sign-in that is not awaited is ERR_COOKIE, and has ended the session before it", async () => {
  const sessions = shopSessions();
  const shop = expressSessions(sessions);
  const app = express();
  let signingIn: Promise<unknown> = Promise.resolve();
  app.post("/", (req, res) => {
    signingIn = shop.of(req).signIn({ user_id: 1 });
    signingIn.catch(() => {}); // the test awaits it below
    res.end();
  });
  const port = await serve(app);

  const { token } = await sessions.create({ user_id: 1 });
  const headers = { cookie: `session=${token}` };
  const { cookies } = await request(port, "/", { method: "POST", headers });
  expect(cookies).toEqual([]);
  await expect(signingIn).rejects.toMatchObject({ code: "ERR_COOKIE" });
  expect(await sessions.get(token)).toBeNull();
});
