/* What the exchange of a Request puts on its response, and when it warns that none came. */
import { expect, test, vi } from "vitest";
import type { SetCookieInParts } from "../../../../src/http/exchange/exchange.ts";
import { FetchExchange } from "../../../../src/http/exchange/fetch-exchange.ts";
import { fakeOwnTimers } from "../../../support/own-timers.ts";

const MINUTE = 60_000;
const cookie: SetCookieInParts = {
  name: "session",
  value: "a",
  header: "session=a",
  attributes: { httpOnly: true, secure: true, sameSite: "lax", path: "/" },
};
const open = () => new FetchExchange(new Request("https://shop.example/"), false);

test("another header alone changes no header for caches", () => {
  const exchange = open();
  exchange.sendHeader("Clear-Site-Data", '"cache"');
  const { headers } = exchange.commit(new Response());
  expect([...headers]).toEqual([["clear-site-data", '"cache"']]);
});

test("a cookie replaces those of its name, and one without a value too", () => {
  const exchange = open();
  exchange.sendCookie("session", cookie);
  const answer = new Response();
  for (const own of ["session=old; Path=/", " session =older", "session", "sessions=1", "flag"]) {
    answer.headers.append("set-cookie", own);
  }
  expect(exchange.commit(answer).headers.getSetCookie()).toEqual([
    "sessions=1",
    "flag",
    "session=a",
  ]);
});

test("nobody is warned of a cookie that was taken back", async () => {
  fakeOwnTimers();
  const warning = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
  const exchange = open();
  exchange.sendCookie("session", cookie);
  exchange.sendCookie("session", null);
  await vi.advanceTimersByTimeAsync(2 * MINUTE);
  expect(warning).not.toHaveBeenCalled();
  warning.mockRestore();
});
