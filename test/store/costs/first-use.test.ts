/* Costs that come once per node: a script's text, and asking for the server's kind and time. */
import { createSessions } from "session-sets";
import { redisStore } from "session-sets/redis";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type RedisServer, startRedis } from "../../support/redis/server.ts";
import { type Meter, openMeter, openSessions, warmUp } from "../../support/stores/costs.ts";
import { clients } from "../../support/stores/stores.ts";
import { editTimes } from "../../support/stores/times.ts";

let server: RedisServer;
beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server.stop());

describe.each(Object.entries(clients))("with %s", (_kind, connect) => {
  let meter: Meter;
  beforeAll(async () => {
    meter = await openMeter(server.url, connect);
  });
  afterAll(() => meter.close());
  beforeEach(() => meter.client.script("FLUSH"));

  test("a fresh server is asked once what it is and its time, and gets the text of a script once", async () => {
    const sessions = openSessions(meter.client, 1);
    await meter.expectCost(() => sessions.create({ user_id: 1 }), 3);
    expect(meter.sent()).toEqual(["INFO", "EVALSHA", "EVAL"]);
    await meter.expectCost(() => sessions.create({ user_id: 1 }), 1);
    expect(meter.sent()).toEqual(["EVALSHA"]);
  });

  test("a store on a server that knows the scripts asks what it is, and so the time, and no more", async () => {
    await warmUp(openSessions(meter.client, 1));
    const sessions = openSessions(meter.client, 1);
    await meter.expectCost(() => sessions.create({ user_id: 1 }), 2);
    await meter.expectCost(() => sessions.create({ user_id: 1 }), 1);
  });

  test("a read asks for the time beside its own command, in the same round trip", async () => {
    const { token } = await openSessions(meter.client, 1).create({ user_id: 1 });
    const sessions = openSessions(meter.client, 1);
    await meter.expectCost(() => sessions.get(token), 2, 1);
    await meter.expectCost(() => sessions.get(token), 1);
  });

  test("the first read of a process counts as use like any other", async () => {
    const prefix = "first";
    const open = () =>
      createSessions({
        store: redisStore(meter.client, { prefix, timeout: "20 seconds" }),
        idleTimeout: "2 hours",
      });
    const { token, session } = await open().create();
    const seen = session.lastSeenAt.getTime() - 3_600_000;
    await editTimes(meter.client, `{first:0}:s:${session.id}`, { seen });
    const read = await open().get(token);
    expect(read?.lastSeenAt.getTime()).toBeGreaterThan(seen);
    expect(meter.sent().at(-1)).toMatch(/^EVAL/); // the touch
  });

  test("scripts that were flushed are sent again once", async () => {
    const sessions = openSessions(meter.client, 1);
    await warmUp(sessions);
    await meter.client.script("FLUSH");
    await meter.expectCost(() => sessions.create({ user_id: 1 }), 2);
    expect(meter.sent()).toEqual(["EVALSHA", "EVAL"]);
    await meter.expectCost(() => sessions.create({ user_id: 1 }), 1);
  });

  test("nothing but reads, INFO and scripts is ever sent", async () => {
    const sessions = openSessions(meter.client, 4);
    meter.proxy.reset();
    await warmUp(sessions);
    const { token, session } = await sessions.create({ user_id: 1 });
    await sessions.get(token);
    await sessions.get(token, ["theme"]);
    await sessions.rotate(token, {}, { grace: 0 });
    expect(await sessions.byId(session.lineage).get()).not.toBeNull();
    expect(new Set(meter.sent())).toEqual(
      new Set(["INFO", "EVALSHA", "EVAL", "HGETALL", "HMGET", "GET"]),
    );
  });
});
