import assert from "node:assert/strict";
import { isCommandStore } from "../../store/commanding.ts";
import { createMerge } from "../commands/steps.ts";
import { newIdBeside } from "../ids.ts";
import {
  change,
  changeUser,
  createForUser,
  createRotation,
  expectDone,
  of,
  renew,
} from "../steps.ts";
import type { StoreTest } from "../store-test.ts";
import { assertTold, ended, feedTest, listen, rotated } from "./steps.ts";

export const tellingRotations: readonly StoreTest[] = [
  feedTest("the feed tells each rotation of a session, and then its end", async ({ store }) => {
    const first = await createForUser(store, "1");
    const listening = await listen(store, first);
    const [, second = "", third = ""] = await renew(store, first, 2);
    await store.endAll(of("user_id", "1"));
    await assertTold(
      store,
      first,
      listening,
      rotated(first, second),
      rotated(second, third, first),
      ended("clear", third, first),
    );
  }),

  feedTest("the feed tells a rotation without a grace time", async ({ store }) => {
    const id = await createForUser(store, "1");
    const to = newIdBeside(id);
    const listening = await listen(store, id);
    expectDone(await change(store, id, { rotation: createRotation(to, { grace: 0 }) }));
    await assertTold(store, id, listening, rotated(id, to));
  }),

  feedTest("the feed tells a change of credentials as a rotation", async ({ store }) => {
    const [first = "", second = ""] = await renew(store, await createForUser(store, "1"), 1);
    const to = newIdBeside(first);
    const listening = await listen(store, first);
    const rotation = createRotation(to, { when: "credentials" });
    expectDone(await change(store, first, { rotation }));
    await assertTold(store, first, listening, rotated(second, to, first));
  }),

  feedTest("the feed tells a rotation that names the same user", async ({ store }) => {
    const id = await createForUser(store, "1");
    const to = newIdBeside(id);
    const listening = await listen(store, id);
    expectDone(await store.change(id, changeUser(to, "1", { when: "always" })));
    await assertTold(store, id, listening, rotated(id, to));
  }),

  feedTest("the feed tells of a rotation that is sent twice once", async ({ store }) => {
    const id = await createForUser(store, "1");
    const to = newIdBeside(id);
    const listening = await listen(store, id);
    for (let sent = 0; sent < 2; sent++) {
      expectDone(await change(store, id, { rotation: createRotation(to) }));
    }
    await assertTold(store, id, listening, rotated(id, to));
  }),

  feedTest("the feed tells nothing of a change that keeps the id", async ({ store }) => {
    const [first = ""] = await renew(store, await createForUser(store, "1"), 1);
    const listening = await listen(store, first);
    const rotation = createRotation(newIdBeside(first));
    assert.deepEqual(await change(store, first, { rotation }), { state: "alias" });
    expectDone(await store.change(first, changeUser(newIdBeside(first), "1")));
    await assertTold(store, first, listening);
  }),

  feedTest("a store that takes commands tells that one gave a session a new id", async (under) => {
    const { store } = under;
    if (!isCommandStore(store)) return;
    const id = await createForUser(store, "1");
    const to = newIdBeside(id);
    const listening = await listen(store, id);
    assert.equal((await store.command(id, createMerge(to, "2"))).state, "changed");
    await assertTold(store, id, listening, rotated(id, to));
  }),
];
