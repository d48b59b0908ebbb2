/* What `onEnd`, `endings` and the options of a cause refuse. */

import { createSessions, type SessionStore } from "session-sets";
import { describe, expect, test } from "vitest";
import { open } from "../../../support/endings/steps.ts";

describe("what cannot work is refused:", () => {
  test("a store that tells nothing", async () => {
    const { subscribe: _, ...rest } = { subscribe: null, shards: 1, endAll: async () => 0 };
    const sessions = createSessions({ store: rest as unknown as SessionStore });
    const error = {
      code: "ERR_SESSION_CONFIG",
      option: "store",
      hint: expect.stringMatching(/redisStore\(client\) and memoryStore\(\)/),
    };
    const id = "AAxxxxxxxxxxxxxxxxxxxxxx";
    await expect(sessions.onEnd(id, () => {})).rejects.toMatchObject(error);
    expect(() => sessions.endings()).toThrowError(expect.objectContaining(error));
  });

  test("a token, and anything else that is no id", async () => {
    const { sessions } = open();
    const { token } = await sessions.create({});
    for (const name of [token, "", "x", null, undefined, 7, {}]) {
      const error = await sessions.onEnd(name as string, () => {}).catch((one: unknown) => one);
      expect(error).toMatchObject({ code: "ERR_SESSION_CONFIG" });
      expect(String((error as Error).stack)).not.toContain(token);
    }
  });

  test("a callback that is no function", async () => {
    const { sessions } = open();
    const { session } = await sessions.create({});
    for (const callback of [undefined, null, "x", {}]) {
      await expect(sessions.onEnd(session.id, callback as never)).rejects.toMatchObject({
        code: "ERR_SESSION_CONFIG",
      });
    }
  });

  test("an unknown initiator, and a reason that is too long or no text", async () => {
    const { sessions, calls } = open();
    const { token, session } = await sessions.create({ user_id: 1 });
    const wrong = [
      ["initiator", "nobody"],
      ["initiator", ""],
      ["initiator", 7],
      ["initiator", null],
      ["reason", "x".repeat(201)],
      ["reason", "\ud800"],
      ["reason", 7],
      ["reason", null],
    ] as const;
    for (const [option, value] of wrong) {
      const options = { [option]: value } as never;
      const refused = [
        sessions.delete(token, options),
        sessions.byId(session.id).delete(options),
        sessions.by("user_id", 1).delete(session.id, options),
        sessions.by("user_id", 1).clear(options),
        sessions.by("user_id", 1).trim({ keep: 1, ...(options as object) }),
        sessions.signIn(token, { user_id: 1 }, options),
        sessions.signIn(null, { user_id: 1 }, options),
        sessions.rotate(token, {}, options),
      ];
      for (const one of refused) {
        await expect(one).rejects.toMatchObject({ code: "ERR_SESSION_CONFIG", option });
      }
    }
    expect(calls).toEqual({ create: 1 });
  });
});
