export type { MoveProgress } from "../store/redis/old-sessions.ts";
export type { MoveOptions } from "./shared/moving.ts";
export {
  type OfApp,
  type OfOwner,
  type OfToken,
  type SpotsData,
  type SpotsSession,
  SpotsSessions,
  SpotsSessions as default,
  type SpotsSessionsOptions,
  type TokenEncoding,
  type WithDuration,
} from "./spots-sessions/spots-sessions.ts";
