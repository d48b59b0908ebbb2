/*
 * Sessions of a foreign layout that several programs migrate, use and end at the same time: in every
 * order of their commands, and where a migrating program dies or sends a command twice.
 */
import assert from "node:assert/strict";
import { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Chooser, Scheduler } from "../../proofs/interleavings/scheduler.ts";
import { intercepted } from "../../support/intercept.ts";
import { everyChoice } from "../../support/proofs/turnstile.ts";
import { fc, runs } from "../../support/properties.ts";
import { type RedisServer, startRedis } from "../../support/redis/server.ts";
import { parseTimes } from "../../support/stores/times.ts";
import { type Opened, ORIGINS } from "./origins.ts";

let server: RedisServer;
let client: Redis;
beforeAll(async () => {
  server = await startRedis();
  client = new Redis(server.socket);
});
afterAll(async () => {
  client.disconnect();
  await server.stop();
});

const scheduler = new Scheduler();
/** How many orders are tried where there are too many. */
const RANDOM = 60;

/** Choices from a list of numbers; the first ones where it ends. */
function listedChoices(numbers: readonly number[]): Chooser {
  let at = 0;
  return { pick: (options) => (numbers[at++] ?? 0) % options };
}

async function drain(opened: Opened): Promise<void> {
  for await (const _ of opened.moveAll());
}

describe.each(ORIGINS.map((origin) => [origin.name, origin] as const))("%s", (_name, origin) => {
  /**
   * Runs what actors do in every order of their commands, or, where those are too many, in random
   * ones; then `check` looks at what is left.
   */
  async function inOrders(
    actors: readonly ((opened: Opened) => Promise<unknown>)[],
    check: (direct: Opened) => Promise<void>,
    random = 0,
  ): Promise<void> {
    const direct = origin.open(client);
    await direct.read(); // the scripts are loaded
    const opened = actors.map(() => origin.open(scheduler.client(client)));
    for (const one of opened) await one.read(); // and the time is known
    const schedule = async (chooser: Chooser) => {
      await Promise.all([client.flushdb(), origin.lay(client)]); // in this order, on one connection
      const work = actors.map((actor, i) => async () => void (await actor(opened[i] as Opened)));
      await scheduler.drive(work, chooser);
      await check(direct).catch((cause) => {
        throw new Error(scheduler.log, { cause });
      });
    };
    const numbers = fc.array(fc.nat(11), { minLength: 30, maxLength: 30 });
    if (random === 0) expect(await everyChoice(schedule)).toBeGreaterThan(10);
    else
      await fc.assert(
        fc.asyncProperty(numbers, (list) => schedule(listedChoices(list))),
        runs(random),
      );
  }

  const left = async () => {
    const [hashes, old] = await Promise.all([
      client.keys(origin.sessions),
      client.exists(origin.key),
    ]);
    const owns = await Promise.all(hashes.map((key) => client.hget(key, "@")));
    const live = owns.filter(parseTimes); // no tombstone
    return { old, now: live.length };
  };

  /** Nothing is left of the session, and nothing brings it back. */
  async function isGone(direct: Opened): Promise<void> {
    assert.equal(await direct.read(), null);
    await drain(direct);
    assert.deepEqual(await left(), { old: 0, now: 0 });
  }

  test("two that read an old session first, side by side, have one and the same new one", () =>
    inOrders(
      [1, 2].map(() => async (opened: Opened) => assert.equal(await opened.read(), "dark")),
      async () => assert.deepEqual(await left(), { old: 0, now: 1 }),
    ));

  test("one that was ended is not brought back by a request that had read it before", () =>
    inOrders([(opened) => opened.read(), (opened) => opened.end()], isGone));

  test("nor by one that writes to it", () =>
    inOrders([(opened) => opened.write("light"), (opened) => opened.end()], isGone));

  test("nor by two of which one has migrated it", () =>
    inOrders(
      [
        (opened) => opened.read(),
        async (opened) => {
          await opened.read();
          await opened.end();
        },
      ],
      isGone,
      RANDOM,
    ));

  test("nor by moveSessions", () => inOrders([drain, (opened) => opened.end()], isGone, RANDOM));

  test("moveSessions and a request that uses it leave one session, and both see it", () =>
    inOrders(
      [drain, async (opened) => assert.equal(await opened.read(), "dark")],
      async (direct) => {
        assert.deepEqual(await left(), { old: 0, now: 1 });
        assert.equal(await direct.read(), "dark");
      },
      RANDOM,
    ));

  test("ended with all of its user's, it is not brought back by a request that had read it", () =>
    inOrders(
      [
        (opened) => opened.read(),
        async (opened) => {
          // Without an old index, everything is migrated before.
          if (!origin.indexed) await drain(opened);
          await opened.endAllOfUser();
        },
      ],
      isGone,
      RANDOM,
    ));

  test("if the program that migrates it dies at any command, the next one finds it, and ends it for good", async () => {
    const direct = origin.open(client);
    await atEachCommand(async (at) => {
      let sent = 0;
      const dying = intercepted(client, async (_, pass) => {
        if (++sent > at) throw new Error("the client is dead");
        const last = sent === at;
        const reply = await pass();
        if (last) throw new Error("the client is dead");
        return reply;
      });
      await client.flushdb();
      await origin.lay(client);
      const died = await origin
        .open(dying)
        .read()
        .then(
          () => false,
          () => true,
        );
      expect(await direct.read()).toBe("dark");
      expect((await left()).now).toBe(1);
      // By a call that knows nothing of the foreign layout, as clear() of a set.
      await client.del(await client.keys(origin.sessions));
      await isGone(direct);
      return died;
    });
  });

  test("a command that is carried out again when all is over brings nothing back", async () => {
    const direct = origin.open(client);
    await atEachCommand(async (at) => {
      let sent = 0;
      let again = async (): Promise<unknown> => undefined;
      const resending = intercepted(client, (_, pass) => {
        if (++sent === at) again = pass;
        return pass();
      });
      await client.flushdb();
      await origin.lay(client);
      const opened = origin.open(resending);
      await opened.read();
      const last = sent < at;
      await opened.end();
      await again();
      await isGone(direct);
      return !last;
    });
  });
});

/** Tries something at the first command, the second, and so on, until it says that there are no more. */
async function atEachCommand(attempt: (at: number) => Promise<boolean>): Promise<void> {
  let at = 1;
  while (await attempt(at)) at++;
  expect(at).toBeGreaterThan(4);
}
