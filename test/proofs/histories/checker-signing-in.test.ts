/* The checker on sign-ins, on rotations that name a user, and on names that outlive rotations. */
import type { Call, History, Seen } from "./calls.ts";
import {
  as,
  type Bad,
  call,
  cleared,
  created,
  DATA,
  ended,
  failed,
  fresh,
  type Good,
  got,
  gotNamed,
  history,
  listed,
  rotated,
  set,
  signedIn,
  TEAM,
  testChecker,
  USER,
  type When,
} from "./checker-calls.ts";

const CART = { ...DATA, note: 7 };
const OTHER = { user_id: 2 };
const BOTH = { user_id: [1, 2] };

/** Renewed four times: more aliases lead from its first id than are a way in. */
const RENEWED = [
  created(),
  rotated([10, 10.5], "t", as("t", DATA, 10)),
  rotated([11, 11.5], "u", as("u", DATA, 11), {}, 50, "t"),
  rotated([12, 12.5], "v", as("v", DATA, 12), {}, 50, "u"),
  rotated([13, 13.5], "w", as("w", DATA, 13), {}, 50, "v"),
];

function again(one: Call): Call {
  return { ...one, again: true };
}

/** How long a session lives that a sign-in gives little time (ms). */
const BRIEF_MS = 40;

/** That session, as it is given. */
function brief(createdAt: number): Seen {
  const end = createdAt + BRIEF_MS;
  return { ...fresh("n", { user_id: 1 }, createdAt), absoluteDeadline: end, expiresAt: end };
}

/** A sign-in that makes it. */
function signedInBriefly(when: When, createdAt: number): Call {
  const times = { idle: null, absolute: BRIEF_MS };
  const asked = { do: "sign in", id: "s", to: "n", values: { user_id: 1 }, keep: [] } as const;
  return call(when, { ...asked, ...times, answer: brief(createdAt) });
}

