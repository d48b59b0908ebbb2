/* What goes out with the head of a response of node:http. */
import { IncomingMessage, ServerResponse } from "node:http";
import { Socket } from "node:net";
import { expect, test } from "vitest";
import { ResponseHead } from "../../../../src/http/exchange/response-head.ts";

function open() {
  const res = new ServerResponse(new IncomingMessage(new Socket()));
  return { res, head: new ResponseHead(res) };
}

const cookie = (name: string, value: string) => ({ name, header: `${name}=${value}` });

test("a cookie alone changes no header for caches, and replaces those of its name", () => {
  const { res, head } = open();
  head.sendCookie("session", cookie("session", "new"));
  res.writeHead(200, { "set-cookie": ["session=old", "flag"], "x-kept": "1" });
  expect(res.getHeader("set-cookie")).toEqual(["flag", "session=new"]);
  expect([res.getHeader("cache-control"), res.getHeader("vary")]).toEqual([undefined, undefined]);
});

test("headers that a head brings in a list, or in pairs, are merged and sent once", () => {
  for (const headers of [
    ["Vary", "Accept", "Set-Cookie", "own=1"],
    [
      ["vary", "Accept"],
      ["set-cookie", "own=1"],
    ],
  ]) {
    const { res, head } = open();
    head.restrictCaching({ kind: "private", vary: ["Cookie"], yields: true });
    head.sendCookie("session", cookie("session", "new"));
    res.writeHead(200, headers as never);
    expect(res.getHeader("vary")).toBe("Accept, Cookie");
    expect(res.getHeader("set-cookie")).toEqual(["own=1", "session=new"]);
  }
});

test("no response has a function of its own, which V8 would keep for long", () => {
  const { res, head } = open();
  head.restrictCaching({ kind: "private", vary: ["Cookie"], yields: true });
  expect(res.writeHead.name, "the method that is bound").toMatch(/^bound /);
});
