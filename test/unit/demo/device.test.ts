/* The demo's name of a browser, whatever its User-Agent header is: short, and never an error. */
import { describe, expect, test } from "vitest";
import { describeDevice } from "../../../demo/device.ts";
import { ANDROID, EDGE, FIREFOX, IPHONE } from "../../support/http/user-agents.ts";

test.each([
  [FIREFOX, "Firefox on Linux", "desktop"],
  [EDGE, "Microsoft Edge on Windows", "desktop"],
  [IPHONE, "Safari on iPhone", "phone"],
  [ANDROID, "Chrome on Android", "phone"],
])("%s is named by its browser and its system", (userAgent, device, kind) => {
  expect(describeDevice(userAgent)).toEqual({ device, kind });
});

test.each(["", " ", "unknown", "/", "()", "Mozilla/5.0"])("%j has a name, too", (userAgent) => {
  const { device, kind } = describeDevice(userAgent);
  expect(device).not.toBe("");
  expect(kind).toBe("desktop");
});

describe("has a name of at most 64 bytes, and of whole characters:", () => {
  const long = "x".repeat(10_240);
  test.each([
    ["10 kB of one letter", long],
    ["a name of 10 kB", `${long}/1.0 `],
    ["a name of 400 letters", `${"x".repeat(400)}/1.0 `],
    ["a name of letters that take two bytes", `${"é".repeat(400)}/1.0 (Linux) `],
    ["such a name behind one that takes one", `a${"é".repeat(400)}/1.0 (Linux) `],
    ["a name of characters that take four", `${"😀".repeat(200)}/1.0 (Linux) `],
    ["such a name behind a letter", `a${"😀".repeat(200)}/1.0 (Linux) `],
    ["a system of 10 kB", `Mozilla/5.0 (${long}; ${long}) Firefox/145.0`],
    ["10 kB behind a known one", FIREFOX + long],
    ["10 kB of parentheses", "(".repeat(10_240)],
    ["10 kB of slashes", "a/".repeat(5120)],
    ["10 kB of spaces", " ".repeat(10_240)],
    ["tags", `<script>${"<b>".repeat(100)}</script>/1.0 `],
    ["control characters", `${"\u0001\u0085".repeat(100)}/1.0 `],
  ])("%s", (_, userAgent) => {
    const { device, kind } = describeDevice(userAgent);
    expect(device).not.toBe("");
    expect(Buffer.byteLength(device), device).toBeLessThanOrEqual(64);
    expect(device.isWellFormed(), device).toBe(true);
    expect(["desktop", "phone"]).toContain(kind);
  });
});
