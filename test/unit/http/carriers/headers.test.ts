/* Headers that carry no token: browsers send them by themselves, or a page of another site may set them. */
import { createSessions } from "session-sets";
import { fetchSessions } from "session-sets/fetch";
import { koaSessions } from "session-sets/koa";
import { memoryStore } from "session-sets/memory";
import { nodeSessions } from "session-sets/node";
import { describe, expect, test } from "vitest";

const sessions = createSessions({ references: {}, store: memoryStore() });

const REFUSED = [
  ...["If-None-Match", "If-Match", "If-Modified-Since", "If-Unmodified-Since", "If-Range"],
  ...["Last-Event-ID", "Ping-To", "Ping-From", "Cookie", "Cookie2", "Origin", "Referer", "Host"],
  ...["DPR", "Device-Memory", "Viewport-Width", "Width", "Downlink", "ECT", "RTT", "Save-Data"],
  ...["Content-DPR", "Accept", "Accept-Language", "Accept-Encoding", "Content-Type", "Range"],
  ...["Content-Language", "Content-Length", "User-Agent", "Cache-Control", "Pragma", "DNT", "TE"],
  ...["Sec-Fetch-Site", "Sec-CH-UA", "Sec-WebSocket-Protocol", "Sec-WebSocket-Key", "Sec-GPC"],
  ...["Upgrade", "Connection", "Upgrade-Insecure-Requests", "Early-Data", "Service-Worker"],
  ...["Proxy-Authorization", "Access-Control-Request-Headers", "X-Forwarded-For", "Forwarded"],
  ...["Purpose", "Priority", "Date", "Expect", "Via", "Trailer", "Transfer-Encoding"],
  ...["Alt-Used", "Available-Dictionary", "Dictionary-ID"],
];

describe.each(REFUSED)("the header %s", (header) => {
  test("is no carrier, in any case", () => {
    for (const name of [header, header.toLowerCase(), header.toUpperCase()]) {
      for (const make of [koaSessions, fetchSessions, nodeSessions]) {
        expect(() => make(sessions, { carriers: [{ header: name }] }), name).toThrow(
          expect.objectContaining({ code: "ERR_SESSION_CONFIG" }),
        );
      }
    }
  });
});

test("a header of the application's own is one", () => {
  for (const header of ["X-Session-Token", "X-Auth", "Session", "x-if-token", "My-Cookie"]) {
    expect(() => koaSessions(sessions, { carriers: [{ header }] }), header).not.toThrow();
  }
});
