import type { SessionCore } from "../../sessions/session-core.ts";
import type { Carrier } from "../carriers/carriers.ts";
import type { CSRFTokens } from "../csrf-tokens.ts";
import type { Exchange } from "../exchange/exchange.ts";

/** The parts of the application and the request that the request's session uses. */
export interface RequestSessionContext {
  readonly core: SessionCore;
  readonly exchange: Exchange;
  /** The carrier that brought the token, and brings the client a new one. */
  readonly carrier: Carrier;
  /** The request headers that may bring a token. */
  readonly varies: ReadonlySet<string>;
  /** A carrier that sends no token, so that the application answers with it. */
  readonly bearer: Carrier;
  /** The well-formed tokens of the request, at most eight. */
  readonly tokens: readonly string[];
  readonly csrf: CSRFTokens;
  /** Throws if the request may not use this session: see the two errors of ERR_CSRF in http/errors.ts. */
  readonly admit: () => void;
}
