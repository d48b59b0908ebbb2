import { createConfigError, listOptionNames, quote, SessionError } from "../shared/errors.ts";
import { readElements, readOptions } from "../shared/given.ts";
import { admitForeign, passesByBearer } from "./bind.ts";
import { isForeign, isSafe } from "./foreign.ts";

/** Which requests from other origins may change something. */
export interface CSRFGuardOptions<Given = unknown> {
  /**
   * Origins of pages, such as `"https://admin.example.com"`, or of apps, such as
   * `"capacitor://localhost"`. The application's own origin needs no entry.
   * @default none
   */
  origins?: readonly string[];
  /**
   * Whether to let a request in unchecked, such as a webhook, or the POST of a sign-in provider. It gets
   * what the framework gives its handlers.
   * @default no request is exempt
   */
  exempt?: (given: Given) => boolean;
}

/** The parts of a request that the guard checks. */
export interface GuardedRequest {
  /** The object by which its sessions are found. */
  readonly request: object;
  readonly method: string;
  /** The host of this application as the browser addressed it, with its port. */
  readonly host: string;
  /** Whether the connection is secure, as the framework sees it through its proxy settings. */
  readonly secure: boolean;
  /** The framework's setting for a proxy, for messages. */
  readonly proxySetting: string;
  header(name: "sec-fetch-site" | "origin" | "upgrade"): string | undefined;
}

const OPTIONS = listOptionNames<CSRFGuardOptions>({ origins: true, exempt: true });

/**
 * Makes a function that throws ERR_CSRF for a request from a page of another origin that may change
 * something, or opens a WebSocket. The origin is known from Sec-Fetch-Site or, for browsers without it,
 * from Origin. Other subdomains are other origins. A request with neither header does not come from a
 * browser, and passes. A request whose session came by a bearer header passes, too, because browsers do
 * not send such a header by themselves. For that, its session must have been made before.
 *
 * @param more the names of the options that the adapter adds.
 * @throws SessionError ERR_SESSION_CONFIG for an unknown option or an invalid origin.
 */
export function createGuard<Given>(
  options: CSRFGuardOptions<Given>,
  more: readonly string[] = [],
): (request: GuardedRequest, given: Given) => void {
  const given = readOptions("csrfGuard", options, [...OPTIONS, ...more]);
  const { origins: named = [], exempt = () => false } = given;
  const origins = readElements("ERR_SESSION_CONFIG", "origins", named);
  if (origins === null) {
    throw createConfigError("csrfGuard's origins must be a list of origins", { option: "origins" });
  }
  if (typeof exempt !== "function") {
    throw createConfigError(
      "csrfGuard's exempt must be a function that says whether to let a request in",
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
      "csrfGuard's exempt must return true or false at once. A promise is neither, and would let every request in",
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
    `The request was refused: it comes from a page of another origin. If that page is the application's own, add its origin to csrfGuard's origins. Behind a proxy, tell the framework of the proxy: ${proxySetting}`,
    // A client can send a header of any form.
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
      `csrfGuard's origins must look like "https://admin.example.com" or "capacitor://localhost". Web origins are in lower case, without a path, a pattern or an implied port; got ${quote(origin)}`,
      { option: "origins" },
    );
  }
  return origin;
}

/** Whether an origin is the application's own. "null", which sandboxed pages send, never is. */
function isOwnOrigin(origin: string, { host, secure }: GuardedRequest): boolean {
  if (!URL.canParse(origin)) return false;
  const senderURL = new URL(origin);
  // On HTTPS, a page over HTTP is another origin, and anyone on the network can forge it. On HTTP, a page
  // over HTTPS may be the application's own: behind a proxy that the framework does not trust, the
  // connection only looks insecure.
  if (senderURL.protocol !== "https:" && (secure || senderURL.protocol !== "http:")) return false;
  // Some proxies name an implied port, and origins never do.
  const own = `${senderURL.protocol}//${host}`;
  return URL.canParse(own) && new URL(own).host === senderURL.host;
}
