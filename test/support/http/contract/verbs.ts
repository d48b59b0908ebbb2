import { describe, expect, test } from "vitest";
import type { Data } from "../app.ts";
import type { Start } from "./contract.ts";

export function verbs(start: Start): void {
  describe("the session of a request", () => {
    test("merges what is set and leaves undefined fields alone", async () => {
      const app = await start();
      const browser = await app.visitor({ theme: "dark", cart: ["tea"] });
      await browser.send(({ session }) => session.set({ theme: undefined, cart: [] }));
      expect(await browser.data()).toEqual({ theme: "dark", cart: [] });
    });

    test("reads the fields that are asked for", async () => {
      const app = await start();
      const browser = await app.visitor({ theme: "dark", user_id: 1 });
      const { value } = await browser.send(({ session }) => session.get(["theme", "cart"]));
      expect(value).toEqual({ theme: "dark" });
    });

    test("removes fields, and says whether there was a session", async () => {
      const app = await start();
      const browser = await app.visitor({ theme: "dark", cart: ["tea"] });
      expect((await browser.send(({ session }) => session.unset(["theme"]))).value).toBe(true);
      expect(await browser.data()).toEqual({ cart: ["tea"] });
      await app.sessions.delete(browser.token);
      expect((await browser.send(({ session }) => session.unset(["cart"]))).value).toBe(false);
    });

    test("tells its id, the place of its data and its dates", async () => {
      const app = await start();
      const browser = await app.visitor({ theme: "dark" });
      const { value } = await browser.send(async ({ session }) => ({
        id: session.id,
        key: session.key,
        session: await session.load(),
      }));
      const id = expect.stringMatching(/^[A-Za-z0-9_-]{24}$/);
      const date = expect.stringMatching(/^20\d\d-/);
      expect(value).toEqual({
        id,
        key: expect.stringContaining("s:"),
        session: {
          id,
          lineage: id,
          data: { theme: "dark" },
          createdAt: date,
          lastSeenAt: date,
          expiresAt: date,
          absoluteDeadline: date,
        },
      });
      const { id: own, key } = value as { id: string; key: string };
      expect(key.endsWith(own)).toBe(true);
      expect((await app.sessions.byId(own).get())?.data).toEqual({ theme: "dark" });
    });

    test("touches: the idle deadline moves, and may be a new one", async () => {
      const app = await start();
      const browser = await app.visitor();
      const expires = async () =>
        (await app.sessions.get(browser.token, { touch: false }))?.expiresAt;
      const before = Number(await expires());
      await app.under.elapse(5);
      expect((await browser.send(({ session }) => session.touch())).value).toBe(true);
      const after = Number(await expires());
      expect(after).toBeGreaterThan(before);
      await browser.send(({ session }) => session.touch({ idleTimeout: "2 hours" }));
      expect(Number(await expires())).toBeGreaterThan(after + 80 * 60_000);
      await app.sessions.delete(browser.token);
      expect((await browser.send(({ session }) => session.touch())).value).toBe(false);
    });

    test("is read anew each time: nothing is kept from one call to the next", async () => {
      const app = await start();
      const browser = await app.visitor({ theme: "dark" });
      const { value } = await browser.send(async ({ session }) => {
        await session.get();
        await app.sessions.set(browser.token, { theme: "light" });
        return session.get();
      });
      expect(value).toEqual({ theme: "light" });
    });

    test("carries out calls made in parallel in their order", async () => {
      const app = await start();
      const browser = await app.visitor({ theme: "dark" });
      const { value, setCookies } = await browser.send(({ session }) =>
        Promise.all([
          session.set({ theme: "a" }),
          session.set({ theme: "b", cart: ["tea"] }),
          session.get(),
          session.rotate({ theme: "c" }).then((rotated) => rotated !== null),
          session.unset(["theme"]),
          session.get(),
          session.delete(),
          session.get(),
          session.set({ theme: "d" }),
        ]),
      );
      // What set resolves to is undefined, which is null in JSON.
      const [none, done] = [null, true];
      expect(value).toEqual([
        none,
        none,
        { theme: "b", cart: ["tea"] },
        done,
        done,
        { cart: ["tea"] },
        done,
        {},
        none,
      ]);
      expect(setCookies).toHaveLength(1);
      expect(await browser.data()).toEqual({ theme: "d" });
    });

    test("goes on after a call that failed", async () => {
      const app = await start();
      const browser = await app.visitor({ theme: "dark" });
      const { value } = await browser.send(async ({ session }) => {
        const [failed, read] = await Promise.allSettled([
          session.set({ "@x": 1 } as object),
          session.get(),
        ]);
        return [failed.status, read];
      });
      expect(value).toEqual(["rejected", { status: "fulfilled", value: { theme: "dark" } }]);
    });

    test("refuses what cannot be stored, and writes nothing", async () => {
      const app = await start({ sessions: { maxBytes: 100 } });
      const browser = await app.visitor({ theme: "dark" });
      const large = await browser.send(({ session }) => session.set({ theme: "x".repeat(200) }));
      expect(large.error).toMatchObject({ code: "ERR_SESSION_TOO_LARGE", status: 413 });
      expect(large.status).toBe(413);
      const value = await browser.send(({ session }) => session.set({ user_id: {} } as object));
      expect(value.error).toMatchObject({ code: "ERR_SESSION_VALUE" });
      const first = await app
        .browser()
        .send(({ session }) => session.set({ theme: "x".repeat(200) }));
      expect([first.status, first.setCookies]).toEqual([413, []]);
      expect(await browser.data()).toEqual({ theme: "dark" });
    });

    test("refuses what is no values and no list of fields, and writes nothing", async () => {
      const app = await start();
      const browser = await app.visitor({ user_id: 1, theme: "dark" });
      for (const bad of [null, "theme", 5, new Map([["theme", "light"]]), new Date()]) {
        const { value } = await browser.send(({ session }) =>
          Promise.all(
            [
              session.set(bad as Data),
              session.unset(bad as never),
              session.rotate(bad as Data),
            ].map((refused) => refused.then(String, ({ code }) => code)),
          ),
        );
        expect(value, String(bad)).toEqual(Array(3).fill("ERR_SESSION_VALUE"));
      }
      expect(await browser.data()).toEqual({ user_id: 1, theme: "dark" });
    });
  });

  describe("peers", () => {
    test("are the sessions with the same value, the current one among them", async () => {
      const app = await start();
      const browser = await app.visitor({ user_id: 1 });
      await app.visitor({ user_id: 1 });
      await app.visitor({ user_id: 2 });
      const { value } = await browser.send(async ({ session }) => {
        const peers = await session.peers("user_id");
        return [await peers?.size(), await peers?.has(session.id ?? "")];
      });
      expect(value).toEqual([2, true]);
    });

    test("can be ended all but the current one", async () => {
      const app = await start();
      const [phone, laptop] = [
        await app.visitor({ user_id: 1 }),
        await app.visitor({ user_id: 1 }),
      ];
      const { value } = await phone.send(async ({ session }) =>
        (await session.peers("user_id"))?.clear({ except: session.id }),
      );
      expect(value).toBe(1);
      expect(await phone.data()).toEqual({ user_id: 1 });
      expect(await laptop.data()).toEqual({});
    });

    test("are null without a session, without a value, and of a value not its own", async () => {
      const app = await start();
      const browser = await app.visitor({ user_id: 1, team_ids: [] });
      const { value } = await browser.send(async ({ session }) => [
        await session.peers("team_ids"),
        await session.peers("team_ids", 7),
        await session.peers("user_id", 2),
        await session.peers("user_id", "1" as unknown as number),
      ]);
      expect(value).toEqual([null, null, null, null]);
      await app.sessions.delete(browser.token);
      const gone = await browser.send(({ session }) => session.peers("user_id"));
      expect(gone.value).toBeNull();
    });

    test("of a field with several values are of the one that is named", async () => {
      const app = await start();
      const browser = await app.visitor({ team_ids: [7, 8] });
      await app.visitor({ team_ids: [8] });
      const { value } = await browser.send(async ({ session }) => [
        await (await session.peers("team_ids", 7))?.size(),
        await (await session.peers("team_ids", 8))?.size(),
        await session.peers("team_ids", 9),
        await session.peers("team_ids").catch(({ code, message }) => [code, message]),
      ]);
      expect(value).toEqual([
        1,
        2,
        null,
        ["ERR_SESSION_VALUE", expect.stringContaining('peers("team_ids", value)')],
      ]);
    });

    test("of a field with one value in its array need no name", async () => {
      const app = await start();
      const browser = await app.visitor({ team_ids: [7] });
      const { value } = await browser.send(async ({ session }) =>
        (await session.peers("team_ids"))?.ids(),
      );
      expect(value).toEqual([await browser.id()]);
    });

    test("of a field that is no reference are ERR_SESSION_CONFIG", async () => {
      const app = await start();
      const browser = await app.visitor({ theme: "dark" });
      const { error } = await browser.send(({ session }) => session.peers("theme"));
      expect(error).toMatchObject({ code: "ERR_SESSION_CONFIG" });
    });
  });
}
