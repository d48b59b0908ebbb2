import assert from "node:assert/strict";
import type { Changed, SessionStore } from "../store/contract.ts";
import { newIdBeside } from "./ids.ts";
import {
  assertGone,
  assertMembers,
  assertSuperseded,
  change,
  createChange,
  createChanges,
  createForUser,
  createMany,
  createRotation,
  createSignIn,
  expectDone,
  findLive,
  of,
  readAllPages,
  readTexts,
} from "./steps.ts";
import { type StoreTest, storeTest } from "./store-test.ts";

const USER = of("user_id", "1");
const COUNT = 40;
const INDEXES = Array.from({ length: COUNT }, (_, i) => i);

/** Operations that run at the same time. */
export const racing: readonly StoreTest[] = [
  storeTest("parallel changes of different fields all survive", async ({ store }) => {
    const id = await createForUser(store, "1");
    const set = (i: number) => change(store, id, { set: { [`f${i}`]: String(i) } });
    for (const answer of await Promise.all(INDEXES.map(set))) expectDone(answer);
    const expected = Object.fromEntries(INDEXES.map((i) => [`f${i}`, String(i)]));
    assert.deepEqual(await readTexts(store, id), { user_id: "1", ...expected });
  }),

  storeTest("parallel changes survive rotations in between", async ({ store }) => {
    const ids = [await createForUser(store, "1")];
    const work: Promise<Changed>[] = [];
    for (let round = 0; round < 4; round++) {
      const id = ids.at(-1) ?? "";
      const set = (i: number) => change(store, id, { set: { [`r${round}f${i}`]: String(i) } });
      work.push(...INDEXES.slice(0, 10).map(set));
      if (round === 3) break;
      const to = newIdBeside(id);
      ids.push(to);
      work.push(change(store, id, { rotation: createRotation(to) }));
      work.push(...INDEXES.slice(10, 20).map(set));
      // The next round uses the new id, which has to exist for that.
      await work.at(-11);
    }
    for (const answer of await Promise.all(work)) expectDone(answer);
    const fields = await readTexts(store, ids[0] ?? "");
    for (let round = 0; round < 4; round++) {
      for (let i = 0; i < (round === 3 ? 10 : 20); i++) {
        assert.equal(fields[`r${round}f${i}`], String(i));
      }
    }
    await assertMembers(store, USER, ids.slice(-1));
  }),

  storeTest("parallel creates are all listed and all ended", async ({ store }) => {
    const ids = await Promise.all(INDEXES.map(() => createForUser(store, "1")));
    await assertMembers(store, USER, ids);
    assert.equal(await store.endAll(USER), COUNT);
    await assertMembers(store, USER, []);
    await assertGone(store, ...ids);
  }),

  storeTest("of parallel rotations of one id one is done", async ({ store }) => {
    const id = await createForUser(store, "1");
    const answers = await Promise.all(
      INDEXES.map(() => change(store, id, { rotation: createRotation(newIdBeside(id)) })),
    );
    const rotated = answers.filter(({ state }) => state === "changed").map(expectDone);
    assert.equal(rotated.length, 1);
    assert.equal(answers.filter(({ state }) => state === "alias").length, COUNT - 1);
    const to = rotated[0]?.id ?? "";
    assert.equal((await findLive(store, id)).id, to);
    await assertMembers(store, USER, [to]);
  }),

  storeTest("parallel sign-ins at one id all make a session, and one ends the old", async (u) => {
    const { store } = u;
    for (const user of ["0", "1"]) {
      const id = await createForUser(store, user, { fields: { cart: "[1]" } });
      const sent = INDEXES.map(() => createSignIn(id, "1", { keep: ["cart"] }));
      const answers = await Promise.all(sent.map((one) => store.signIn(id, one)));
      const ending = answers.filter((answer) => answer.state === "signed-in" && answer.ended);
      assert.equal(ending.length, 1);
      const kept = answers.filter((a) => a.state === "signed-in" && a.fields.has("cart"));
      assert.deepEqual(kept, user === "1" ? ending : [], "what is kept is kept once");
      await assertSuperseded(store, { hadIdentity: true }, id);
      const made = sent.map((one) => one.id);
      await assertMembers(store, USER, made);
      assert.equal(await store.endAll(USER), COUNT);
    }
  }),

  storeTest("of parallel changes to another user one is done", async ({ store }) => {
    const id = await createForUser(store, "0");
    const answers = await Promise.all(
      INDEXES.map((i) =>
        change(store, id, {
          set: { user_id: `user ${i}` },
          references: { user_id: [`user ${i}`] },
          rotation: createRotation(newIdBeside(id), { when: "user-changes" }),
        }),
      ),
    );
    assert.equal(answers.filter(({ state }) => state === "changed").length, 1);
    assert.equal(answers.filter(({ state }) => state === "superseded").length, COUNT - 1);
    const counts = await Promise.all(INDEXES.map((i) => store.count(of("user_id", `user ${i}`))));
    assert.equal(
      counts.reduce((sum, count) => sum + count),
      1,
    );
  }),

  storeTest("end by the first id ends a session that is renewed meanwhile", async ({ store }) => {
    for (let round = 0; round < 5; round++) {
      const first = await createForUser(store, "1");
      const [lineage, ids] = await Promise.all([store.end(first), chase(store, [first])]);
      assert.equal(lineage, first);
      for (const id of ids) assert.notEqual((await store.find(id)).state, "live");
      await assertMembers(store, USER, []);
    }
  }),

  storeTest("no change that races with end brings the session back", async ({ store }) => {
    for (let round = 0; round < 10; round++) {
      const id = await createForUser(store, "1", { references: { t: ["7"] } });
      const to = newIdBeside(id);
      const racers = [
        () => change(store, id, { set: { a: "1" } }),
        () => change(store, id, { set: { t: "8" }, references: { t: ["8"] } }),
        () => change(store, id, { rotation: createRotation(to) }),
        () => store.changeAll(USER, createChanges({ set: { b: "1" }, references: { t: ["9"] } })),
        () => change(store, id, { unset: ["user_id"], references: { user_id: [] } }),
      ];
      const end = round % racers.length;
      const work = racers.map((race, i) => (i === end ? [race(), store.end(id)] : [race()]));
      await Promise.all(work.flat());
      await assertGone(store, id, to);
      for (const set of [USER, of("t", "7"), of("t", "8"), of("t", "9")]) {
        await assertMembers(store, set, []);
      }
    }
  }),

  storeTest("endAll leaves no session that rotates meanwhile", async ({ store }) => {
    const ids = await createMany(store, "1", 300);
    const [ended, seen] = await Promise.all([store.endAll(USER), chase(store, ids)]);
    assert.equal(ended, 300);
    await assertMembers(store, USER, []);
    for (const id of seen) assert.equal((await store.find(id)).state, "gone");
  }),

  storeTest("endAll keeps the one session though it rotates meanwhile", async ({ store }) => {
    const ids = await createMany(store, "1", 300);
    const first = ids[150] ?? "";
    const [ended, seen] = await Promise.all([
      store.endAll(USER, { except: first }),
      chase(store, [first]),
    ]);
    assert.equal(ended, 299);
    const kept = (await findLive(store, seen.at(-1) ?? "")).id;
    assert.equal(kept, seen.at(-1));
    await assertMembers(store, USER, [kept]);
  }),

  storeTest("a session made while its set is ended is gone or whole", async ({ store }) => {
    await createMany(store, "1", 200);
    const made = Promise.all(INDEXES.map(() => createForUser(store, "1")));
    await store.endAll(USER);
    const alive: string[] = [];
    for (const id of await made) {
      if ((await store.find(id)).state === "live") alive.push(id);
    }
    await assertMembers(store, USER, alive);
  }),

  storeTest("a reference that changes in parallel has one value in the end", async ({ store }) => {
    const id = await createForUser(store, "1");
    const move = (i: number) =>
      change(store, id, { set: { user_id: `u${i}` }, references: { user_id: [`u${i}`] } });
    for (const answer of await Promise.all(INDEXES.map(move))) expectDone(answer);
    const user = (await readTexts(store, id)).user_id;
    for (const i of INDEXES) {
      await assertMembers(store, of("user_id", `u${i}`), `u${i}` === user ? [id] : []);
    }
  }),

  storeTest("a rotation sent many times at once is done once", async ({ store }) => {
    const id = await createForUser(store, "1");
    const sent = createChange({ set: { a: "1" }, rotation: createRotation(newIdBeside(id)) });
    const answers = await Promise.all(INDEXES.map(() => store.change(id, sent)));
    for (const answer of answers) assert.deepEqual(answer, answers[0]);
    assert.equal((await readAllPages(store, USER)).length, 1);
  }),
];

/** Rotates each session three times, one rotation after the other, and returns all ids. */
async function chase(store: SessionStore, ids: readonly string[]): Promise<string[]> {
  const chains = ids.map(async (first) => {
    const chain = [first];
    for (let i = 0; i < 3; i++) {
      const from = chain.at(-1) ?? "";
      const to = newIdBeside(from);
      const answer = await change(store, from, { rotation: createRotation(to) });
      if (answer.state !== "changed") break;
      chain.push(to);
    }
    return chain;
  });
  return (await Promise.all(chains)).flat();
}
