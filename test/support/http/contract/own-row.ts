/* A list of devices, from whose page its user ends one or all: also the one the page is seen on. */
import { describe, expect, test } from "vitest";
import type { Handler, TestApp } from "../app.ts";
import { type Carried, type Client, carriers } from "../carried.ts";
import type { Start } from "./contract.ts";

/** Two devices of one user, and of each the id and lineage as its own page shows them. */
async function devices(carried: Carried, options = {}) {
  const app = await carried.start(options);
  const [phone, laptop] = [
    await carried.visitor(app, { user_id: 1, theme: "dark" }),
    await carried.visitor(app, { user_id: 1 }),
  ];
  for (const each of [phone, laptop]) await each.send(renew); // so that no id is a lineage
  return {
    app,
    phone,
    laptop,
    ofPhone: await readIds(app, phone),
    ofLaptop: await readIds(app, laptop),
  };
}

async function readIds(app: TestApp, { token }: Client) {
  const { id = "", lineage = "" } = (await app.sessions.get(token, { touch: false })) ?? {};
  return { id, lineage };
}

const renew: Handler = ({ session }) => session.rotate({}, { grace: "1 hour" });

/** Fails unless a client's session is ended as by its own `delete`. */
async function expectEnded(carried: Carried, app: TestApp, token: string | undefined) {
  const late = carried.client(app, token);
  expect(await late.data()).toEqual({});
  const { error } = await late.send(({ session }) => session.set({ theme: "x" }));
  expect(error, "a tombstone").toMatchObject({ code: "ERR_SESSION_GONE" });
}

export function ownRows(start: Start): void {
  for (const carried of carriers(start)) {
    describe(`a device that ends its own row, by ${carried.name},`, () => {
      ending(carried);
      sparing(carried);
    });
  }
  flashes(start);
}

function ending(carried: Carried): void {
  for (const [name, of] of [
    ["id", ({ id }: { id: string }) => id],
    ["lineage", ({ lineage }: { lineage: string }) => lineage],
  ] as const) {
    for (const renewed of [false, true]) {
      test(`is signed out by its ${name}${renewed ? ", on a page from before a renewal" : ""}`, async () => {
        const { app, phone, laptop, ofPhone } = await devices(carried);
        if (renewed) await phone.send(renew);
        const { token } = phone;
        const answer = await phone.send(async ({ session }) => [
          await (await session.peers("user_id"))?.delete(of(ofPhone as never)),
          session.id,
          await session.get(),
        ]);
        expect(answer.value).toEqual([true, null, {}]);
        expect(carried.told(answer)).toBe(carried.ended);
        await expectEnded(carried, app, token);
        expect(await laptop.data()).toEqual({ user_id: 1 });
      });
    }
  }

  test("is signed out with all others by clear, which counts it", async () => {
    const { app, phone, laptop } = await devices(carried);
    const { token } = phone;
    const answer = await phone.send(async ({ session }) => [
      await (await session.peers("user_id"))?.clear(),
      session.id,
    ]);
    expect(answer.value).toEqual([2, null]);
    expect(carried.told(answer)).toBe(carried.ended);
    await expectEnded(carried, app, token);
    expect(await laptop.data()).toEqual({});
  });

  test("is signed out by a clear that spares another device, before or after a renewal of that", async () => {
    for (const name of ["id", "lineage"] as const) {
      for (const renewed of [false, true]) {
        const { app, phone, laptop, ofLaptop } = await devices(carried);
        const tablet = await carried.visitor(app, { user_id: 1 });
        if (renewed) await laptop.send(renew);
        const { token } = phone;
        const answer = await phone.send(async ({ session }) => [
          await (await session.peers("user_id"))?.clear({ except: ofLaptop[name] }),
        ]);
        expect(answer.value).toEqual([2]);
        expect(carried.told(answer)).toBe(carried.ended);
        await expectEnded(carried, app, token);
        expect(await tablet.data()).toEqual({});
        expect(await laptop.data()).toEqual({ user_id: 1 });
      }
    }
  });

  test("is signed out through an old token, too", async () => {
    for (const end of [
      async ({ session }) => (await session.peers("user_id"))?.delete(session.id ?? ""),
      async ({ session }) => (await session.peers("user_id"))?.clear(),
      async ({ session }) => (await session.peers("user_id"))?.clear({ except: session.id }),
    ] as Handler[]) {
      const { app, phone } = await devices(carried);
      const old = carried.client(app, phone.token);
      await phone.send(renew);
      const answer = await old.send(end);
      expect([true, 2]).toContain(answer.value);
      expect(carried.told(answer)).toBe(carried.ended);
      await expectEnded(carried, app, phone.token);
    }
  });
}

