/* Rules that a browser's parallel requests keep in each of their orders. */
import assert from "node:assert/strict";
import { fresh } from "./actors.ts";
import type { Kind, Start } from "./browser.ts";
import { me, type Outcome } from "./orders.ts";
import { toCanonical } from "./scene.ts";

type Fields = Readonly<Record<string, string>>;

/** Whose the sessions are that were there before. */
const USERS: Readonly<Record<string, string | undefined>> = {
  T: "1",
  P: "1",
  Q: "1",
  O: "2",
  V: undefined,
};
const OWN_TOKENS = ["t0", "t1", "t2", "t3"];

export class BrowserRules {
  readonly #kinds: readonly Kind[];
  readonly #from: Start["from"];

  constructor(kinds: readonly Kind[], { from }: Start) {
    this.#kinds = kinds;
    this.#from = from;
  }

  readonly check = ({ answers, state }: Outcome): void => {
    const sessions = state.sessions as readonly (readonly [string, Fields])[];
    const tokens = new Map(state.tokens);
    for (const [name, fields] of sessions) this.#assertWhose(name, fields);
    for (const [i, kind] of this.#kinds.entries()) {
      const answer = answers[i]?.at(-1);
      const done = answer !== false && !isError(answer);
      if (kind.signsIn) this.#assertSignedIn(i, kind.signsIn, { answers, state });
      else if (done) this.#assertEnded(kind, sessions, tokens);
    }
  };

  /** A session has what its user wrote, and nothing of another's or of nobody's. */
  #assertWhose(name: string, fields: Fields): void {
    const what = `${name} has ${toCanonical(fields)}`;
    const { n: _, theme, ...own } = fields;
    if (name in USERS) {
      const user_id = USERS[name];
      assert.equal(fields.user_id, user_id, what);
      assert.equal(fields.cart, name === "V" ? "leaf" : "tea", what);
      assert.equal(fields.team, user_id, what);
      return;
    }
    const user = this.#kinds.find((kind, i) => kind.signsIn && name === fresh(me(i)))?.signsIn;
    if (user === undefined) {
      // A write that found no session at all has made one of nobody.
      assert.deepEqual(Object.keys(fields), ["theme"], what);
      return;
    }
    const cart = this.#from === "v" ? "leaf" : user === 1 ? "tea" : undefined;
    const { cart: kept = cart, ...values } = own;
    assert.equal(kept, cart, what);
    assert.deepEqual(values, { user_id: String(user) }, what);
    assert.equal(theme, undefined, what);
  }

  /** Only a call that ends other sessions of the same user undoes a sign-in. */
  #assertSignedIn(i: number, user: number, { answers, state }: Outcome): void {
    const undoing = this.#kinds.some(
      ({ endsOthers }, other) => endsOthers && !isError(answers[other]?.at(-1)),
    );
    if (undoing && user === 1) return;
    assert.ok(!isError(answers[i]?.at(-1)), `${i} has signed in`);
    assert.equal(new Map(state.tokens).get(me(i)), fresh(me(i)), `${i} is signed in`);
  }

  /** Sessions that were to be ended are gone. */
  #assertEnded(
    { name, endsOthers = false }: Kind,
    sessions: readonly (readonly [string, Fields])[],
    tokens: ReadonlyMap<string, string>,
  ): void {
    const names = sessions.map(([session]) => session);
    if (endsOthers) {
      for (const other of ["P", "Q"]) assert.ok(!names.includes(other), `${name}: ${other} lives`);
    }
    const ends = name === "sign out" || name === "sign out everywhere";
    if (ends) assert.ok(!names.includes(this.#from === "v" ? "V" : "T"), `${name}: it lives`);
    if (!ends && name !== "change of password") return;
    const own = this.#from === "v" ? ["v"] : OWN_TOKENS;
    for (const token of own) {
      assert.match(tokens.get(token) ?? "", /^(gone|superseded)/, `${name}: ${token} leads on`);
    }
  }
}

function isError(answer: unknown): boolean {
  return typeof answer === "object" && answer !== null && "threw" in answer;
}
