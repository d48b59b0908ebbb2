/* What a failure to subscribe says about the setup, by the words of the servers. */
import { expect, test } from "vitest";
import { createConfigError } from "../../../../../src/shared/errors.ts";
import { findRefusal } from "../../../../../src/store/redis/feed/refusals.ts";

const CHANNELS = "{shop:*}:*";

test.each([
  "ERR unknown command 'SSUBSCRIBE', with args beginning with: '{shop:0}:f'", // Redis 6.2
  "ERR unknown command `SSUBSCRIBE`, with args beginning with: `{shop:0}:f`", // Redis 5 and 6.0
  "ERR Unknown Redis command called from script script: 4a2, on @user_script:1.", // SPUBLISH there
])("a server without sharded channels is named as such: %s", (message) => {
  for (const error of [new Error(message), new Error("failed", { cause: new Error(message) })]) {
    expect(findRefusal(error, CHANNELS)).toMatchObject({
      code: "ERR_SESSION_CONFIG",
      option: "client",
      message: expect.stringMatching(/Redis 7\.0 or Valkey 7\.2/),
    });
  }
});

test("a user without the rights is told them", () => {
  const error = new Error("NOPERM this user has no permissions to run the 'ssubscribe' command");
  expect(findRefusal(error, CHANNELS)).toMatchObject({
    code: "ERR_SESSION_CONFIG",
    message: expect.stringContaining(`&${CHANNELS} +ssubscribe +sunsubscribe +spublish`),
  });
});

test("what is refused already stays as it is, and any other failure may pass", () => {
  const refused = createConfigError("no", { option: "client" });
  expect(findRefusal(refused, CHANNELS)).toBe(refused);
  for (const error of [new Error("Connection is closed."), undefined, "no"]) {
    expect(findRefusal(error, CHANNELS)).toBeNull();
  }
});
