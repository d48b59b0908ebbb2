/* Programs use the entries under compat/ on keys that hold values which no one should have put there. */
import * as users from "session-sets/compat/redis-user-sessions";
import type { ExpressSessionWorld } from "../surfaces/express-session.ts";
import type { KoaCompatWorld } from "../surfaces/koa-compat.ts";
import type { SpotsWorld } from "../surfaces/spots.ts";
import type { World } from "../surfaces/surfaces.ts";
import type { Step } from "./stored-core.ts";

const reads = "only" as const;

export function createExpressSessionSteps({ store, of }: ExpressSessionWorld): readonly Step[] {
  const sids = ["a sid", "another sid", "an unknown sid", "an ended sid", "an old sid"];
  const sid = (name: string) => String(of(name));
  const sets = [() => store.by("user_id", 1), () => store.by("found", 2)];
  const cookie = { originalMaxAge: 60_000, expires: new Date(Date.now() + 60_000).toISOString() };
  return [
    ...sids
      .slice(0, 2)
      .map((name): Step => ({ name: `get(${name})`, call: () => store.get(sid(name)) })),
    ...sets.flatMap((set): Step[] => [
      { name: "size", reads, call: () => set().size() },
      { name: "has", reads, call: () => set().has(sid("the id")) },
      { name: "ids", reads, call: () => set().ids() },
      { name: "list", reads, call: () => set().list() },
      { name: "all of a set", reads, gives: "steps", call: set },
    ]),
    { name: "all", reads, call: () => store.all() },
    { name: "length", reads, call: () => store.length() },
    ...sids.map((name): Step => ({ name: `get(${name})`, call: () => store.get(sid(name)) })),
    ...sids.flatMap((name): Step[] => [
      {
        name: `get and set(${name})`,
        call: async () => store.set(sid(name), (await store.get(sid(name))) ?? { cookie }),
      },
      { name: `touch(${name})`, call: () => store.touch(sid(name), { cookie }) },
      { name: `set(${name})`, call: () => store.set(sid(name), { cookie, user_id: 1 }) },
    ]),
    ...sets.flatMap((set): Step[] => [
      { name: "set of a set", call: () => set().set({ theme: "y" }) },
      { name: "unset of a set", call: () => set().unset(["theme"]) },
      { name: "delete of a set", call: () => set().delete(sid("the id")) },
    ]),
    { name: "moveSessions", gives: "steps", call: () => store.moveSessions() },
    { name: "destroy", call: () => store.destroy(sid("a sid")) },
    ...sets.map((set): Step => ({ name: "clear of a set", call: () => set().clear() })),
    { name: "clear", call: () => store.clear() },
  ];
}

export function createUserSessionsSteps({ of }: World): readonly Step[] {
  const client = of("a client") as never;
  const expires = new Date(Date.now() + 60_000).toISOString();
  const ids = ["the token", "an old id", "an unknown token"].map((name) => String(of(name)));
  const user = { client, userId: "u1" };
  return [
    ...ids.map(
      (sessionId): Step => ({
        name: "readSession",
        call: () => users.readSession({ client, sessionId }),
      }),
    ),
    { name: "getUserSessions", call: () => users.getUserSessions(user) },
    ...ids.flatMap((sessionId): Step[] => [
      {
        name: "updateSession",
        call: () => users.updateSession({ client, sessionId, data: { theme: "x", expires } }),
      },
      {
        name: "createSession",
        call: () => users.createSession({ client, sessionId, data: { userId: "u1", expires } }),
      },
      { name: "deleteSession", call: () => users.deleteSession({ client, sessionId }) },
    ]),
    {
      name: "updateUserSessions",
      call: () => users.updateUserSessions({ ...user, data: { theme: "y" } }),
    },
    { name: "moveSessions", gives: "steps", call: () => users.moveSessions({ client }) },
    { name: "deleteUserSessions", call: () => users.deleteUserSessions(user) },
  ];
}

export function createSpotsSteps({ spots, of }: SpotsWorld): readonly Step[] {
  const tokens = ["the token", "another token", "a dead token", "an old token"].map((name) =>
    String(of(name)),
  );
  const app = "shop";
  return [
    ...tokens.map((token): Step => ({ name: "get", reads, call: () => spots.get({ app, token }) })),
    ...tokens.flatMap((token): Step[] => [
      { name: "refresh", call: () => spots.refresh({ app, token, duration: 60 }) },
      { name: "update", call: () => spots.update({ app, token, data: { theme: "x" } }) },
    ]),
    { name: "moveSessions", gives: "steps", call: () => spots.moveSessions() },
    {
      name: "get of what was moved",
      reads,
      call: () => spots.get({ app, token: tokens[3] ?? "" }),
    },
    { name: "kill", call: () => spots.kill({ app, token: tokens[1] ?? "" }) },
    { name: "killAll", call: () => spots.killAll({ app, ownerId: "o1" }) },
  ];
}

export function createKoaCompatSteps({
  middleware,
  createContext,
  of,
}: KoaCompatWorld): readonly Step[] {
  const { store } = middleware;
  const names = ["the token", "another token", "a dead token", "an old token", "an unknown token"];
  const open = (name: string) => middleware.createSession(createContext(String(of(name))) as never);
  const ids = ["a chosen id", "an old token"].map((name) => String(of(name)));
  return [
    ...names.map((name): Step => ({ name: `get(${name})`, call: () => open(name).get() })),
    ...ids.map((id): Step => ({ name: "get of the store", call: () => store.get(id) })),
    ...names.flatMap((name): Step[] => [
      { name: `set(${name})`, call: () => open(name).set({ theme: "x", user_id: 1 }) },
      { name: `touch(${name})`, call: () => open(name).touch() },
      { name: `createCSRFToken(${name})`, call: () => open(name).createCSRFToken() },
      { name: `unset(${name})`, call: () => open(name).unset(["theme", "team"]) },
    ]),
    ...ids.flatMap((id): Step[] => [
      { name: "set of the store", call: () => store.set(id, { user_id: 1 }) },
      { name: "unset of the store", call: () => store.unset(id, ["user_id"]) },
      { name: "touch of the store", call: () => store.touch(id) },
      { name: "delete of the store", call: () => store.delete(id) },
    ]),
    { name: "moveSessions", gives: "steps", call: () => middleware.moveSessions() },
    { name: "delete", call: () => open("another token").delete() },
    { name: "clear", call: () => store.clear("user_id", 1) },
  ];
}
