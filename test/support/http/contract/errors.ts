import { inspect } from "node:util";
import type { SessionError } from "session-sets";
import { describe, expect, test } from "vitest";
import { readDetails, thrownBy } from "../../error-details.ts";
import type { Handler, TestApp } from "../app.ts";
import type { Start } from "./contract.ts";

export function errors(start: Start): void {
  describe("an error has what belongs to its code", () => {
    for (const [what, details, fail] of DETAILED) {
      test(what, async () => {
        const app = await start();
        const browser = await app.visitor({ user_id: 1, team_ids: [1, 2] });
        const { error, text } = await browser.send(fail(app));
        expect(readDetails(error as SessionError)).toEqual(details);
        const { name, code, status, expose } = error as SessionError;
        expect(JSON.parse(JSON.stringify(error))).toEqual({ name, code, status, expose });
        for (const detail of Object.keys(details)) expect(text).not.toContain(`"${detail}":`);
      });
    }

    test("the cookie, where it cannot be set", async () => {
      for (const [cookie, name] of [
        [{ secure: true }, "__Host-session"],
        [{ secure: true, path: "/shop", name: "sid" }, "__Secure-sid"],
        [{ secure: true, prefix: false }, "session"],
      ] as const) {
        const app = await start({ cookie });
        const { error } = await app.browser().send(({ session }) => session.set({}));
        expect(readDetails(error as SessionError)).toEqual({ cookie: name });
      }
      const app = await start();
      const { value, text } = await app.browser().send(async ({ session, sendHeaders }) => {
        await sendHeaders();
        const late = await thrownBy(() => session.set({}));
        return [late, await thrownBy(() => session.createCSRFToken())].map(readDetails);
      });
      expect(value ?? JSON.parse(text).value).toEqual([
        { cookie: "session" },
        { cookie: expect.stringMatching(/^session-csrf-/) },
      ]);
    });

    test("the origin of a page that the guard refuses, where it is one and holds no token", async () => {
      const app = await start({ guard: {} });
      const token = "A".repeat(34);
      const site = "cross-site";
      for (const [origin, details] of [
        ["https://evil.example", { origin: "https://evil.example" }],
        [undefined, {}],
        ["null", {}],
        [`https://${token}.example`, {}],
        [`https://evil.example/${token}`, {}],
      ] as const) {
        const headers = { "sec-fetch-site": site, ...(origin ? { origin } : {}) };
        const { status } = await app.browser().send(() => 1, { method: "POST", headers });
        const error = app.errors.pop() as SessionError;
        expect([status, error.code]).toEqual([403, "ERR_CSRF"]);
        expect(readDetails(error)).toEqual({ reason: "origin", ...details });
        expect(inspect(error, { showHidden: true, depth: 9 })).not.toContain(token);
      }
    });
  });

  test("an answer, a list and every error but for the cookie itself hold no token", async () => {
    const app = await start();
    const browser = await app.visitor({ user_id: 1 });
    const { value } = await browser.send(async ({ session }) => {
      await session.set({ theme: "dark" });
      const peers = await session.peers("user_id");
      return { session, loaded: await session.load(), list: await peers?.list(), key: peers?.key };
    });
    const shown = inspect(value, { depth: 9 });
    expect(shown).toContain("user_id");
    app.expectNoSecretIn("a list", shown);
    for (const handler of failures(app)) {
      const { error, status } = await browser.send(handler);
      expect(error).toBeInstanceOf(Error);
      expect(status).toBeGreaterThanOrEqual(400);
      app.expectNoSecretIn("an error", inspect(error, { depth: 9, showHidden: true }));
    }
  });
}

/** Calls of a user of two teams that fail, and what their errors have besides. */
const DETAILED: readonly [what: string, details: object, fail: (app: TestApp) => Handler][] = [
  [
    "the bytes of a session that is too large",
    { bytes: 70_026, maxBytes: 65_536 },
    () =>
      ({ session }) =>
        session.set({ theme: "x".repeat(70_000) }),
  ],
  [
    "the field whose value cannot be stored",
    { field: "theme" },
    () =>
      ({ session }) =>
        session.set({ theme: Number.NaN } as object),
  ],
  [
    "the field that has several values, and none is named",
    { field: "team_ids" },
    () =>
      ({ session }) =>
        session.peers("team_ids"),
  ],
  [
    "the identity that a session has lost",
    { field: "user_id" },
    (app) =>
      async ({ session }) => {
        await app.sessions.by("user_id", 1).clear();
        await session.changeCredentials("user_id");
      },
  ],
  [
    "nothing, where the session was ended",
    {},
    (app) =>
      async ({ session }) => {
        await session.get();
        await app.sessions.by("user_id", 1).clear();
        await session.set({ theme: "dark" });
      },
  ],
  [
    "the field that is no identity",
    { field: "team_ids" },
    () =>
      ({ session }) =>
        session.signOutOthers("team_ids"),
  ],
  [
    "the field that an assignment would not have written",
    { field: "theme" },
    () =>
      ({ session }) => {
        Object.assign(session, { theme: "dark" });
      },
  ],
  [
    "the options that do not go together",
    { option: "keep" },
    () =>
      ({ session }) =>
        session.delete({ keep: ["theme"], replicas: 1 }),
  ],
  [
    "the option that says what to clear",
    { option: "clearSiteData" },
    () =>
      ({ session }) =>
        session.delete({ clearSiteData: ["all" as "cache"] }),
  ],
  [
    "the option that says how the token travels",
    { option: "carrier" },
    () =>
      ({ session }) =>
        session.signIn({ user_id: 1 }, { carrier: "cookie" as "bearer" }),
  ],
];

/** What fails in each of the ways that a session can; the last one ends it. */
function failures(app: TestApp): Handler[] {
  return [
    ({ session }) => session.set({ theme: "x".repeat(100_000) }),
    ({ session }) => session.set({ theme: Number.NaN } as object),
    ({ session }) => session.peers("theme"),
    ({ session }) => session.rotate({}, { grace: -1 }),
    async ({ session }) => {
      await session.get();
      await app.sessions.by("user_id", 1).clear();
      await session.set({});
    },
  ];
}
