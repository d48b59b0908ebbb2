/* What becomes of a session when a verb other than signIn says who the user is. */
import { describe, expect, test } from "vitest";
import type { Data, Handler } from "../app.ts";
import { type Carried, type Client, carriers } from "../carried.ts";
import type { Start } from "./contract.ts";

/** What a browser or a program has before. */
const BEFORE: Data = { cart: ["tea"], team_ids: [7], theme: "dark" };

/** Whose session it was, for the user 1. */
const WHOSE = {
  "nobody's": BEFORE,
  "another user's": { ...BEFORE, user_id: 2 },
} as const;

/** How a session's user is taken away; each sets or leaves a theme. */
const SIGNING_OUT: Record<string, readonly [Handler, Data]> = {
  "set of null": [({ session }) => session.set({ user_id: null } as object), {}],
  "set of null and more": [
    ({ session }) => session.set({ user_id: null, theme: "light" } as object),
    { theme: "light" },
  ],
  "set of an empty list": [({ session }) => session.set({ user_id: [] } as object), {}],
  "unset of the user": [({ session }) => session.unset(["user_id"]), {}],
  "unset of the user and more": [({ session }) => session.unset(["cart", "user_id"]), {}],
  "rotate to null": [({ session }) => session.rotate({ user_id: null } as object), {}],
  "rotate to null with more": [
    ({ session }) => session.rotate({ user_id: null, theme: "light" } as object),
    { theme: "light" },
  ],
};

/** Fails unless a client has a new session of these values, and nothing is left of the old one. */
async function expectReplaced(
  carried: Carried,
  app: Awaited<ReturnType<Carried["start"]>>,
  { client, old, data }: { client: Client; old: Before; data: Data },
): Promise<void> {
  expect(client.token).not.toBe(old.token);
  expect(await client.data()).toEqual(data);
  expect(await carried.client(app, old.token).data()).toEqual({});
  const session = await app.sessions.get(client.token);
  expect([session?.id, session?.lineage]).toEqual([session?.lineage, session?.id]);
  expect(session?.lineage).not.toBe(old.lineage);
  expect(session?.createdAt.getTime()).toBeGreaterThan(old.createdAt.getTime());
  expect(await app.sessions.by("user_id", 2).size()).toBe(0);
  expect(await app.sessions.by("team_ids", 7).size()).toBe(0);
}

interface Before {
  readonly token: string | undefined;
  readonly lineage: string | undefined;
  readonly createdAt: Date;
}

/** A client with a session of these values, from a moment ago. */
async function visitor(
  carried: Carried,
  app: Awaited<ReturnType<Carried["start"]>>,
  values: Data,
): Promise<{ readonly client: Client; readonly old: Before }> {
  const client = await carried.visitor(app, values);
  const { token } = client;
  const session = await app.sessions.get(token);
  await app.under.elapse(5);
  const { lineage, createdAt = new Date(0) } = session ?? {};
  return { client, old: { token, lineage, createdAt } };
}

export function identities(start: Start): void {
  const [cookie, bearer] = carriers(start);
  for (const carried of carriers(start)) {
    rotating(carried);
    writingBack(carried);
  }
  if (cookie) setting(cookie);
  if (cookie) signingOut(cookie, Object.keys(SIGNING_OUT));
  if (bearer) signingOut(bearer, ["rotate to null", "rotate to null with more"]);
  others(start);
}

function rotating(carried: Carried): void {
  describe(`rotate that names a user, by ${carried.name}`, () => {
    for (const [whose, before] of Object.entries(WHOSE)) {
      test(`makes a session of its values alone of one that was ${whose}`, async () => {
        const app = await carried.start();
        const { client, old } = await visitor(carried, app, before);
        const answer = await client.send(({ session }) =>
          session.rotate({ user_id: 1, theme: "light" }),
        );
        expect(carried.told(answer)).toBe("a token");
        const data = { user_id: 1, theme: "light" };
        expect(answer.value).toMatchObject({ session: { data } });
        await expectReplaced(carried, app, { client, old, data });
      });
    }

    test("keeps the data and the deadlines of the same user's, and kills the old token at once", async () => {
      const app = await carried.start();
      const { client, old } = await visitor(carried, app, { ...BEFORE, user_id: 1 });
      const before = await app.sessions.get(old.token, { touch: false });
      const answer = await client.send(({ session }) =>
        session.rotate({ user_id: 1, theme: "light" }),
      );
      expect(carried.told(answer)).toBe("a token");
      expect(client.token).not.toBe(old.token);
      expect(await client.data()).toEqual({ ...BEFORE, user_id: 1, theme: "light" });
      const { absoluteDeadline, createdAt, lineage } = before ?? {};
      expect(await app.sessions.get(client.token)).toMatchObject({
        absoluteDeadline,
        createdAt,
        lineage,
      });
      const copy = carried.client(app, old.token);
      expect(await copy.data()).toEqual({});
      const late = await copy.send(({ session }) => session.set({ theme: "x" }));
      expect([late.status, carried.told(late)]).toEqual([409, "nothing"]);
    });

    test("is nothing where there is no session", async () => {
      const app = await carried.start();
      const client = await carried.visitor(app, { user_id: 1 });
      await app.sessions.delete(client.token);
      const answer = await client.send(({ session }) => session.rotate({ user_id: 1 }));
      expect([answer.value, carried.told(answer)]).toEqual([null, "nothing"]);
    });
  });
}

