import { createConfigError, listOptionNames, quote, SessionError } from "../shared/errors.ts";
import { readElements, readOptions } from "../shared/given.ts";
import { admitForeign, passesByBearer } from "./bind.ts";
import { isForeign, isSafe } from "./foreign.ts";

/** Which requests from other origins may change something. */
export interface CSRFGuardOptions<Given = unknown> {
  /**
   * Origins such as `"https://admin.example.com"`, or of an app, such as `"capacitor://localhost"`; the
   * application's own needs no entry.
   * @default none
   */
  origins?: readonly string[];
  /**
   * Whether a request is let in unasked: webhooks, or what a provider of sign-ins posts. It is given
   * what the framework gives its handlers.
   * @default none is
   */
  exempt?: (given: Given) => boolean;
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
  /** How the framework is told of a proxy. */
  readonly proxySetting: string;
  header(name: "sec-fetch-site" | "origin" | "upgrade"): string | undefined;
}

const OPTIONS = listOptionNames<CSRFGuardOptions>({ origins: true, exempt: true });

/**
 * A function that throws ERR_CSRF for a request that may change something, or opens a WebSocket, and
 * was sent by a page of another origin: as Sec-Fetch-Site says, or, for browsers without it, Origin.
 * Other subdomains are other origins. A request with neither header is no browser's, and passes; so
 * does one whose session is by a bearer header, which no browser sends by itself, if its session was
 * made before.
 *
 * @param more the options that the adapter has besides.
 * @throws SessionError ERR_SESSION_CONFIG for an unknown option or an origin that is none.
 */
export function createGuard<Given>(
  options: CSRFGuardOptions<Given>,
  more: readonly string[] = [],
): (request: GuardedRequest, given: Given) => void {
  const given = readOptions("csrfGuard", options, [...OPTIONS, ...more]);
  const { origins: named = [], exempt = () => false } = given;
  const origins = readElements("ERR_SESSION_CONFIG", "origins", named);
  if (origins === null) {
    throw createConfigError("csrfGuard's origins are a list of origins", { option: "origins" });
  }
  if (typeof exempt !== "function") {
    throw createConfigError(
      "csrfGuard's exempt is a function that says whether a request is let in",
      {
        option: "exempt",
      },
    );
  }
  const allowed = new Set(origins.map(parseOrigin));
  const isExempt = (request: Given) => {
    const answer: unknown = exempt(request);
    if (typeof answer === "boolean") return answer;
    throw createConfigError(
      "csrfGuard's exempt answers true or false at once; a promise is neither, and would let everybody in",
      { option: "exempt" },
    );
  };
  return (request, shown) => {
    if (isSafe(request.method, request.header)) return;
    const origin = request.header("origin");
    if (isExempt(shown) || (origin !== undefined && allowed.has(origin))) {
      admitForeign(request.request);
      return;
    }
    const foreign =
      isForeign(request.header) ?? (origin !== undefined && !isOwnOrigin(origin, request));
    if (foreign && !passesByBearer(request.request)) {
      throw createForeignOriginError(origin, request);
    }
  };
}

function createForeignOriginError(
  origin: string | undefined,
  { proxySetting }: GuardedRequest,
): SessionError {
  return new SessionError(
    "ERR_CSRF",
    `The request was refused: it comes from a page of another origin. If that page is the application's own, add its origin to csrfGuard's origins; behind a proxy, say so with ${proxySetting}`,
    // Anybody can send a header of any form.
    { reason: "origin", origin: ORIGIN_PATTERN.test(origin ?? "") ? origin : undefined },
  );
}

/** `scheme://host[:port]`, as browsers and apps send it; only apps have capitals in their hosts. */
const ORIGIN_PATTERN = /^[a-z][a-z0-9+.-]*:\/\/(?:[A-Za-z0-9._-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?$/;

function parseOrigin(origin: unknown): string {
  const isOrigin =
    typeof origin === "string" && ORIGIN_PATTERN.test(origin) && URL.canParse(origin);
  const isOfWeb = isOrigin && /^https?:/.test(origin);
  if (!isOrigin || (isOfWeb && new URL(origin).origin !== origin)) {
    throw createConfigError(
      `csrfGuard's origins are of the form "https://admin.example.com" or "capacitor://localhost", those of the web in lower case, without a path, a pattern or a port that is implied; got ${quote(origin)}`,
      { option: "origins" },
    );
  }
  return origin;
}

/** Whether an origin is the request's own; "null", which sandboxed pages send, is nobody's. */
function isOwnOrigin(origin: string, { host, secure }: GuardedRequest): boolean {
  if (!URL.canParse(origin)) return false;
  const senderURL = new URL(origin);
  // A page over HTTP is another origin, and whoever is on the network can write it. The other way
  // round, the connection may only look insecure: behind a proxy that the framework does not trust.
  if (senderURL.protocol !== "https:" && (secure || senderURL.protocol !== "http:")) return false;
  // Some proxies name the port also where it is implied, which no origin does.
  const own = `${senderURL.protocol}//${host}`;
  return URL.canParse(own) && new URL(own).host === senderURL.host;
}
