import assert from "node:assert/strict";
import type { SessionStore } from "../../store/contract.ts";
import { newId, newIdBeside } from "../ids.ts";
import {
  assertMembers,
  assertSuperseded,
  change,
  create,
  createForUser,
  createRotation,
  expectDone,
  findLive,
  of,
  type ReferenceTexts,
  readTexts,
  signIn,
} from "../steps.ts";
import { type StoreTest, storeTest } from "../store-test.ts";

const CART = { cart: "[1]", t: "[7,8]" };
const TEAMS = { t: ["7", "8"] };
const KEEP = ["cart", "t"];

/** The session was in a field's sets, the sign-in names values of it, and whether it may keep. */
interface Row {
  readonly was: ReferenceTexts;
  readonly names: ReferenceTexts;
  readonly keeps: boolean;
}

const SIGN_INS: Readonly<Record<string, Row>> = {
  "the same of both": {
    was: { user_id: ["1"], org: ["7"] },
    names: { user_id: ["1"], org: ["7"] },
    keeps: true,
  },
  "the same of one, and of the other nobody's": {
    was: { user_id: ["1"], org: [] },
    names: { user_id: ["1"], org: ["7"] },
    keeps: true,
  },
  "of one nobody's, and the same of the other": {
    was: { user_id: [], org: ["7"] },
    names: { user_id: ["1"], org: ["7"] },
    keeps: true,
  },
  "nobody's of both": {
    was: { user_id: [], org: [] },
    names: { user_id: ["1"], org: ["7"] },
    keeps: true,
  },
  "the same of one, where the other is not named": {
    was: { user_id: ["1"], org: ["7"] },
    names: { user_id: ["1"] },
    keeps: true,
  },
  "nobody's of one, where the other is not named": {
    was: { user_id: [], org: ["7"] },
    names: { user_id: ["1"] },
    keeps: true,
  },
  "the same of one, and another's of the other": {
    was: { user_id: ["1"], org: ["7"] },
    names: { user_id: ["1"], org: ["8"] },
    keeps: false,
  },
  "another's of one, and the same of the other": {
    was: { user_id: ["2"], org: ["7"] },
    names: { user_id: ["1"], org: ["7"] },
    keeps: false,
  },
  "another's of one, and of the other nobody's": {
    was: { user_id: ["2"], org: [] },
    names: { user_id: ["1"], org: ["7"] },
    keeps: false,
  },
  "of one nobody's, and another's of the other": {
    was: { user_id: [], org: ["7"] },
    names: { user_id: ["1"], org: ["8"] },
    keeps: false,
  },
  "the same of one, where the other is signed out": {
    was: { user_id: ["1"], org: ["7"] },
    names: { user_id: ["1"], org: [] },
    keeps: false,
  },
  "the same of one, where the other has no value and gets none": {
    was: { user_id: ["1"], org: [] },
    names: { user_id: ["1"], org: [] },
    keeps: true,
  },
  "one of several values in common": {
    was: { user_id: ["1"], org: ["7", "8"] },
    names: { user_id: ["1"], org: ["8", "9"] },
    keeps: true,
  },
  "of several values none in common": {
    was: { user_id: ["1"], org: ["7", "8"] },
    names: { user_id: ["1"], org: ["9", "6"] },
    keeps: false,
  },
  "a value in common with the other field alone": {
    was: { user_id: ["7"], org: ["1"] },
    names: { user_id: ["1"], org: ["7"] },
    keeps: false,
  },
};

/** A change of a session of the user 1 and the orgs 7 and 6, which has no seat. */
interface Naming {
  readonly names: ReferenceTexts;
  readonly replaces: boolean;
}

const CHANGES: Readonly<Record<string, Naming>> = {
  "another's of one": { names: { user_id: ["1"], org: ["9"] }, replaces: true },
  "nobody's of one": { names: { user_id: ["1"], seat: ["5"] }, replaces: true },
  "another's and nobody's": { names: { org: ["9"], seat: ["5"] }, replaces: true },
  "a sign-out of one": { names: { user_id: ["1"], org: [] }, replaces: true },
  "a sign-out of all": { names: { user_id: [], org: [] }, replaces: true },
  "the same of all": { names: { user_id: ["1"], org: ["8", "7"] }, replaces: false },
  "the same of one alone": { names: { org: ["7"] }, replaces: false },
  "none where none was": { names: { user_id: ["1"], seat: [] }, replaces: false },
  "what says no user": { names: { t: ["9"] }, replaces: false },
};

const IDENTITY = ["user_id", "org"];

/** What leaves a tombstone at an id, and names both, or the user alone. */
const ENDINGS: Readonly<
  Record<string, (store: SessionStore, names: ReferenceTexts) => Promise<string>>
> = {
  "a sign-in over nobody's session": async (store, names) => {
    const id = await create(store);
    await signIn(store, id, "1", { references: names, identity: IDENTITY });
    return id;
  },
  "a sign-in where nothing is": async (store, names) => {
    const id = newId(store.shards);
    await signIn(store, id, "1", { references: names, identity: IDENTITY });
    return id;
  },
  "a change that may sign in": async (store, names) => {
    const id = await create(store);
    const rotation = createRotation(newIdBeside(id), {
      when: "user-changes",
      identity: IDENTITY,
    });
    expectDone(await change(store, id, { references: names, rotation }));
    return id;
  },
};

