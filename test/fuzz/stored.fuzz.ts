/* Hostile bytes under the library's keys, and everything that programs do there after that. */
import { test } from "vitest";
import { fc } from "../support/properties.ts";
import { fuzz } from "./runs/runner.ts";
import { inRound, useServers } from "./runs/servers.ts";
import { IDS, KEYS, openWorld, type Servers } from "./runs/worlds.ts";
import { type Damage, damage, showDamage } from "./stored/damage.ts";
import { type Damaged, damages } from "./stored/damages.ts";
import {
  createExpressSessionSteps,
  createKoaCompatSteps,
  createSpotsSteps,
  createUserSessionsSteps,
} from "./stored/stored-compat.ts";
import { createSteps, type Step } from "./stored/stored-core.ts";
import { openExpressSession } from "./surfaces/express-session.ts";
import { openKoaCompat } from "./surfaces/koa-compat.ts";
import { openSpots } from "./surfaces/spots.ts";
import { findCallFaults, type World } from "./surfaces/surfaces.ts";
import { openUserSessions } from "./surfaces/user-sessions.ts";

const servers = useServers();

/** How many entries damage may put into sets. */
const MAX_ENTRIES = 3000;

/** Worlds whose keys are damaged, and what programs do in them. */
interface Place {
  readonly name: string;
  readonly damaged: Damaged;
  readonly open: (
    servers: Servers,
  ) => Promise<{ readonly world: World; readonly steps: readonly Step[] }>;
}

const OF_SESSIONS = ["user_id", "team_ids", "theme", "code"];

function place<Where extends World>(
  name: string,
  open: (servers: Servers) => Promise<Where>,
  steps: (world: Where) => readonly Step[],
  damaged: Damaged,
): Place {
  const opened = async (all: Servers) => {
    const world = await open(all);
    return { world, steps: steps(world) };
  };
  return { name, open: opened, damaged };
}

const PLACES: readonly Place[] = [
  ...(["Redis", "Redis with 4 shards"] as const).map((one) =>
    place(`sessions stored on ${one}`, (all) => openWorld(one, all), createSteps, {
      keys: KEYS,
      texts: [...IDS, "the token", "an unknown token"],
      fields: OF_SESSIONS,
    }),
  ),
  place(
    "SessionSetsStore's stored sessions",
    (all) => openExpressSession("Redis", all),
    createExpressSessionSteps,
    {
      keys: [
        ...["hash of a sid", "hash of another sid", "hash of an ended sid", "set user_id:1"],
        ...["set found", "an old key", "an unknown old key"],
      ],
      texts: ["the id", "another id", "a sid"],
      fields: ["cookie", "~~cookie", "~~cookie.path", "user_id", "~found", "theme", "toJSON"],
    },
  ),
  place("redis-user-sessions' stored sessions", openUserSessions, createUserSessionsSteps, {
    keys: [
      ...["hash of the session", "set of the user", "mark"],
      ...["an old key", "an unknown old key", "an old index"],
    ],
    texts: ["the token", "an old id", "an unknown token"],
    fields: ["userId", "expires", "theme", '"x', '"y"'],
  }),
  place("SpotsSessions' stored sessions", openSpots, createSpotsSteps, {
    keys: ["hash of a session", "set of an owner", "an old key", "an unknown old key"],
    texts: ["the token", "an old token"],
    fields: ["app", "ownerId", "data.theme", "data.", '"data.', "theme"],
  }),
  place("koaRedisSessionSets' stored sessions", openKoaCompat, createKoaCompatSteps, {
    keys: [
      ...["hash of the session", "hash of a chosen id", "set of the user", "plain set of the user"],
      ...["an old key", "an old index"],
    ],
    texts: ["the token", "an old token", "a chosen id"],
    fields: ["user_id", "team", "theme", "id", '"x'],
  }),
];

for (const { name, damaged, open } of PLACES) {
  test(name, () =>
    fuzz<readonly Damage[]>({
      name,
      inputs: fc.array(damages(damaged), { minLength: 1, maxLength: 6 }),
      faults: (all) =>
        inRound(servers(), async (watching) => {
          const { world, steps } = await open(servers());
          for (const one of all) {
            await damage(servers().traffic.own, one, (name) => String(world.of(name)));
          }
          const hurt = { ...world, expires: true, entries: MAX_ENTRIES };
          const faults: string[] = [];
          for (const { name: step, call, ...spec } of steps) {
            const found = await findCallFaults(hurt, watching, spec, [], call);
            faults.push(...found.map((fault) => `${step}: ${fault}`));
          }
          await world.close();
          return faults;
        }),
      show: (all) => all.map(showDamage).join("; "),
      rounds: 40,
    }),
  );
}
