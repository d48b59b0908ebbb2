/* Which requests may change something, and which were sent by a page of another origin. */

// RFC 9110, section 9.2.1.
const SAFE_METHODS = ["GET", "HEAD", "OPTIONS", "TRACE"];

type Header = (name: "sec-fetch-site" | "upgrade") => string | undefined;

/** Any page may open a WebSocket, with a GET that brings the cookies. So that GET isn't safe. */
export function isSafe(method: string, header: Header): boolean {
  return SAFE_METHODS.includes(method) && header("upgrade")?.toLowerCase() !== "websocket";
}

/** Whether the browser says that a page of another origin sent the request; undefined if it says nothing. */
export function isForeign(header: Header): boolean | undefined {
  const site = header("sec-fetch-site");
  return site === undefined ? undefined : site !== "same-origin" && site !== "none";
}