const NONE: ReferenceTexts = { user_id: [], org: [], seat: [], t: [] };

/** Asserts that one session is in exactly these of the sets that a test may have put one in. */
async function assertMembership(
  store: SessionStore,
  id: string,
  expected: ReferenceTexts,
  ...others: ReferenceTexts[]
): Promise<void> {
  const wanted: ReferenceTexts = { ...NONE, ...expected };
  for (const [field, texts] of Object.entries(wanted)) {
    for (const text of texts) await assertMembers(store, of(field, text), [id]);
    const left = others.flatMap((other) => other[field] ?? []);
    for (const text of left.filter((one) => !texts.includes(one))) {
      await assertMembers(store, of(field, text), []);
    }
  }
}

/** Each field that says who the user is counts by itself, and the strictest for the whole call. */
export const severalIdentities: readonly StoreTest[] = [
  ...Object.entries(SIGN_INS).map(([whose, { was, names, keeps }]) =>
    storeTest(`a sign-in keeps ${keeps ? "what it may" : "nothing"}: ${whose}`, async (under) => {
      const { store } = under;
      const fields = { ...CART, user_id: "was", org: "was" };
      const id = await create(store, { fields, references: { ...was, ...TEAMS } });
      const { to } = await signIn(store, id, "1", {
        references: names,
        identity: ["user_id", "org"],
        keep: KEEP,
      });
      assert.deepEqual(await readTexts(store, to), { ...(keeps ? CART : {}), user_id: "1" });
      await assertMembership(store, to, { ...(keeps ? TEAMS : {}), ...names }, was, TEAMS);
      await assertSuperseded(store, { hadIdentity: Object.values(was).flat().length > 0 }, id);
    }),
  ),

  ...Object.entries(CHANGES).map(([name, { names, replaces }]) =>
    storeTest(`a change ${replaces ? "replaces" : "keeps"} the session: ${name}`, async (under) => {
      const { store } = under;
      const old = { user_id: ["1"], org: ["7", "6"], ...TEAMS };
      const id = await createForUser(store, "1", { fields: CART, references: old });
      const set = Object.fromEntries(Object.keys(names).map((field) => [field, "new"]));
      const identity = ["user_id", "org", "seat"];
      const rotation = createRotation(newIdBeside(id), { when: "user-changes", identity });
      const answer = expectDone(await change(store, id, { set, references: names, rotation }));
      assert.equal(answer.rotated, replaces);
      if (replaces) {
        assert.deepEqual(await readTexts(store, rotation.to), set);
        await assertSuperseded(store, { hadIdentity: true }, id);
        await assertMembership(store, rotation.to, names, old);
      } else {
        assert.deepEqual(await readTexts(store, id), { user_id: "1", ...CART, ...set });
        await assertMembership(store, id, { ...old, ...names }, old);
      }
    }),
  ),

  ...Object.entries(ENDINGS).map(([what, end]) =>
    storeTest(`who names less than ${what} takes no place of it`, async ({ store }) => {
      const told = async (id: string, references: ReferenceTexts) => {
        const rotation = createRotation(newIdBeside(id), {
          when: "user-changes",
          identity: IDENTITY,
        });
        const answer = await change(store, id, { references, rotation });
        assert.equal(answer.state, "superseded");
        return answer.state === "superseded" && answer.hadIdentity;
      };
      const user = await end(store, { user_id: ["1"], org: [] });
      assert.equal(await told(user, { user_id: ["1"] }), false);
      assert.equal(await told(user, { user_id: ["2"], org: ["7"] }), false);
      assert.equal(await told(user, { org: ["7"] }), true);
      assert.equal(await told(user, { user_id: [], org: ["7"] }), true);
      assert.equal(await told(user, { t: ["7"] }), false, "it names none of them");
      await assertSuperseded(store, { hadIdentity: false }, user);
      const both = await end(store, { user_id: ["1"], org: ["7"] });
      assert.equal(await told(both, { user_id: ["1"] }), true);
      assert.equal(await told(both, { org: ["7"] }), true);
      assert.equal(await told(both, { org: ["8"], user_id: ["1"] }), false);
    }),
  ),

  ...Object.entries(CHANGES).map(([name, { names, replaces }]) =>
    storeTest(`a change that may replace nothing: ${name}`, async ({ store }) => {
      const id = await createForUser(store, "1", { references: { org: ["7", "6"] } });
      const before = await findLive(store, id);
      const identity = ["user_id", "org", "seat"];
      const rotation = createRotation(newIdBeside(id), { when: "never", identity });
      const { state } = await change(store, id, { references: names, rotation });
      assert.equal(state, replaces ? "signs-in" : "changed");
      if (replaces) assert.deepEqual(await findLive(store, id), before);
    }),
  ),
];
