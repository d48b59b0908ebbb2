/* Limits of the references of SessionSetsStore, which hold at each save. */
import express from "express";
import session from "express-session";
import { Redis } from "ioredis";
import { type SessionData, SessionSetsStore } from "session-sets/compat/express-session";
import { memoryStore } from "session-sets/memory";
import { redisStore } from "session-sets/redis";
import { afterAll, describe, expect, onTestFinished, test } from "vitest";
import { redisUrl } from "../../support/redis/shared.ts";
import { freshPrefix } from "../../support/stores/stores.ts";

const client = new Redis(redisUrl());
afterAll(() => client.quit());

const cookie = { originalMaxAge: 3_600_000, path: "/" };
const STORES = {
  "in memory": () => memoryStore(),
  "on one shard": () => redisStore(client, { prefix: freshPrefix(), timeout: "20 seconds" }),
  "on four shards": () =>
    redisStore(client, { prefix: freshPrefix(), timeout: "20 seconds", shards: 4 }),
};
const later = () => new Promise((resolve) => setTimeout(resolve, 2));

describe.each(Object.entries(STORES))("%s", (_, createStore) => {
  const open = (whenFull: "reject" | "end-oldest") =>
    new SessionSetsStore({
      store: createStore(),
      references: {
        user_id: { limit: 2, whenFull },
        account: { from: (s: SessionData) => s.passport?.user, limit: 1, whenFull },
      },
    });

  test("a save into a full set ends the session that was made first", async () => {
    const store = open("end-oldest");
    for (const sid of ["a", "b", "c"]) {
      await store.set(sid, { cookie, user_id: 1 });
      await later();
    }
    expect(await store.get("a")).toBeNull();
    const made = await store.by("user_id", 1).ids();
    expect(made.sort()).toEqual([store.idOf("b"), store.idOf("c")].sort());
    await store.set("b", { cookie, user_id: 1, theme: "dark" }); // it is in the set already
    expect(await store.by("user_id", 1).size()).toBe(2);
  });

  test("a full set that rejects gives the error to the callback of the save, which writes nothing", async () => {
    const store = open("reject");
    await store.set("a", { cookie, passport: { user: 7 } });
    await store.set("b", { cookie, theme: "dark" });
    const error = await new Promise((resolve) => {
      store.set("b", { cookie, theme: "light", passport: { user: 7 } }, resolve);
    });
    expect(error).toMatchObject({ code: "ERR_SESSION_LIMIT", field: "account", limit: 1 });
    expect(await store.get("b")).toMatchObject({ theme: "dark" });
    expect(await store.by("account", 7).ids()).toEqual([store.idOf("a")]);
    await store.destroy("a");
    await store.set("b", { cookie, passport: { user: 7 } });
    expect(await store.by("account", 7).ids()).toEqual([store.idOf("b")]);
  });

  test("its sets have trim", async () => {
    const store = new SessionSetsStore({ store: createStore(), references: { user_id: {} } });
    for (const sid of ["a", "b", "c"]) {
      await store.set(sid, { cookie, user_id: 1 });
      await later();
    }
    expect(await store.by("user_id", 1).trim({ keep: 1 })).toBe(2);
    expect(await store.by("user_id", 1).ids()).toEqual([store.idOf("c")]);
  });
});

test("the middleware answers 409 where a set rejects", async () => {
  const store = new SessionSetsStore({
    store: memoryStore(),
    references: { user_id: { limit: 1, whenFull: "reject" } },
  });
  const app = express();
  app.use(session({ secret: "s", store, resave: false, saveUninitialized: false }));
  app.get("/login", (req, res, next) => {
    Object.assign(req.session, { user_id: 1 });
    req.session.save((error) => (error ? next(error) : res.send("in")));
  });
  const server = app.listen(0);
  onTestFinished(() => void server.close());
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as { port: number };
  const login = async () => (await fetch(`http://127.0.0.1:${port}/login`)).status;
  expect([await login(), await login()]).toEqual([200, 409]);
});

test.each([{ limit: 5 }, { limit: 0, whenFull: "reject" }, { whenFull: "reject" }])(
  "%j is refused",
  (declared) => {
    const references = { user_id: declared as object };
    expect(() => new SessionSetsStore({ store: memoryStore(), references })).toThrow(
      expect.objectContaining({ code: "ERR_SESSION_CONFIG", field: "user_id" }),
    );
  },
);