const GOOD: Good = {
  "a sign-in, after which the old session is gone": history(
    created(),
    signedIn([10, 10.5], "n", fresh("n", { user_id: 1 }, 10)),
    got([11, 12], null),
    listed([13, 14], fresh("n", { user_id: 1 }, 10)),
  ),
  "a sign-in that keeps what it is told to, but for what it sets": history(
    created("s", CART),
    signedIn(
      [10, 10.5],
      "n",
      fresh("n", { user_id: 1, team_ids: ["b"], note: 7 }, 10),
      { user_id: 1, team_ids: ["b"] },
      ["note", "team_ids", "theme"],
    ),
    call([11, 12], { do: "has", id: "n", of: TEAM, answer: false }),
  ),
  "a sign-in of another user, which keeps nothing": history(
    created("s", CART),
    signedIn([10, 10.5], "n", fresh("n", OTHER, 10), OTHER, ["note"]),
    got([11, 12], fresh("n", OTHER, 10), "n"),
  ),
  "a sign-in of nobody's session, which keeps": history(
    created("s", { note: 7, user_id: null }),
    signedIn([10, 10.5], "n", fresh("n", { user_id: 1, note: 7 }, 10), { user_id: 1 }, ["note"]),
  ),
  "a sign-in that keeps what was written during it, or comes before that": history(
    created(),
    set([10, 20], { note: 1 }),
    signedIn([10, 20], "n", fresh("n", { user_id: 1, note: 1 }, 15), { user_id: 1 }, ["note"]),
    created("o"),
    set([30, 40], { note: 1 }, false, "o"),
    signedIn([30, 40], "m", fresh("m", { user_id: 1 }, 35), { user_id: 1 }, ["note"], "o"),
  ),
  "a sign-in by an old id, which keeps, and ends all there is": history(
    created("s", CART),
    rotated([5, 5.5], "t", as("t", CART, 5)),
    signedIn([10, 10.5], "n", fresh("n", { user_id: 1, note: 7 }, 10), { user_id: 1 }, ["note"]),
    got([11, 12], null),
    got([11, 12], null, "t"),
  ),
  "a sign-in by an id that is no way in, which ends and keeps nothing": history(
    ...RENEWED,
    signedIn([20, 21], "n", fresh("n", { user_id: 1 }, 20), { user_id: 1 }, ["team_ids"]),
    got([30, 31], null, "w"),
  ),
  "a sign-in by an id that leads nowhere": history(
    created(),
    ended([5, 6]),
    signedIn([10, 11], "n", fresh("n", { user_id: 1 }, 10), { user_id: 1 }, ["team_ids"]),
    got([20, 21], fresh("n", { user_id: 1 }, 10), "n"),
  ),
  "a sign-in without a token": history(
    signedIn([10, 11], "n", fresh("n", { user_id: 1 }, 10), { user_id: 1 }, ["note"], ""),
    cleared([20, 21], 1),
  ),
  "a sign-in that nobody knows the answer of, which has kept or not been": history(
    created("s", CART),
    created("o", CART),
    failed(signedIn([10, 11], "n", fresh("n", CART, 10), { user_id: 1 }, ["note", "team_ids"]), 30),
    got([12, 13], as("s", CART)),
    got([31, 32], null),
    call([31, 32], { do: "has", id: "n", of: TEAM, answer: true }),
    got([33, 34], fresh("n", CART, 25), "n"),
    failed(signedIn([10, 11], "m", fresh("m", CART, 10), { user_id: 1 }, ["note"], "o"), 30),
    got([31, 32], as("o", CART), "o"),
  ),
  "a sign-in that is carried out once more, after its session was changed": history(
    created("s", CART),
    again(
      signedIn([10, 30], "n", fresh("n", { user_id: 1, note: 8 }, 11), { user_id: 1 }, ["note"]),
    ),
    call([20, 21], { do: "change all", of: USER, values: { note: 8 }, unset: [], answer: 1 }),
  ),
  "a sign-in that is carried out once more when its session has expired": history(
    created(),
    again(signedInBriefly([10, 70], 52)),
    listed([12, 13], brief(11)),
    got([71, 72], brief(52), "n"),
    got([93, 94], null, "n"),
  ),
  "a sign-in that is carried out once more while its session is there": history(
    created(),
    again(signedInBriefly([10, 70], 11)),
    listed([12, 13], brief(11)),
    got([52, 53], null, "n"),
  ),
  "a clear that misses a session that signs in meanwhile, but not the one it was": history(
    created(),
    cleared([10, 20], 0),
    signedIn([12, 13], "n", fresh("n", { user_id: 1 }, 12)),
    got([30, 31], fresh("n", { user_id: 1 }, 12), "n"),
  ),
  "a rotation that names the same user, also through an alias": history(
    created(),
    rotated([10, 10.5], "t", as("t", DATA, 10)),
    rotated([20, 20.5], "u", as("u", { ...DATA, ...BOTH }, 20), BOTH),
    got([30, 31], null, "t"),
    got([30, 31], null),
  ),
  "a rotation that names another user, or nobody: a session of that alone": history(
    created("s", CART),
    rotated([10, 10.5], "n", fresh("n", OTHER, 10), OTHER),
    got([11, 12], null),
    created("o", CART),
    rotated([20, 21], "m", fresh("m", { note: 1 }, 20), { user_id: null, note: 1 }, 50, "o"),
    got([22, 23], null, "o"),
  ),
  "a rotation that names the first user of a session": history(
    created("s", { note: 7 }),
    rotated([10, 11], "n", fresh("n", { user_id: 1 }, 10), { user_id: 1 }),
    listed([20, 21], fresh("n", { user_id: 1 }, 10)),
  ),
  "a rotation that nobody knows the answer of, and that replaces a session": history(
    created("s", CART),
    failed(rotated([10, 11], "n", null, OTHER), 30),
    call([31, 32], { do: "has", id: "n", of: { field: "user_id", value: 2 }, answer: true }),
    got([33, 34], null),
  ),
  "a rotation that nobody knows the answer of, and that keeps a session": history(
    created("s", CART),
    failed(rotated([10, 11], "t", null, BOTH), 30),
    call([31, 32], { do: "has", id: "t", of: TEAM, answer: true }),
    got([33, 34], null),
  ),
  "a rotation without grace through an alias, which ends the session": history(
    created(),
    rotated([10, 10.5], "t", as("t", DATA, 10)),
    rotated([20, 21], "u", "ended", {}, 0),
    got([30, 31], null, "t"),
  ),
  "an end by an id that is no way in": history(
    ...RENEWED,
    got([20, 21], null),
    ended([22, 23]),
    got([24, 25], null, "w"),
  ),
  "a session that is found by its first id, over all its rotations": history(
    created(),
    rotated([10, 11], "t", as("t", DATA, 10), {}, 0),
    got([20, 21], null),
    gotNamed([20, 21], as("t", DATA, 10)),
    call([22, 23], { do: "has", id: "s", of: USER, answer: true }),
    call([24, 25], { do: "end", id: "s", of: USER, byName: true, answer: true }),
    gotNamed([26, 27], null),
  ),
  "a clear that spares the one that is named by its first id": history(
    created(),
    rotated([5, 6], "t", as("t", DATA, 5), {}, 0),
    cleared([10, 20], 0, "s"),
    got([30, 31], as("t", DATA, 5), "t"),
  ),
};

