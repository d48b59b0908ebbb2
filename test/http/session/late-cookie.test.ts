/* A call that was not awaited: the headers go out while it is under way. */
import express from "express";
import { createSessions, type SessionStore } from "session-sets";
import { expressSessions } from "session-sets/express";
import type { RequestSession } from "session-sets/node";
import { describe, expect, test } from "vitest";
import { request, serve, shopSessions } from "../../support/http/apps/ad-hoc.ts";
import { openMemory } from "../../support/stores/stores.ts";

interface Data {
  user_id?: number;
  theme?: string;
}

test("a sign-in that is not awaited is ERR_COOKIE, and leaves no session", async () => {
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
  await expect(signingIn).rejects.toMatchObject({
    code: "ERR_COOKIE",
    cookie: "session",
    hint: expect.stringMatching(/headers of the response.*session has been ended.*Await the call$/),
  });
  expect(await sessions.get(token)).toBeNull();
  expect(await sessions.by("user_id", 1).size()).toBe(0);
});

/** A store that calls back once it has made or changed a session, and before its caller learns of it. */
function createTellingStore(told: () => void, { ends = true } = {}): SessionStore {
  const { store } = openMemory();
  return new Proxy(store, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== "function") return value;
      return (...args: unknown[]) => {
        if (name === "end" && !ends) return Promise.reject(new Error("the server is down"));
        const answer: unknown = Reflect.apply(value, target, args);
        if (!["create", "signIn", "change"].includes(String(name))) return answer;
        return Promise.resolve(answer).then((one) => {
          told();
          return one;
        });
      };
    },
  });
}

describe("when the headers go out while a session gets its token, nothing is left of it:", () => {
  type Call = (session: RequestSession<Data>) => Promise<unknown>;
  const calls: [string, before: Data, Call][] = [
    ["signIn", {}, (session) => session.signIn({ user_id: 1 })],
    ["signIn of the same user", { user_id: 1 }, (session) => session.signIn({ user_id: 1 })],
    ["set of the user", {}, (session) => session.set({ user_id: 1 })],
    ["unset of the user", { user_id: 1 }, (session) => session.unset(["user_id"])],
    ["rotate", { user_id: 1 }, (session) => session.rotate()],
    ["rotate of the same user", { user_id: 1 }, (session) => session.rotate({ user_id: 1 })],
    ["changeCredentials", { user_id: 1 }, (session) => session.changeCredentials("user_id")],
    [
      "delete that keeps a field",
      { theme: "dark" },
      (session) => session.delete({ keep: ["theme"] }),
    ],
  ];

  async function run(before: Data | null, call: Call, options?: { readonly ends: boolean }) {
    let respond = () => {};
    const store = createTellingStore(() => respond(), options);
    const sessions = createSessions({
      data: {} as Data,
      store,
      references: { user_id: {}, theme: { identity: false } },
    });
    const shop = expressSessions(sessions);
    const app = express();
    let calling: Promise<unknown> = Promise.resolve();
    app.post("/", (req, res) => {
      respond = () => res.end();
      calling = call(shop.of(req));
      calling.catch(() => res.end()); // and the test awaits it below
    });
    const port = await serve(app);
    const token = before && (await sessions.create({ theme: "light", ...before })).token;
    const other = await sessions.create({ user_id: 1, theme: "other" });
    const headers = { cookie: `session=${token ?? ""}` };
    const { cookies } = await request(port, "/", { method: "POST", headers });
    const error = await calling.catch((thrown: unknown) => thrown);
    const size = async (theme: string) => sessions.by("theme", theme).size();
    const left = (await size("light")) + (await size("dark"));
    const users = (await sessions.by("user_id", 1).list()).map(({ lineage }) => lineage);
    return { cookies, error, left, users, other: other.session.lineage, store, token, sessions };
  }

  test.each(calls)("%s", async (name, before, call) => {
    const { cookies, error, left, users, other, token, sessions } = await run(before, call);
    expect(cookies).toEqual([]);
    expect(error).toMatchObject({
      code: "ERR_COOKIE",
      hint: expect.stringContaining("The session has been ended"),
    });
    expect(await sessions.get(token)).toBeNull();
    expect(left).toBe(0);
    // A change of password ends the thief's session all the same.
    expect(users).toEqual(name === "changeCredentials" ? [] : [other]);
  });

  test("but where that fails, too, the error says so", async () => {
    const signIn: Call = (session) => session.signIn({ user_id: 1 });
    const { error } = await run(null, signIn, { ends: false });
    expect(error).toMatchObject({
      code: "ERR_COOKIE",
      hint: expect.stringContaining("ending the session failed, too: it stays until its deadline"),
    });
  });

  test("a first set", async () => {
    const { error, left } = await run(null, (session) => session.set({ theme: "dark" }));
    expect(error).toMatchObject({ code: "ERR_COOKIE" });
    expect(left).toBe(0);
  });
});
