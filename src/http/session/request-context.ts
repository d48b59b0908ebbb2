import type { SessionCore } from "../../sessions/session-core.ts";
import type { Carrier } from "../carriers/carriers.ts";
import type { CSRFTokens } from "../csrf-tokens.ts";
import type { Exchange } from "../exchange/exchange.ts";

/** What the session of a request needs to know of the application. */
export interface RequestSessionContext {
  readonly core: SessionCore;
  readonly exchange: Exchange;
  /** What has brought the token, and brings the client a new one. */
  readonly carrier: Carrier;
  /** The request's headers that may bring a token. */
  readonly varies: ReadonlySet<string>;
  /** A carrier that brings none: the application answers with the token. */
  readonly bearer: Carrier;
  /** The well-formed tokens of the request, at most eight. */
  readonly tokens: readonly string[];
  readonly csrf: CSRFTokens;
  /** Throws where the request was let in as one without a cookie. */
  readonly admit: () => void;
}
