/* The class of @spots-tech/sessions, with a session that it has kept itself. */
import { SpotsSessions } from "session-sets/compat/spots-sessions";
import { fc } from "../../support/properties.ts";
import { type Servers, SLOT_KEY } from "../runs/worlds.ts";
import {
  given,
  hostile,
  hostileText,
  mostly,
  type Recipe,
  recordOf,
  value,
} from "../values/recipes.ts";
import { options } from "./core.ts";
import type { Surface, World } from "./surfaces.ts";

export interface SpotsWorld extends World {
  readonly spots: SpotsSessions;
}

export async function openSpots({ traffic, url }: Servers): Promise<SpotsWorld> {
  const spots = new SpotsSessions({
    connectionString: url,
    tokenEncoding: "base64url",
    tokenSize: 32,
  });
  const owner = { app: "shop", ownerId: "o1" };
  const token = await spots.create({ ...owner, data: { theme: "dark" }, duration: 3600 });
  const another = await spots.create({ ...owner, data: {}, duration: 3600 });
  const dead = await spots.create({ app: "shop", ownerId: "o2", duration: 3600 });
  await spots.kill({ app: "shop", token: dead });
  const old = "old-token-s3cr3t_s3cr3t_s3cr3t_s3cr3t";
  await traffic.own.set(`app:shop|token:${old}|ownerId:o1`, "{}", "EX", 3600);
  const unknown = "unknown-token-s3cr3t_s3cr3t_s3cr3t";
  const [key = ""] = await traffic.own.keys("{spots-sessions:0}:s:*");
  const [set = ""] = await traffic.own.keys("{spots-sessions:0}:r:*");
  const givens: Record<string, unknown> = {
    "hash of a session": key,
    "set of an owner": set,
    "an old key": `app:shop|token:${old}|ownerId:o1`,
    "an unknown old key": "app:shop|token:|ownerId:o1",
    now: Date.now(),
    later: Date.now() + 3_600_000,
    "the token": token,
    "another token": another,
    "a dead token": dead,
    "an unknown token": unknown,
    "an old token": old,
  };
  return {
    spots,
    secrets: new Set([token, another, dead, unknown, old]),
    prefixes: ["{spots-sessions:", "app:", SLOT_KEY],
    traffic,
    of: (name) => givens[name],
    async close() {
      spots.client.disconnect();
    },
  };
}

const app: fc.Arbitrary<Recipe> = mostly(
  fc.constantFrom<string | number>("shop", "blog", 1).map(value),
  3,
);
const ownerId: fc.Arbitrary<Recipe> = mostly(
  fc.constantFrom<string | number>("o1", "o2", 1).map(value),
  3,
);
const token = mostly(
  fc.constantFrom("the token", "another token", "a dead token", "an old token").map(given),
  3,
);
const duration = mostly(fc.constantFrom(3600, 0.001, 1e9).map(value), 2);
const data = mostly(recordOf({ theme: hostile, cart: hostile }), 4);

export const spotsSurface: Surface<SpotsWorld> = {
  name: "SpotsSessions",
  settings: fc.constant(undefined),
  open: ({ spots }) => spots,
  methods: {
    create: { args: [options({ app, ownerId, data, duration })] },
    get: { args: [options({ app, token })], reads: "only" },
    refresh: { args: [options({ app, token, duration })] },
    update: { args: [options({ app, token, data })] },
    kill: { args: [options({ app, token })] },
    killAll: { args: [options({ app, ownerId })] },
    moveSessions: { args: [options({ cursor: hostileText })], gives: "steps" },
  },
  skipped: { client: "a client of ioredis" },
};
