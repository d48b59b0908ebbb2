export type { MoveProgress } from "../migrate/migrator.ts";
export type { MoveOptions } from "../migrate/options.ts";
export type {
  IfMissing,
  OnMissing,
  SpotsSessionsOptions,
  TokenEncoding,
} from "./spots-sessions/options.ts";
export {
  type OfApp,
  type OfOwner,
  type OfToken,
  type SpotsData,
  type SpotsSession,
  SpotsSessions,
  SpotsSessions as default,
  type WithDuration,
} from "./spots-sessions/spots-sessions.ts";
