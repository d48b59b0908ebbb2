import assert from "node:assert/strict";
import { newId, newIdBeside } from "../ids.ts";
import {
  change,
  changeUser,
  create,
  createChange,
  createForUser,
  createRotation,
  createSignIn,
  expectDone,
  renew,
  signIn,
} from "../steps.ts";
import type { StoreTest } from "../store-test.ts";
import { assertTold, CAUSE, ended, feedTest, listen } from "./steps.ts";

/** A change after which the session has no user. */
const SIGN_OUT = { unset: ["user_id"], references: { user_id: [] } };

export const tellingReplacements: readonly StoreTest[] = [
  feedTest("the feed tells that a sign-in replaced a session", async ({ store }) => {
    for (const user of [null, "1", "2"]) {
      const id = await (user === null ? create(store) : createForUser(store, user));
      const listening = await listen(store, id);
      const sent = { ...createSignIn(id, "1"), cause: CAUSE };
      assert.equal((await store.signIn(id, sent)).state, "signed-in");
      await assertTold(store, id, listening, ended("sign-in", id, id, CAUSE));
    }
  }),

  feedTest("the feed tells that a sign-in replaced what an alias led to", async ({ store }) => {
    const [first = "", , third = ""] = await renew(store, await createForUser(store, "1"), 2);
    const listening = await listen(store, first);
    await signIn(store, first, "1");
    await assertTold(store, first, listening, ended("sign-in", third, first));
  }),

  feedTest("the feed tells of a sign-in that is sent twice once", async ({ store }) => {
    const id = await createForUser(store, "1");
    const listening = await listen(store, id);
    const sent = createSignIn(id, "2");
    await store.signIn(id, sent);
    await store.signIn(id, sent);
    await assertTold(store, id, listening, ended("sign-in", id));
  }),

  feedTest("the feed tells nothing of a sign-in that replaces nothing", async ({ store }) => {
    const id = newId(store.shards);
    const listening = await listen(store, id);
    await signIn(store, id, "1");
    await assertTold(store, id, listening);
  }),

  feedTest("the feed tells nothing of a sign-in that is refused", async ({ store }) => {
    const id = await createForUser(store, "1");
    const listening = await listen(store, id);
    const sent = createSignIn(id, "2", { fields: { a: "x".repeat(100) }, maxBytes: 50 });
    assert.equal((await store.signIn(id, sent)).state, "too-large");
    await assertTold(store, id, listening);
  }),

  feedTest("a sign-in that names no user is told as a delete", async ({ store }) => {
    const id = await createForUser(store, "1", { fields: { theme: "dark" } });
    const listening = await listen(store, id);
    const sent = createSignIn(id, "1", { keep: ["theme"] });
    const nobody = { ...sent, fields: new Map(), references: [], cause: CAUSE };
    assert.equal((await store.signIn(id, nobody)).state, "signed-in");
    await assertTold(store, id, listening, ended("delete", id, id, CAUSE));
  }),

  feedTest("the feed tells that a change of the user replaced a session", async ({ store }) => {
    for (const when of ["always", "user-changes"] as const) {
      for (const user of [null, "1"]) {
        const id = await (user === null ? create(store) : createForUser(store, user));
        const listening = await listen(store, id);
        const to = newIdBeside(id);
        expectDone(await store.change(id, changeUser(to, "2", { when, cause: CAUSE })));
        await store.change(id, changeUser(to, "2", { when, cause: CAUSE })); // sent twice
        await assertTold(store, id, listening, ended("sign-in", id, id, CAUSE));
      }
    }
  }),

  feedTest("a change that takes the user away is told as a delete", async ({ store }) => {
    const [first = "", second = ""] = await renew(store, await createForUser(store, "1"), 1);
    const listening = await listen(store, first);
    const rotation = createRotation(newIdBeside(first), { when: "user-changes", cause: CAUSE });
    expectDone(await store.change(first, createChange({ ...SIGN_OUT, rotation })));
    await assertTold(store, first, listening, ended("delete", second, first, CAUSE));
  }),

  feedTest("the feed tells nothing of a change that would need a sign-in", async ({ store }) => {
    const id = await createForUser(store, "1");
    const listening = await listen(store, id);
    const answer = await store.change(id, changeUser(newIdBeside(id), "2", { when: "never" }));
    assert.deepEqual(answer, { state: "signs-in" });
    await assertTold(store, id, listening);
  }),

  feedTest("an old id that rotates without a grace time is told as a delete", async (under) => {
    const { store } = under;
    const [first = "", second = ""] = await renew(store, await createForUser(store, "1"), 1);
    const listening = await listen(store, first);
    const rotation = createRotation(newIdBeside(first), { grace: 0, cause: CAUSE });
    assert.deepEqual(await change(store, first, { rotation }), { state: "ended" });
    await assertTold(store, first, listening, ended("delete", second, first, CAUSE));
  }),
];