const order = (...calls: Call[]): readonly [string, History] => ["order", history(...calls)];

const BAD: Bad = {
  "a sign-in, carried out once more, that makes its session anew before that has expired": order(
    created(),
    again(signedInBriefly([10, 70], 51)),
    listed([12, 13], brief(11)),
  ),
  "a sign-in, carried out once more, that gives a session that has expired": order(
    created(),
    again(signedInBriefly([53, 70], 11)),
  ),
  "a sign-in, carried out once, that makes a session twice": order(
    created(),
    signedInBriefly([10, 70], 52),
    listed([12, 13], brief(11)),
  ),
  "a field that is carried over in silence": order(
    created("s", CART),
    signedIn([10, 11], "n", fresh("n", { user_id: 1, note: 7 }, 10)),
  ),
  "a field that a session has in silence, whatever the answer said": order(
    created("s", CART),
    signedIn([10, 11], "n", fresh("n", { user_id: 1 }, 10)),
    got([12, 13], fresh("n", { user_id: 1, note: 7 }, 10), "n"),
  ),
  "a field that is carried over to another user": order(
    created("s", CART),
    signedIn([10, 11], "n", fresh("n", { ...OTHER, note: 7 }, 10), OTHER, ["note"]),
  ),
  "a field that a rotation carries over to another user": order(
    created("s", CART),
    rotated([10, 11], "n", fresh("n", { ...CART, ...OTHER }, 10), OTHER),
  ),
  "a field that a rotation carries over to the first user": order(
    created("s", { note: 7 }),
    rotated([10, 11], "n", fresh("n", { user_id: 1, note: 7 }, 10), { user_id: 1 }),
  ),
  "another user's session that lives on under another id": order(
    created("s", CART),
    rotated([10, 11], "t", as("t", { ...CART, ...OTHER }, 10), OTHER),
  ),
  "the same user's session that is replaced": order(
    created("s", CART),
    rotated([10, 11], "n", fresh("n", BOTH, 10), BOTH),
  ),
  "a kept field that is lost": order(
    created("s", CART),
    signedIn([10, 11], "n", fresh("n", { user_id: 1 }, 10), { user_id: 1 }, ["note"]),
  ),
  "a kept field that is as it was before": order(
    created("s", CART),
    set([5, 6], { note: 8 }),
    signedIn([10, 11], "n", fresh("n", { user_id: 1, note: 7 }, 10), { user_id: 1 }, ["note"]),
  ),
  "a kept reference without its entry": order(
    created("s", CART),
    signedIn([10, 11], "n", fresh("n", DATA, 10), { user_id: 1 }, ["team_ids"]),
    call([12, 13], { do: "list", of: TEAM, limit: null, answer: [] }),
  ),
  "a field that is kept of a session that was ended before": order(
    created("s", CART),
    ended([5, 6]),
    signedIn([10, 11], "n", fresh("n", { user_id: 1, note: 7 }, 10), { user_id: 1 }, ["note"]),
  ),
  "a field that is kept by an id that is no way in": order(
    ...RENEWED,
    signedIn([20, 21], "n", fresh("n", DATA, 20), { user_id: 1 }, ["team_ids"]),
  ),
  "a field that is kept without a session": order(
    created("s", CART),
    signedIn([10, 11], "n", fresh("n", CART, 10), { user_id: 1 }, ["note", "team_ids"], ""),
  ),
  "an old session that lives on": order(
    created(),
    signedIn([10, 11], "n", fresh("n", { user_id: 1 }, 10)),
    got([12, 13], as("s", DATA)),
  ),
  "an old session that lives on in its set": order(
    created(),
    signedIn([10, 11], "n", fresh("n", { user_id: 1 }, 10)),
    listed([12, 13], fresh("n", { user_id: 1 }, 10), as("s", DATA)),
  ),
  "an old session that lives on behind an alias": order(
    created(),
    rotated([5, 6], "t", as("t", DATA, 5)),
    signedIn([10, 11], "n", fresh("n", { user_id: 1 }, 10)),
    got([12, 13], as("t", DATA, 5), "t"),
  ),
  "an old session that lives on behind more than three aliases": order(
    ...RENEWED,
    signedIn([20, 21], "n", fresh("n", { user_id: 1 }, 20)),
    got([30, 31], as("w", DATA, 13), "w"),
  ),
  "an old session that another user's replaces and that lives on": order(
    created(),
    rotated([10, 11], "n", fresh("n", OTHER, 10), OTHER),
    got([12, 13], as("s", DATA)),
  ),
  "an old session that is written to after the new one is there": order(
    created(),
    signedIn([10, 30], "n", fresh("n", { user_id: 1 }, 11)),
    set([20, 21], { theme: 1 }),
  ),
  "an old id that leads to the new session": order(
    created(),
    signedIn([10, 11], "n", fresh("n", { user_id: 1 }, 10)),
    got([12, 13], fresh("n", { user_id: 1 }, 10)),
  ),
  "an old id that leads to a session whose user has shown the password again": order(
    created(),
    rotated([10, 11], "t", as("t", DATA, 10), { user_id: 1 }),
    got([12, 13], as("t", DATA, 10)),
  ),
  "a new session with the old deadlines": order(
    created(),
    signedIn([10, 11], "n", { ...fresh("n", { user_id: 1 }, 10), absoluteDeadline: 5000 }),
  ),
  "a new session that is as old as the one before": order(
    created(),
    signedIn([10, 11], "n", { ...fresh("n", { user_id: 1 }, 10), createdAt: 0 }),
  ),
  "a new session that comes back after a clear (I4)": order(
    created(),
    signedIn([10, 11], "n", fresh("n", { user_id: 1 }, 10)),
    cleared([12, 13], 1),
    got([20, 21], fresh("n", { user_id: 1 }, 10), "n"),
  ),
  "an old session that comes back after a clear, by a sign-in that keeps it": order(
    created("s", CART),
    cleared([5, 6], 1),
    signedIn([10, 11], "n", fresh("n", { user_id: 1, note: 7 }, 10), { user_id: 1 }, ["note"]),
  ),
  "an old session that comes back after a sign-in that nobody knows the answer of": order(
    created(),
    failed(signedIn([10, 11], "n", fresh("n", { user_id: 1 }, 10)), 11),
    got([12, 13], null),
    got([14, 15], as("s", DATA)),
  ),
  "a rotation without grace through an alias that says it did nothing": order(
    created(),
    rotated([10, 10.5], "t", as("t", DATA, 10)),
    rotated([20, 21], "u", null, {}, 0),
  ),
  "a rotation without grace through an alias after which the session lives on": order(
    created(),
    rotated([10, 10.5], "t", as("t", DATA, 10)),
    rotated([20, 21], "u", "ended", {}, 0),
    got([30, 31], as("t", DATA, 10), "t"),
  ),
  "a rotation that says that it ended a session by its own token": order(
    created(),
    rotated([20, 21], "u", "ended", {}, 0),
  ),
  "an end by an old id that does not reach the session": order(...RENEWED, ended([20, 21], false)),
  "a way in that leads over more than three aliases": order(
    ...RENEWED,
    got([20, 21], as("w", DATA, 13)),
  ),
  "a first id that is a way in after its grace": order(
    created(),
    rotated([10, 11], "t", as("t", DATA, 10), {}, 0),
    got([20, 21], as("t", DATA, 10)),
  ),
  "a session that is not found by its first id": order(
    created(),
    rotated([10, 11], "t", as("t", DATA, 10), {}, 0),
    gotNamed([20, 21], null),
  ),
  "a session that is found by the first id of the one before": order(
    created(),
    signedIn([10, 11], "n", fresh("n", { user_id: 1 }, 10)),
    gotNamed([20, 21], fresh("n", { user_id: 1 }, 10)),
  ),
  "a session that is found by an id between the first and the last": order(
    created(),
    rotated([10, 11], "t", as("t", DATA, 10), {}, 0),
    rotated([12, 13], "u", as("u", DATA, 12), {}, 0, "t"),
    gotNamed([20, 21], as("u", DATA, 12), "t"),
  ),
  "a clear that ends the one that is named by its first id": order(
    created(),
    rotated([5, 6], "t", as("t", DATA, 5), {}, 0),
    cleared([10, 20], 1, "s"),
    got([30, 31], null, "t"),
  ),
  "a sign-in that makes two sessions": [
    "stranger",
    history(
      created(),
      signedIn([10, 11], "n", fresh("n", { user_id: 1 }, 10)),
      listed([12, 13], fresh("n2", { user_id: 1 }, 10), fresh("n", { user_id: 1 }, 10)),
    ),
  ],
  "a session that is given with another one's first id": [
    "lineage",
    history(created(), got([10, 11], { ...as("s", DATA), lineage: "r" })),
  ],
  "a session whose first id changes when it is rotated": [
    "lineage",
    history(created(), rotated([10, 11], "t", { ...as("t", DATA, 10), lineage: "r" })),
  ],
  "a new session with the first id of the old one": [
    "lineage",
    history(
      created(),
      signedIn([10, 11], "n", { ...fresh("n", { user_id: 1 }, 10), lineage: "s" }),
    ),
  ],
};

testChecker(GOOD, BAD);
