import assert from "node:assert/strict";
import type { CommandStore } from "../../store/commanding.ts";
import type { Limit } from "../../store/entering.ts";
import { createInOrder, END_OLDEST, FULL, REJECT, USER } from "../core/full-sets.ts";
import { newId } from "../ids.ts";
import {
  assertGone,
  assertMembers,
  create,
  expectDone,
  HOUR_MS,
  readTexts,
  toLimited,
} from "../steps.ts";
import type { StoreTest } from "../store-test.ts";
import { commandTest, createCommand } from "./steps.ts";

/** Names user 1, who may have so many sessions, and makes the session where there is none. */
function enter(store: CommandStore, id: string, limit: Limit, absoluteTimeout = HOUR_MS) {
  return store.command(id, {
    ...createCommand({ set: { user_id: "1" }, absoluteTimeout, create: true }),
    references: toLimited({ user_id: ["1"] }, limit),
  });
}

/** Sets with limits that a session enters by a command. */
export const entering: readonly StoreTest[] = [
  commandTest("a command does not let its session into a full set that rejects", async (under) => {
    const { store } = under;
    const full = await createInOrder(under, 2);
    const guest = await create(store, { fields: { a: "1" } });
    const none = newId(store.shards);
    for (const id of [guest, none]) {
      assert.deepEqual(await enter(store, id, REJECT), FULL);
    }
    assert.deepEqual(await readTexts(store, guest), { a: "1" });
    await assertGone(store, none);
    await assertMembers(store, USER, full);
  }),

  commandTest("a command whose session enters a full set ends the oldest there", async (under) => {
    const { store, elapse } = under;
    const [older = "", newer = ""] = await createInOrder(under, 2);
    const guest = await create(store);
    expectDone(await enter(store, guest, END_OLDEST));
    await assertGone(store, older);
    await elapse(2);
    const made = newId(store.shards);
    expectDone(await enter(store, made, END_OLDEST));
    await assertGone(store, newer);
    await assertMembers(store, USER, [guest, made]);
  }),

  commandTest("a session that is in a full set may be changed by commands", async (under) => {
    const { store } = under;
    const full = await createInOrder(under, 2);
    for (const limit of [REJECT, END_OLDEST]) {
      for (const id of full) expectDone(await enter(store, id, limit));
    }
    await assertMembers(store, USER, full);
  }),
];
