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
