/* All surfaces, and how the worlds of each are opened. */

import { openWorld, PLACES, type Servers } from "../runs/worlds.ts";
import { adapterSurfaces } from "./adapters.ts";
import { byIdSurface, sessionsSurface, setSurface } from "./core.ts";
import { openExpressSession, storeSetSurface, storeSurface } from "./express-session.ts";
import {
  koaCompatSurface,
  koaSessionSurface,
  koaStoreSurface,
  openKoaCompat,
} from "./koa-compat.ts";
import { peersSurface, requestSessionSurface } from "./request-session.ts";
import { openSpots, spotsSurface } from "./spots.ts";
import type { Surface, World } from "./surfaces.ts";
import { openUserSessions, userSessionsSurface } from "./user-sessions.ts";

/** A surface in worlds of one kind. */
export interface Target {
  readonly name: string;
  readonly surface: Surface<World, unknown>;
  readonly open: (servers: Servers) => Promise<World>;
}

function target<Where extends World, Setting>(
  surface: Surface<Where, Setting>,
  open: (servers: Servers) => Promise<Where>,
  place = "",
): Target {
  // A surface takes only the worlds and settings of its own.
  const any = surface as unknown as Surface<World, unknown>;
  return { name: `${surface.name}${place && ` on ${place}`}`, surface: any, open };
}

/** Sessions, and what requests have of them. */
export const coreTargets: readonly Target[] = PLACES.flatMap((place) => {
  const open = (servers: Servers) => openWorld(place, servers);
  return [
    target(sessionsSurface, open, place),
    target(setSurface, open, place),
    target(byIdSurface, open, place),
    target(requestSessionSurface, open, place),
    target(peersSurface, open, place),
    ...adapterSurfaces.map((surface) => target(surface, open, place)),
  ];
});

/** The stores of middlewares, and the APIs of the predecessors. */
export const compatTargets: readonly Target[] = [
  ...PLACES.flatMap((place) => [
    target(storeSurface, (servers) => openExpressSession(place, servers), place),
    target(storeSetSurface, (servers) => openExpressSession(place, servers), place),
  ]),
  target(koaCompatSurface, openKoaCompat),
  target(koaStoreSurface, openKoaCompat),
  target(koaSessionSurface, openKoaCompat),
  target(userSessionsSurface, openUserSessions),
  target(spotsSurface, openSpots),
];
