/* Everything that programs do with sessions, on keys that hold what no one should have put there. */
import type { SessionSet } from "session-sets";
import type { RequestSession } from "session-sets/koa";
import { findAdapter } from "../requests/requests.ts";
import type { CoreWorld, Data } from "../runs/worlds.ts";
import type { Method } from "../surfaces/surfaces.ts";

/** A call as it should be made. */
export interface Step {
  readonly name: string;
  readonly gives?: Method["gives"];
  readonly reads?: Method["reads"];
  readonly call: () => unknown;
}

const reads = "only" as const;
const touches = "and touches" as const;

const TOKENS = [
  "the token",
  "another token",
  "an old token",
  "a renewed token",
  "a dead token",
  "an unknown token",
];
const IDS = ["the id", "another id", "an old id", "a renewed id", "a dead id"];

/** Those that read before those that write. */
export function createSteps(world: CoreWorld): readonly Step[] {
  const { sessions } = world;
  const text = (name: string) => String(world.of(name));
  const sets: readonly [string, () => SessionSet<Data>][] = [
    ["user_id 1", () => sessions.by("user_id", 1)],
    ["team_ids 1", () => sessions.by("team_ids", 1)],
  ];
  return [
    ...TOKENS.flatMap((name): Step[] => [
      { name: `get(${name})`, reads: touches, call: () => sessions.get(text(name)) },
      {
        name: `get(${name}, ["theme"])`,
        reads: touches,
        call: () => sessions.get(text(name), ["theme"]),
      },
    ]),
    ...IDS.map(
      (name): Step => ({
        name: `byId(${name}).get()`,
        reads,
        call: () => sessions.byId(text(name)).get(),
      }),
    ),
    ...sets.flatMap(([name, set]): Step[] => [
      { name: `size of ${name}`, reads, call: () => set().size() },
      { name: `has of ${name}`, reads, call: () => set().has(text("the id")) },
      { name: `ids of ${name}`, reads, call: () => set().ids() },
      { name: `list of ${name}`, reads, call: () => set().list() },
      { name: `all of ${name}`, reads, gives: "steps", call: set },
    ]),
    {
      name: "reindex({ dryRun })",
      reads,
      gives: "steps",
      call: () => sessions.reindex({ dryRun: true }),
    },
    ...requestSteps(world),
    ...TOKENS.flatMap((name): Step[] => [
      {
        name: `set(${name})`,
        call: () => sessions.set(text(name), { theme: "x", team_ids: [1, 3] }),
      },
      { name: `unset(${name})`, call: () => sessions.unset(text(name), ["theme"]) },
      { name: `touch(${name})`, call: () => sessions.touch(text(name), { idleTimeout: "1 hour" }) },
      { name: `rotate(${name})`, call: () => sessions.rotate(text(name)) },
      { name: `rotate(${name}, a user)`, call: () => sessions.rotate(text(name), { user_id: 1 }) },
    ]),
    {
      name: "signIn",
      call: () => sessions.signIn(text("the token"), { user_id: 1 }, { keep: ["theme"] }),
    },
    {
      name: "signIn beside",
      call: () => sessions.signIn(text("an unknown token"), { user_id: 2 }),
    },
    { name: "delete of byId", call: () => sessions.byId(text("another id")).delete() },
    ...sets.flatMap(([name, set]): Step[] => [
      { name: `set of ${name}`, call: () => set().set({ theme: "y", code: "x" }) },
      { name: `unset of ${name}`, call: () => set().unset(["theme"]) },
      { name: `delete of ${name}`, call: () => set().delete(text("the id")) },
    ]),
    { name: "reindex()", gives: "steps", call: () => sessions.reindex() },
    { name: "delete", call: () => sessions.delete(text("a renewed token")) },
    ...sets.map(([name, set]): Step => ({ name: `clear of ${name}`, call: () => set().clear() })),
  ];
}

/** A request that reads, one that writes, and one that ends its session. */
function requestSteps(world: CoreWorld): readonly Step[] {
  const koa = findAdapter("Koa");
  const open = (...names: string[]) => {
    const cookie = names.map((name) => `session=${String(world.of(name))}`).join("; ");
    const session = koa.session(koa.create(world.sessions), koa.request({ cookie }));
    return session as RequestSession<Data>;
  };
  return [
    { name: "load of a request", reads: touches, call: () => open("the token").load() },
    {
      name: "get of a request with two cookies",
      reads: touches,
      call: () => open("a dead token", "another token").get(),
    },
    { name: "set of a request", call: () => open("another token").set({ theme: "z" }) },
    { name: "rotate of a request", call: () => open("another token").rotate() },
    { name: "signIn of a request", call: () => open("an old token").signIn({ user_id: 4 }) },
    { name: "changeCredentials", call: () => open("the token").changeCredentials("user_id") },
    { name: "delete of a request", call: () => open("a dead token").delete() },
  ];
}
