/* A server that is down, slow, frozen or new: errors in time, and everything works again after it. */
import { createConnection } from "node:net";
import { inspect } from "node:util";
import { Redis } from "ioredis";
import type { Sessions } from "session-sets";
import { redisStore } from "session-sets/redis";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { intercepted } from "../../../support/intercept.ts";
import { loopTime } from "../../../support/loop-time.ts";
import {
  catchFailure,
  createSessionsOn,
  type Data,
  type Made,
  makeSession,
  operations,
  SECRET,
  snapshot,
} from "../../../support/proofs/operations.ts";
import { openProxy } from "../../../support/redis/proxy.ts";
import { type RedisServer, startRedis } from "../../../support/redis/server.ts";
import { type Client, clients } from "../../../support/stores/stores.ts";

const TIMEOUT = 400;
/** How much later than its time a call may end, in time of the event loop. */
const SLACK = 1500;

describe.each(Object.entries(clients))("with %s", (_kind, connect) => {
  let server: RedisServer;
  let client: Client;
  /** They wait for the server a short time, and as long as it takes. */
  let impatient: Sessions<Data>;
  let sessions: Sessions<Data>;
  beforeEach(async () => {
    server = await startRedis();
    client = connect(server.url);
    client.on("error", () => {}); // a client that nobody listens to logs its errors
    use(client);
  });
  afterEach(async () => {
    client.disconnect();
    await server.stop();
  });

  function use(one: Client): void {
    impatient = createSessionsOn(redisStore(one, { timeout: TIMEOUT }));
    sessions = createSessionsOn(redisStore(one, { timeout: "20 seconds" }));
  }

  /** Until the impatient ones know the server's time: then they send a command at once. */
  async function learnTime({ token }: Made): Promise<void> {
    const touch = () => impatient.touch(token).then(String, () => null);
    expect(await vi.waitUntil(touch, 60_000)).toBe("true");
  }

  /** Fails unless every operation is refused in time, with an error that tells no secret. */
  async function expectAllFail(made: Made, advice: RegExp): Promise<void> {
    const start = loopTime();
    const all = Object.values(operations(impatient, made));
    await Promise.all(
      all.map(async (operation) => {
        const error = await catchFailure(operation);
        expect(loopTime() - start).toBeLessThan(TIMEOUT + SLACK);
        expect(error.message).toMatch(advice);
        const shown = inspect(error, { depth: null, showHidden: true });
        expect(shown).not.toContain(SECRET);
        expect(shown).not.toContain(made.token);
      }),
    );
  }

  const NO_ANSWER = /no answer within 400 ms\. Check that the server is running/;

  test("a server that was never there", async () => {
    await server.kill();
    const nobody = connect(server.url);
    nobody.on("error", () => {});
    use(nobody);
    const id = `AA${"a".repeat(22)}`;
    const token = `AA${"a".repeat(32)}`;
    const made = {
      oldToken: token,
      token,
      session: { id, lineage: id, expiresAt: new Date() } as Made["session"],
    };
    await expectAllFail(made, NO_ANSWER);
    await server.restart();
    await vi.waitUntil(() => nobody.status === "ready", 60_000);
    expect((await sessions.get((await makeSession(sessions)).token))?.data.user_id).toBe(1);
    nobody.disconnect();
  });

  test("a server that goes down and comes back, without its scripts", async () => {
    const made = await makeSession(sessions);
    await server.kill();
    await vi.waitUntil(() => client.status !== "ready", 60_000);
    await expectAllFail(made, NO_ANSWER);
    await server.restart();
    await vi.waitUntil(() => client.status === "ready", 60_000);
    expect(await sessions.get(made.token)).toBeNull(); // it kept nothing
    const { token, session } = await makeSession(sessions);
    expect((await sessions.get(token))?.id).toBe(session.id);
    expect(await sessions.by("user_id", 1).ids()).toEqual([session.id]);
    expect(await sessions.by("user_id", 1).clear()).toBe(1);
  });

  test("a server that is frozen for a while: what was sent meanwhile has no effect", async () => {
    const made = await makeSession(sessions);
    await learnTime(made);
    const before = await snapshot(client);
    server.pause();
    await expectAllFail(made, NO_ANSWER);
    server.resume();
    expect(await snapshot(client)).toEqual(before);
    expect(await sessions.set(made.token, { secret: "changed" })).toBe(true);
  });

  test("a server that answers later than the timeout", async () => {
    const made = await makeSession(sessions);
    await learnTime(made);
    const before = await snapshot(client);
    const monitor = createConnection(server.port); // a pause does not hold it back, so it can end it
    let answers = "";
    monitor.on("data", (chunk) => {
      answers += chunk;
    });
    monitor.write("MONITOR\r\nCLIENT PAUSE 600000\r\n");
    await vi.waitUntil(() => answers.match(/\+OK\r\n/g)?.length === 2, 60_000);
    await expectAllFail(made, NO_ANSWER);
    monitor.write("CLIENT UNPAUSE\r\n");
    expect(await snapshot(client)).toEqual(before);
    expect(await sessions.touch(made.token)).toBe(true);
    monitor.destroy();
  });

  test("a client that is not connected and does not wait", async () => {
    const made = await makeSession(sessions);
    client.options.enableOfflineQueue = false;
    await server.kill();
    await vi.waitUntil(() => client.status !== "ready", 60_000);
    await expectAllFail(made, /isn't writeable.*Check the server and the client's connection/);
  });

  test("a client that was closed", async () => {
    const made = await makeSession(sessions);
    await client.quit();
    await expectAllFail(made, /Connection is closed.*Check the server/);
  });

  test("a connection that is lost again and again", async () => {
    const proxy = await openProxy(server.port);
    const unsteady = connect(proxy.url);
    unsteady.on("error", () => {});
    use(unsteady);
    const made = await makeSession(sessions);
    const lost = setInterval(() => proxy.sever(), 20);
    const start = loopTime();
    for (let i = 0; i < 20; i++) {
      const answer = await impatient.get(made.token).catch((error: unknown) => error);
      if (answer instanceof Error) expect(answer).toHaveProperty("code", "ERR_STORE_UNAVAILABLE");
      else expect(answer).toHaveProperty("id", made.session.id);
    }
    expect(loopTime() - start).toBeLessThan(20 * (TIMEOUT + SLACK));
    clearInterval(lost);
    await vi.waitUntil(() => unsteady.status === "ready", 60_000);
    expect((await sessions.get(made.token))?.id).toBe(made.session.id);
    unsteady.disconnect();
    await proxy.close();
  });

  test("scripts that are flushed while they are in use", async () => {
    const made = await makeSession(sessions);
    const other = connect(server.url);
    for (let round = 0; round < 5; round++) {
      const work = Array.from({ length: 20 }, () => sessions.touch(made.token));
      await other.script("FLUSH");
      expect(new Set(await Promise.all(work))).toEqual(new Set([true]));
      expect(await sessions.by("user_id", 1).size()).toBe(1);
    }
    await other.quit();
  });
});

describe("what a client rejects with", () => {
  test.each<[what: string, reason: unknown, says: RegExp, cause: unknown]>([
    ["a text", "it is down", /: it is down\. Check the server/, "it is down"],
    [
      "an error with a code alone",
      Object.assign(new Error(""), { code: "ECONNREFUSED" }),
      /: ECONNREFUSED\. Check the server/,
      expect.objectContaining({ code: "ECONNREFUSED" }),
    ],
    [
      "an error without a word",
      new RangeError(""),
      /: RangeError\. Check the server/,
      expect.any(Error),
    ],
  ])("%s, the error says and has as its cause", async (_what, reason, says, cause) => {
    const client = new Redis({ lazyConnect: true });
    const rejecting = intercepted(client, () => Promise.reject(reason));
    const error = await createSessionsOn(redisStore(rejecting, { timeout: "20 seconds" }))
      .create({ user_id: 1 })
      .catch((refusal: unknown) => refusal);
    expect(error).toMatchObject({ code: "ERR_STORE_UNAVAILABLE", cause });
    expect((error as Error).message).toMatch(says);
  });
});
