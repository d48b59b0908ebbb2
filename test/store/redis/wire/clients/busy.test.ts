/* A process that is busy while an answer of the server comes: it takes the answer all the same. */
import { redisStore } from "session-sets/redis";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { intercepted } from "../../../../support/intercept.ts";
import {
  createSessionsOn,
  makeSession,
  operations,
} from "../../../../support/proofs/operations.ts";
import { redisUrl } from "../../../../support/redis/shared.ts";
import { clients, freshPrefix } from "../../../../support/stores/stores.ts";

const TIMEOUT = 300;
const BUSY = 900;
/** How often a call is tried whose answer has not come meanwhile, on a busy machine. */
const TRIES = 10;
/** Each is one command. */
const ONES = ["get", "has", "list", "create", "set", "touch", "rotate", "clear", "delete"];

/** Keeps this process from everything else: no timer runs, and nothing is read. */
function beBusy(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, BUSY);
}

describe.each(Object.entries(clients))("with %s", (_, connect) => {
  test("a process that was busy for longer than the timeout takes the answer that has come", async () => {
    const client = connect(redisUrl());
    onTestFinished(() => client.disconnect());
    let busy = false;
    let sent = 0;
    const store = redisStore(
      intercepted(client, (_sent, pass) => {
        const reply = pass();
        sent++;
        if (busy) beBusy(); // the command is sent, its answer not yet read
        return reply;
      }),
      { prefix: freshPrefix(), timeout: TIMEOUT },
    );
    const sessions = createSessionsOn(store);
    // The server knows the scripts then.
    const patient = createSessionsOn(
      redisStore(client, { prefix: freshPrefix(), timeout: "20 seconds" }),
    );
    const warm = operations(patient, await makeSession(patient));
    for (const name of ONES) await warm[name]?.run();

    const make = () =>
      vi.waitUntil(() => makeSession(sessions).catch(() => false as const), 60_000);
    const all = operations(sessions, await make());
    for (const name of ONES) {
      let outcome: unknown;
      for (let left = TRIES; left > 0 && outcome !== "done"; left--) {
        await make(); // what was learnt of the server's time while busy is old
        sent = 0;
        busy = true;
        outcome = await all[name]?.run().then(
          () => "done",
          ({ message }) => message,
        );
        busy = false;
      }
      expect([name, outcome, sent]).toEqual([name, "done", 1]);
    }
  });
});