function sparing(carried: Carried): void {
  test("keeps it when another row is ended, by an id, an old id or a lineage", async () => {
    for (const name of ["id", "lineage"] as const) {
      for (const renewed of [false, true]) {
        const { app, phone, laptop, ofLaptop } = await devices(carried);
        if (renewed) await laptop.send(renew);
        const answer = await phone.send(async ({ session }) => [
          await (await session.peers("user_id"))?.delete(ofLaptop[name]),
          await (await session.peers("user_id"))?.delete(ofLaptop[name]),
        ]);
        expect([answer.value, carried.told(answer)]).toEqual([[true, false], "nothing"]);
        expect(await laptop.data()).toEqual({});
        expect(await phone.data()).toEqual({ user_id: 1, theme: "dark" });
        expect(await app.sessions.by("user_id", 1).size()).toBe(1);
      }
    }
  });

  test("keeps it by a clear that spares it, by its id, lineage, or id of before a renewal", async () => {
    for (const name of ["id", "lineage"] as const) {
      for (const renewed of [false, true]) {
        const { phone, laptop, ofPhone } = await devices(carried);
        if (renewed) await phone.send(renew);
        const answer = await phone.send(async ({ session }) => [
          await (await session.peers("user_id"))?.clear({ except: ofPhone[name] }),
        ]);
        expect([answer.value, carried.told(answer)]).toEqual([[1], "nothing"]);
        expect(await phone.data()).toEqual({ user_id: 1, theme: "dark" });
        expect(await laptop.data()).toEqual({});
      }
    }
  });

  test("keeps it by a clear of a request that has just given it a new id", async () => {
    const { phone, laptop, ofPhone } = await devices(carried);
    await phone.send(async ({ session }) => {
      const rotated = await session.rotate();
      await (await session.peers("user_id"))?.clear({ except: ofPhone.id });
      return rotated;
    });
    expect(await phone.data()).toEqual({ user_id: 1, theme: "dark" });
    expect(await laptop.data()).toEqual({});
  });

  test("keeps it where it is not one of the set any more, or the row is another user's", async () => {
    const { app, phone, ofPhone } = await devices(carried);
    const stranger = await carried.visitor(app, { user_id: 2 });
    const { value } = await phone.send(async ({ session }) => {
      await session.set({ team_ids: [7] });
      const team = await session.peers("team_ids");
      await session.set({ team_ids: [8] });
      const user = await session.peers("user_id");
      return [
        await team?.delete(ofPhone.id),
        await team?.clear(),
        await user?.delete((await readIds(app, stranger)).id),
      ];
    });
    expect(value).toEqual([false, 0, false]);
    expect(await phone.data()).toMatchObject({ user_id: 1 });
    expect(await stranger.data()).toEqual({ user_id: 2 });
  });
}

/** How a request ends its own session. */
const ENDING: Record<string, Handler> = {
  delete: ({ session }) => session.delete(),
  "peers' delete": async ({ session }) =>
    (await session.peers("user_id"))?.delete(session.id ?? ""),
  "peers' clear": async ({ session }) => (await session.peers("user_id"))?.clear(),
  signOutEverywhere: ({ session }) => session.signOutEverywhere("user_id"),
};

function flashes(start: Start): void {
  describe("a request that ends its own session", () => {
    for (const [verb, end] of Object.entries(ENDING)) {
      test(`by ${verb} may leave a message for the next page: a new session, of nobody`, async () => {
        const app = await start();
        const browser = await app.visitor({ user_id: 1, cart: ["tea"] });
        const { token } = browser;
        const answer = await browser.send(async (context) => {
          await end(context);
          await context.session.set({ theme: "signed out" });
        });
        expect([answer.status, answer.setCookies.length]).toEqual([200, 1]);
        expect(browser.token).not.toBe(token);
        expect(await browser.data()).toEqual({ theme: "signed out" });
        expect(await app.browser(token).data()).toEqual({});
      });

      test(`by ${verb} after the headers ends it all the same`, async () => {
        const app = await start();
        const browser = await app.visitor({ user_id: 1 });
        const { text } = await browser.send(async (context) => {
          await context.sendHeaders();
          return Promise.resolve(end(context)).catch(({ code }) => code);
        });
        expect([true, 1]).toContainEqual(JSON.parse(text).value);
        expect(await browser.data()).toEqual({});
      });
    }

    test("by the id of before a renewal after the headers ends it all the same", async () => {
      for (const name of ["first", "second"] as const) {
        const app = await start();
        const browser = await app.visitor({ user_id: 1 });
        const first = String(await browser.id());
        await browser.send(renew);
        const second = String(await browser.id());
        await browser.send(renew);
        const id = { first, second }[name];
        const { text } = await browser.send(async ({ session, sendHeaders }) => {
          const peers = await session.peers("user_id");
          await sendHeaders();
          return peers?.delete(id).catch(({ code }) => code);
        });
        expect(JSON.parse(text)).toEqual({ value: true });
        expect(await browser.data()).toEqual({});
      }
    });
  });
}
