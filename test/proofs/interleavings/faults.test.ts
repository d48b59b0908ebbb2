/*
 * Two operations side by side in every order of their commands, and with every fault of the first at
 * every moment: a client that dies, a command that arrives twice, or too late.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { findActor } from "./cases.ts";
import { Harness } from "./harness.ts";
import { FAULTS } from "./scheduler.ts";

/** One operation of each kind of command, and one of each kind of change to a session. */
const FAULTY = [
  "get",
  "rotate",
  "rotate with changes and without grace",
  "rotate of the same user",
  "rotate to another user",
  "sign in again, keeping the cart",
  "set another team",
  "touch for longer",
  "delete",
  "delete by lineage",
  "create",
  "clear",
  "set of a set to another team",
  "request: get, set, rotate",
];
const BESIDE = ["rotate", "set", "delete", "clear"];

let harness: Harness;
beforeAll(async () => {
  harness = await Harness.open();
});
afterAll(async () => {
  console.log(`${harness.schedules} schedules of two operations, one of them with a fault`);
  await harness.close();
});

describe.each(FAULTS)("a command of the first %s", (kind) => {
  describe.each(FAULTY)("%s", (one) => {
    test.each(BESIDE)("beside %s", async (other) => {
      const setting = { shards: 1, fault: { actor: 0, kind } };
      expect(
        await harness.inEveryOrder([findActor(one), findActor(other)], setting),
      ).toBeGreaterThan(1);
    });
  });
});
