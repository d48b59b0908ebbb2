/* The surfaces of `createSessions`: sessions by token and by id, and sets. */
import { fc } from "../support/properties.ts";
import {
  given,
  hostile,
  hostileText,
  listOf,
  make,
  mostly,
  odd,
  type Recipe,
  recordOf,
  value,
} from "./recipes.ts";
import type { Method, Surface } from "./surfaces.ts";
import type { CoreWorld } from "./worlds.ts";

const oneOf = (...names: string[]) => fc.constantFrom(...names).map(given);

export const token = mostly(
  oneOf(
    ...["the token", "another token", "an aged token", "an old token", "a renewed token"],
    ...["a dead token", "an unknown token"],
  ),
  3,
);
export const id = mostly(
  oneOf("the id", "another id", "an old id", "a renewed id", "a dead id", "the token", "the key"),
  3,
);
export const field = fc.constantFrom("user_id", "team_ids", "code", "theme", "cart").map(value);
const fieldName = fc.oneof({ weight: 2, arbitrary: field }, { weight: 1, arbitrary: hostileText });
export const fields = mostly(listOf(fieldName));
const single: fc.Arbitrary<Recipe> = fc.oneof(
  fc.constantFrom<string | number | boolean>(1, 2, 3, "1", "x", true).map(value),
  fc.constant(odd("null")),
);
const severals = fc.oneof(single, listOf(single));

export const values = mostly(
  recordOf({
    user_id: mostly(single),
    team_ids: mostly(severals),
    code: mostly(severals),
    theme: hostile,
    cart: hostile,
  }),
  4,
);
export const duration = mostly(
  fc.constantFrom<string | number>("1 day", "30m", 60_000, 0).map(value),
);
const boolean = mostly(fc.boolean().map(value));
/** None that is right: replicas that there are not would be waited for. */
export const replicas = hostile.filter((recipe) => {
  const given = "odd" in recipe || "value" in recipe ? make(recipe, () => null) : null;
  return !(Number.isInteger(given) && Number(given) >= 1);
});
export const deadlines = options({ idleTimeout: duration, absoluteTimeout: duration });
export const readOptions = options({ touch: boolean });
/** Who ends a session, and why. */
export const cause = {
  initiator: mostly(fc.constantFrom("user", "admin", "policy", "system").map(value)),
  reason: mostly(hostileText),
};
/** A callback of `onEnd`. One that fails when it is called is the caller's own fault. */
export const onEndCallback = mostly(fc.constant(given("a callback"))).filter(
  (recipe) => "given" in recipe || typeof make(recipe, () => "") !== "function",
);
const deleteOptions = options({ replicas, ...cause });
export const signInOptions = options({
  idleTimeout: duration,
  absoluteTimeout: duration,
  keep: fields,
  ...cause,
});

/** Options: a record of these, or what is none. */
export function options(
  members: Readonly<Record<string, fc.Arbitrary<Recipe>>>,
): fc.Arbitrary<Recipe> {
  return mostly(recordOf(members), 4);
}

const sessionsMethods: Readonly<Record<string, Method>> = {
  create: { args: [values, deadlines] },
  get: { args: [token, fc.oneof(fields, readOptions), readOptions], reads: "and touches" },
  set: { args: [token, values] },
  unset: { args: [token, fields] },
  touch: { args: [token, options({ idleTimeout: duration })] },
  signIn: { args: [token, values, signInOptions] },
  rotate: { args: [token, values, options({ grace: duration, ...cause })] },
  delete: { args: [token, deleteOptions] },
  by: { args: [mostly(field), single], gives: "value", reads: "only" },
  byId: { args: [id], gives: "value", reads: "only" },
  reindex: {
    args: [options({ dryRun: boolean, cursor: mostly(fc.constant(odd("null"))) })],
    gives: "steps",
  },
  onEnd: { args: [id, onEndCallback], reads: "only" },
  close: { args: [] },
};

export const sessionsSurface: Surface<CoreWorld> = {
  name: "Sessions",
  settings: fc.constant(undefined),
  open: ({ sessions }) => sessions,
  methods: sessionsMethods,
  skipped: { endings: "its loop ends when a session ends, and takes nothing" },
};

/** What a session set of `Sessions` and that of a request have in common. */
export const setMethods: Readonly<Record<string, Method>> = {
  key: { args: [], gives: "value", reads: "only" },
  size: { args: [], reads: "only" },
  has: { args: [id], reads: "only" },
  ids: { args: [], reads: "only" },
  list: {
    args: [options({ limit: mostly(fc.nat(600).map(value)), after: hostile })],
    reads: "only",
  },
  "[Symbol.asyncIterator]": { args: [], gives: "steps", reads: "only" },
  set: { args: [values] },
  unset: { args: [fields] },
  delete: { args: [id, deleteOptions] },
  clear: { args: [options({ except: id, replicas, ...cause })] },
  trim: { args: [options({ keep: mostly(fc.nat(5).map(value)), replicas, ...cause })] },
};

export const setSurface: Surface<CoreWorld, readonly [string, string | number]> = {
  name: "SessionSet",
  settings: fc.constantFrom(["user_id", 1], ["user_id", "1"], ["team_ids", 2], ["code", "x"]),
  open: ({ sessions }, [name, one]) => sessions.by(name, one),
  methods: setMethods,
};

export const byIdSurface: Surface<CoreWorld, string> = {
  name: "SessionById",
  settings: fc.constantFrom("the id", "an old id", "a renewed id", "a dead id", "the token"),
  open: (world, name) => world.sessions.byId(world.of(name) as string),
  methods: {
    get: { args: [fields], reads: "only" },
    delete: { args: [deleteOptions] },
  },
};
