/* Which requests may change something, and were sent by a page of another origin. */

// RFC 9110, section 9.2.1.
const SAFE_METHODS = ["GET", "HEAD", "OPTIONS", "TRACE"];

type Header = (name: "sec-fetch-site" | "upgrade") => string | undefined;

/** A WebSocket is opened by a GET, cookies and all, from whatever page. */
export function isSafe(method: string, header: Header): boolean {
  return SAFE_METHODS.includes(method) && header("upgrade")?.toLowerCase() !== "websocket";
}

/** Whether a page of another origin has sent a request, as the browser says; undefined where it does not. */
export function isForeign(header: Header): boolean | undefined {
  const site = header("sec-fetch-site");
  return site === undefined ? undefined : site !== "same-origin" && site !== "none";
}
