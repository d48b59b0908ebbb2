import { misconfigured, quote, refuseUnknownKeys, SessionError } from "../errors.ts";
import { isBearer } from "./request-sessions.ts";

/** Which other origins may send requests that change something. */
export interface CSRFGuardOptions {
  /** Origins such as `"https://admin.example.com"`; the application's own needs no entry. */
  origins?: readonly string[];
}

/** What the guard looks at in a request. */
export interface GuardedRequest {
  /** By which its sessions are known. */
  readonly request: object;
  readonly method: string;
  /** The host of this application as the browser addressed it, with its port. */
  readonly host: string;
  /** Whether the connection is secure, as the framework sees it through its proxy settings. */
  readonly secure: boolean;
  header(name: "sec-fetch-site" | "origin"): string | undefined;
}

// RFC 9110, section 9.2.1.
const SAFE_METHODS = ["GET", "HEAD", "OPTIONS", "TRACE"];

/**
 * A function that throws ERR_CSRF for a request that may change something and was sent by a page of
 * another origin: as Sec-Fetch-Site says, or, for browsers without it, Origin. Other subdomains are
 * other origins. A request with neither header is no browser's, and passes; so does one whose session
 * is by a bearer header, which no browser sends by itself, if its session was made before.
 *
 * @param more the options that the adapter has besides.
 * @throws SessionError ERR_SESSION_CONFIG for an unknown option or an origin that is none.
 */
export function createGuard(
  options: CSRFGuardOptions,
  more: readonly string[] = [],
): (request: GuardedRequest) => void {
  refuseUnknownKeys("csrfGuard", options, ["origins", ...more]);
  const { origins = [] } = options;
  if (!Array.isArray(origins)) {
    throw misconfigured("csrfGuard's origins are a list of origins");
  }
  const allowed = new Set(origins.map(checkedOrigin));
  return (request) => {
    if (SAFE_METHODS.includes(request.method) || isBearer(request.request)) return;
    const origin = request.header("origin");
    if (origin !== undefined && allowed.has(origin)) return;
    const site = request.header("sec-fetch-site");
    const foreign =
      site === undefined
        ? origin !== undefined && !isOwn(origin, request)
        : site !== "same-origin" && site !== "none";
    if (foreign) {
      throw new SessionError(
        "ERR_CSRF",
        "The request was refused: it comes from a page of another origin. If that page is the application's own, add its origin to csrfGuard's origins",
      );
    }
  };
}

function checkedOrigin(origin: string): string {
  if (!URL.canParse(origin) || new URL(origin).origin !== origin || origin.includes("*")) {
    throw misconfigured(
      `csrfGuard's origins are of the form "https://admin.example.com", without a path or a pattern; got ${quote(origin)}`,
    );
  }
  return origin;
}

/** Whether an origin is the request's own; "null", which sandboxed pages send, is nobody's. */
function isOwn(origin: string, { host, secure }: GuardedRequest): boolean {
  if (!URL.canParse(origin)) return false;
  const sender = new URL(origin);
  // A page over HTTP is another origin, and whoever is on the network can write it. The other way
  // round, the connection may only look insecure: behind a proxy that the framework does not trust.
  if (sender.protocol !== "https:" && (secure || sender.protocol !== "http:")) return false;
  // Some proxies name the port also where it is implied, which no origin does.
  const own = `${sender.protocol}//${host}`;
  return URL.canParse(own) && new URL(own).host === sender.host;
}
