import assert from "node:assert/strict";
import { isCommandStore } from "../../store/commanding.ts";
import type { SessionStore } from "../../store/contract.ts";
import { command, createMerge } from "../commands/steps.ts";
import { newId, newIdBeside } from "../ids.ts";
import {
  change,
  changeUser,
  createForUser,
  createRotation,
  DAY_MS,
  expectDone,
  findLive,
  HOUR_MS,
  of,
  renew,
} from "../steps.ts";
import type { StoreTest } from "../store-test.ts";
import { assertTold, ended, feedTest, hearAll, listen, rotated, type Told } from "./steps.ts";

const MINUTE_MS = HOUR_MS / 60;

/** What is told of a session whose deadline, which it has now, was brought forward. */
async function shortened(store: SessionStore, id: string, lineage: string = id): Promise<Told> {
  const { expiresAt } = await findLive(store, id);
  return { type: "shortened", id, lineage, expiresAt };
}

export const tellingDeadlines: readonly StoreTest[] = [
  feedTest("the feed tells of a deadline that is brought forward, once", async ({ store }) => {
    const id = await createForUser(store, "1");
    const listening = await listen(store, id);
    expectDone(await change(store, id, { idleTimeout: MINUTE_MS }));
    const first = await shortened(store, id);
    expectDone(await change(store, id, { set: { a: "1" }, idleTimeout: MINUTE_MS / 2 }));
    const second = await shortened(store, id);
    expectDone(await change(store, id, { set: { a: "2" }, idleTimeout: MINUTE_MS / 2 }));
    await assertTold(store, id, listening, first, second);
  }),

  feedTest("the feed tells of a deadline that an alias brings forward", async ({ store }) => {
    const [first = "", second = ""] = await renew(store, await createForUser(store, "1"), 1);
    const listening = await listen(store, first);
    expectDone(await change(store, first, { idleTimeout: MINUTE_MS }));
    await assertTold(store, first, listening, await shortened(store, second, first));
  }),

  feedTest("the feed tells of a deadline that a rotation brings forward", async ({ store }) => {
    const id = await createForUser(store, "1");
    const [second, third] = [newIdBeside(id), newIdBeside(id)];
    const listening = await listen(store, id);
    const draft = { idleTimeout: MINUTE_MS, rotation: createRotation(second) };
    expectDone(await change(store, id, draft));
    const told = await shortened(store, second, id);
    const sameUser = changeUser(third, "1", { when: "always" });
    expectDone(await store.change(second, { ...sameUser, idleTimeout: MINUTE_MS / 2 }));
    await assertTold(
      store,
      id,
      listening,
      rotated(id, second),
      told,
      rotated(second, third, id),
      await shortened(store, third, id),
    );
  }),

  feedTest("the feed tells of a deadline that has passed with the change", async (under) => {
    const { store, elapse } = under;
    const id = await createForUser(store, "1");
    const listening = await listen(store, id);
    expectDone(await change(store, id, { idleTimeout: 1 }));
    await elapse(5);
    assert.equal((await store.find(id)).state, "gone");
    const [event, ...more] = await hearAll(store, id, listening);
    assert.equal(event?.type, "shortened");
    assert.ok(event.expiresAt <= event.at + 1, "the deadline is just after the change");
    assert.deepEqual(more, []);
  }),

  feedTest("the feed tells nothing of a deadline that stays or is put off", async (under) => {
    const { store, elapse } = under;
    const id = await createForUser(store, "1", { idleTimeout: HOUR_MS, absoluteTimeout: DAY_MS });
    const capped = await createForUser(store, "1", {
      id: newIdBeside(id),
      idleTimeout: null,
      absoluteTimeout: HOUR_MS,
    });
    const listening = await listen(store, id);
    for (const idleTimeout of [null, HOUR_MS, 2 * HOUR_MS, 2 * DAY_MS]) {
      await elapse(2);
      expectDone(await change(store, id, { set: { a: "1" }, idleTimeout }));
    }
    // The absolute deadline, which is nearer, stays.
    expectDone(await change(store, capped, { idleTimeout: DAY_MS }));
    expectDone(await change(store, capped, { idleTimeout: 2 * HOUR_MS }));
    await assertTold(store, id, listening);
  }),

  feedTest("the feed tells nothing of a nearer deadline that is refused", async ({ store }) => {
    const id = await createForUser(store, "1");
    const other = newIdBeside(id);
    const listening = await listen(store, id);
    const nearer = { idleTimeout: MINUTE_MS };
    await change(store, id, { ...nearer, where: of("user_id", "2") });
    await change(store, id, { ...nearer, set: { a: "x".repeat(100) }, maxBytes: 10 });
    await change(store, newIdBeside(id), nearer);
    await store.change(id, { ...changeUser(other, "2", { when: "never" }), ...nearer });
    await assertTold(store, id, listening);
  }),

  feedTest("the feed tells of a session in the place of another only its ending", async (under) => {
    const { store } = under;
    const id = await createForUser(store, "1");
    const listening = await listen(store, id);
    const replacement = { idleTimeout: MINUTE_MS, absoluteTimeout: MINUTE_MS, without: [] };
    const sent = changeUser(newIdBeside(id), "2", { replacement });
    expectDone(await store.change(id, { ...sent, idleTimeout: MINUTE_MS }));
    await assertTold(store, id, listening, ended("sign-in", id));
  }),

  feedTest("a store that takes commands tells of a deadline long past", async ({ store }) => {
    if (!isCommandStore(store)) return;
    const beside = newId(store.shards);
    for (const expiresAt of [0, -1]) {
      const id = await createForUser(store, "1", { id: newIdBeside(beside) });
      const listening = await listen(store, id);
      expectDone(await command(store, id, { absoluteDeadline: expiresAt }));
      const told: Told = { type: "shortened", id, lineage: id, expiresAt };
      await assertTold(store, id, listening, told);
      await listening.stop();
    }
  }),

  feedTest("a store that takes commands tells what they bring forward", async ({ store }) => {
    if (!isCommandStore(store)) return;
    const id = await createForUser(store, "1");
    const made = newIdBeside(id);
    const to = newIdBeside(id);
    const listening = await listen(store, id);
    const { lastSeenAt } = await findLive(store, id);
    const told: Told[] = [];
    const nearer = [
      { absoluteTimeout: MINUTE_MS },
      { absoluteDeadline: lastSeenAt + MINUTE_MS / 2 },
      { idleTimeout: MINUTE_MS / 4 },
    ];
    for (const draft of nearer) {
      expectDone(await command(store, id, draft));
      told.push(await shortened(store, id));
    }
    expectDone(await command(store, id, { absoluteTimeout: HOUR_MS, idleTimeout: HOUR_MS }));
    expectDone(await command(store, made, { absoluteTimeout: MINUTE_MS, create: true }));
    const merge = { ...createMerge(to, "2"), absoluteTimeout: MINUTE_MS };
    expectDone(await store.command(id, merge));
    told.push(rotated(id, to), await shortened(store, to, id));
    await assertTold(store, id, listening, ...told);
  }),
];