function writingBack(carried: Carried): void {
  describe(`set of the same user, by ${carried.name}`, () => {
    test("is a plain write: whole objects are written back, and the token stays", async () => {
      const app = await carried.start();
      const { client, old } = await visitor(carried, app, { ...BEFORE, user_id: 1 });
      const answer = await client.send(async ({ session }) => {
        await session.set({ ...(await session.get()), theme: "light" });
        return session.get();
      });
      const data = { ...BEFORE, user_id: 1, theme: "light" };
      expect([answer.value, carried.told(answer)]).toEqual([data, "nothing"]);
      expect(client.token).toBe(old.token);
      expect(await app.sessions.get(old.token)).toMatchObject({ lineage: old.lineage, data });
    });

    test("of nobody's session that is still nobody's is one, too", async () => {
      const app = await carried.start();
      const { client, old } = await visitor(carried, app, BEFORE);
      for (const values of [{ user_id: null }, { user_id: [] }, { user_id: undefined }]) {
        const answer = await client.send(async ({ session }) => {
          await session.set({ ...(await session.get()), ...(values as object) });
        });
        expect([answer.status, carried.told(answer)]).toEqual([200, "nothing"]);
      }
      expect((await client.send(({ session }) => session.unset(["user_id"]))).value).toBe(true);
      expect(client.token).toBe(old.token);
      expect(await client.data()).toEqual(BEFORE);
    });
  });
}

function setting(carried: Carried): void {
  describe("set that names a user, by a cookie", () => {
    for (const [whose, before] of Object.entries(WHOSE)) {
      test(`makes a session of its values alone of one that was ${whose}`, async () => {
        const app = await carried.start();
        const { client, old } = await visitor(carried, app, before);
        const operations = await app.recordOperations(async () => {
          const answer = await client.send(({ session }) =>
            session.set({ user_id: 1, theme: "light" }),
          );
          expect([answer.status, carried.told(answer)]).toEqual([200, "a token"]);
        });
        expect(operations).toEqual(["change"]);
        const data = { user_id: 1, theme: "light" };
        await expectReplaced(carried, app, { client, old, data });
      });

      test(`leaves one alone that was ${whose} where it would be too large`, async () => {
        const app = await carried.start({ sessions: { maxBytes: 90 } });
        const { client, old } = await visitor(carried, app, before);
        const answer = await client.send(({ session }) =>
          session.set({ user_id: 1, theme: "x".repeat(90) }),
        );
        expect([answer.status, carried.told(answer)]).toEqual([413, "nothing"]);
        expect(client.token).toBe(old.token);
        expect(await client.data()).toEqual(before);
      });
    }

    test("is the same user's with one of several in common, and another's with none", async () => {
      const app = await carried.start();
      const { client, old } = await visitor(carried, app, {
        theme: "dark",
        user_id: [1, 2],
      } as object);
      const set = (user_id: readonly number[]) =>
        client.send(({ session }) => session.set({ user_id } as object));
      expect(carried.told(await set([2, 3]))).toBe("nothing");
      expect(client.token).toBe(old.token);
      expect(await client.data()).toEqual({ theme: "dark", user_id: [2, 3] });
      expect(carried.told(await set([1]))).toBe("a token");
      expect(await client.data()).toEqual({ user_id: [1] });
    });
  });
}

function signingOut(carried: Carried, ways: readonly string[]): void {
  describe(`a sign-out by ${carried.name}`, () => {
    for (const [way, [handler, data]] of Object.entries(SIGNING_OUT)) {
      if (!ways.includes(way)) continue;
      test(`ends the user's session and makes one of nobody: ${way}`, async () => {
        const app = await carried.start();
        const { client, old } = await visitor(carried, app, { ...BEFORE, user_id: 2 });
        const answer = await client.send(handler);
        expect([answer.status, carried.told(answer)]).toEqual([200, "a token"]);
        expect((await client.send(({ session }) => session.load())).value).not.toBeNull();
        await expectReplaced(carried, app, { client, old, data });
      });
    }

    for (const [way, values] of [
      ["null", { user_id: null }],
      ["an empty list", { user_id: [] }],
    ] as const) {
      test(`by rotate to ${way} renews nobody's session, and keeps what it has`, async () => {
        const app = await carried.start();
        const { client, old } = await visitor(carried, app, BEFORE);
        await client.send(({ session }) => session.rotate(values as object));
        expect(client.token).not.toBe(old.token);
        expect(await client.data()).toMatchObject(BEFORE);
        expect(await carried.client(app, old.token).data()).toMatchObject(BEFORE);
      });
    }
  });
}

function others(start: Start): void {
  describe("what says nothing of the user", () => {
    test("keeps the token: the same user, a team, a field, nothing", async () => {
      const app = await start();
      const browser = await app.visitor({ user_id: 1 });
      const { token } = browser;
      for (const values of [{ user_id: 1 }, { team_ids: [7] }, { theme: "dark" }, {}]) {
        const answer = await browser.send(({ session }) => session.set(values));
        expect(answer.setCookies).toEqual([]);
      }
      expect(browser.token).toBe(token);
    });

    test("keeps the token where no reference says who the user is", async () => {
      const app = await start({ sessions: { references: { user_id: { identity: false } } } });
      const browser = await app.visitor({ cart: ["tea"] });
      const { token } = browser;
      for (const change of [
        ({ session }) => session.set({ user_id: 1 }),
        ({ session }) => session.set({ user_id: 2 }),
        ({ session }) => session.unset(["user_id"]),
      ] as Handler[]) {
        expect((await browser.send(change)).setCookies).toEqual([]);
      }
      expect(browser.token).toBe(token);
      await browser.send(({ session }) => session.rotate({ user_id: 1 }));
      expect(await browser.data()).toEqual({ cart: ["tea"], user_id: 1 });
      expect(await app.browser(token).data(), "an alias").toEqual({ cart: ["tea"], user_id: 1 });
    });
  });
}
