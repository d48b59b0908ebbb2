/* The checker of histories: who may enter a set, and who is ended for that or by a trim. */
import {
  as,
  asOf,
  type Bad,
  cleared,
  created,
  DATA,
  ended,
  failed,
  fresh,
  type Good,
  got,
  heard,
  history,
  limited,
  listed,
  madeAt,
  movedAll,
  overShards,
  refused,
  rotated,
  set,
  signedIn,
  sized,
  TEAM,
  testChecker,
  trimmed,
  watchedBy,
} from "./checker-calls.ts";

const OTHER = { field: "user_id", value: 2 };
const NOBODY = { theme: "dark" };
/** Sessions made one after the other. */
const A = madeAt([10, 11], "a");
const B = madeAt([20, 21], "b");
const C = madeAt([30, 31], "c");
const inA = fresh("a", DATA, 10);
const inB = fresh("b", DATA, 20);
const inC = fresh("c", DATA, 30);

/** In the team, and not the user's. */
const TEAM_ONLY = { team_ids: ["a"] };
const X = madeAt([10, 11], "x", {}, TEAM_ONLY);
const Y = madeAt([20, 21], "y", {}, TEAM_ONLY);
const inX = fresh("x", TEAM_ONLY, 10);
const movedX = fresh("x", { ...TEAM_ONLY, user_id: 1 }, 10);

const good: Good = {
  "a login that goes by what was read before a clear, and is refused": history(
    created(),
    cleared([10, 11], 1),
    refused([20, 21], "cleared", { asOf: 5 }),
    listed([30, 31]),
  ),
  "one that is refused though it says to have read right now: clocks differ": history(
    cleared([10, 11], 0),
    refused([20, 21], "cleared", { asOf: 20 }),
  ),
  "one that is let in beside a clear, and ended by it": history(
    cleared([10, 30], 1),
    madeAt([20, 21], "a", { asOf: 5 }),
    got([40, 41], null, "a"),
  ),
  "one that is let in before a clear": history(
    madeAt([5, 6], "a", { asOf: 5 }),
    cleared([10, 11], 1),
    got([40, 41], null, "a"),
  ),
  "one that goes by nothing, and lives on after a clear": history(
    cleared([10, 11], 0),
    A,
    got([40, 41], inA, "a"),
  ),
  "one that was read more than two seconds after a clear": history(
    cleared([10, 11], 0),
    madeAt([3000, 3001], "a", { asOf: 2500 }),
    got([3040, 3041], fresh("a", DATA, 3000), "a"),
  ),
  "one that goes by what is too old": history(
    refused([20, 21], "cleared", { asOf: 20 - 7_200_000 }),
  ),
  "a rotation that is refused, and changes nothing": history(
    created("s", NOBODY),
    cleared([10, 11], 0),
    asOf(5, rotated([20, 21], "t", "cleared", { user_id: 1 })),
    got([30, 31], as("s", NOBODY)),
  ),
  "a clear without an answer that may explain a refusal": history(
    failed(cleared([10, 11], 0), 50),
    refused([20, 21], "cleared", { asOf: 5 }),
  ),
  "a login into a full set, which ends the oldest": limited(
    "end-oldest",
    2,
    A,
    B,
    C,
    listed([40, 41], inB, inC),
  ),
  "the same, heard": watchedBy(
    limited("end-oldest", 2, A, B, C, got([40, 41], null, "a")),
    heard("a", "limit", 30),
  ),
  "a login that is refused because a set is full": limited(
    "reject",
    2,
    A,
    B,
    refused([30, 31], "full"),
    listed([40, 41], inA, inB),
  ),
  "a sign-in into a full set from a session of that": limited(
    "reject",
    2,
    A,
    created(),
    signedIn([20, 21], "n", fresh("n", { user_id: 1 }, 20)),
    got([30, 31], null),
  ),
  "a sign-in by a token that leads nowhere, which ends its session as the oldest": limited(
    "end-oldest",
    1,
    created(),
    rotated([5, 6], "t", as("t", DATA, 5), {}, 0),
    signedIn([20, 21], "n", fresh("n", { user_id: 1 }, 20)),
    got([30, 31], null, "t"),
  ),
  "a change of a session in a full set": limited(
    "reject",
    1,
    created(),
    set([10, 11], { user_id: 1 }),
  ),
  "parallel logins of which both are refused, beside one that leaves": limited(
    "reject",
    1,
    A,
    refused([20, 30], "full"),
    ended([25, 26], true, "a"),
    refused([22, 32], "full"),
  ),
  "over several shards one too many, while a login is under way": overShards(
    limited("end-oldest", 2, A, B, madeAt([30, 50], "c"), sized([40, 41], 3), sized([60, 61], 2)),
  ),
  "over several shards one too many, after a login that has failed": overShards(
    limited("end-oldest", 2, A, B, failed(C, 32), sized([60, 61], 3)),
  ),
  "over several shards a login that was let in for a moment": overShards(
    limited("reject", 1, A, refused([20, 30], "full"), sized([24, 25], 2), sized([40, 41], 1)),
  ),
  "a change of all sessions of a set that is refused": limited(
    "reject",
    1,
    X,
    Y,
    movedAll([30, 31], "full"),
    got([40, 41], inX, "x"),
  ),
  "one that is refused when it has changed some, because of a login": limited(
    "reject",
    1,
    X,
    movedAll([15, 31], "full"),
    Y,
    got([40, 41], movedX, "x"),
  ),
  "one over several shards that lets in one too many, because of a login": overShards(
    limited("reject", 1, X, movedAll([15, 31], 2), Y, sized([40, 41], 2)),
  ),
  "a trim that ends the oldest": history(
    A,
    B,
    C,
    trimmed([40, 41], 2, 1),
    listed([50, 51], inB, inC),
  ),
  "a trim beside a login, which lives": history(
    A,
    B,
    trimmed([22, 40], 1, 1),
    C,
    listed([50, 51], inB, inC),
  ),
  "a trim of fewer than it keeps": history(A, trimmed([40, 41], 2, 0), listed([50, 51], inA)),
  "a trim without an answer, that ended some": history(
    A,
    B,
    failed(trimmed([40, 41], 1, 1), 60),
    got([50, 51], inA, "a"),
    got([70, 71], null, "a"),
  ),
};

const bad: Bad = {
  "a login that goes by what was read before a clear, and is let in": [
    "order",
    history(cleared([10, 11], 0), madeAt([20, 21], "a", { asOf: 5 })),
  ],
  "one that says to have read right now, or later than now": [
    "order",
    history(cleared([10, 11], 0), madeAt([20, 21], "a", { asOf: 90_000 })),
  ],
  "one beside a clear that lives on": [
    "order",
    history(
      cleared([10, 30], 0),
      madeAt([20, 21], "a", { asOf: 5 }),
      got([40, 41], fresh("a", DATA, 20), "a"),
    ),
  ],
  "a sign-in that keeps a field whose set was cleared": [
    "order",
    history(
      created("s", { team_ids: ["a"] }),
      cleared([10, 11], 0, "s", TEAM),
      asOf(
        5,
        signedIn([20, 21], "n", fresh("n", { user_id: 1, team_ids: ["a"] }, 20), { user_id: 1 }, [
          "team_ids",
        ]),
      ),
    ),
  ],
  "a rotation that names a set that was cleared": [
    "order",
    history(
      created(),
      cleared([10, 11], 0, "s"),
      asOf(5, rotated([20, 21], "t", as("t", DATA, 20), { user_id: 1 })),
    ),
  ],
  "a login that is refused, and no set was cleared": [
    "cleared",
    history(created(), refused([20, 21], "cleared", { asOf: 5 })),
  ],
  "one that is refused for a clear of another set": [
    "cleared",
    history(cleared([10, 11], 0, null, OTHER), refused([20, 21], "cleared", { asOf: 5 })),
  ],
  "one that is refused for a clear that came later": [
    "cleared",
    history(refused([20, 21], "cleared", { asOf: 5 }), cleared([30, 31], 0)),
  ],
  "one that is refused for a clear that it may know of": [
    "cleared",
    history(cleared([10, 11], 0), refused([3000, 3001], "cleared", { asOf: 2500 })),
  ],
  "one that goes by nothing and is refused": [
    "cleared",
    history(cleared([10, 11], 0), refused([20, 21], "cleared")),
  ],
  "one that goes by what is too old and is let in": [
    "cleared",
    history(madeAt([20, 21], "a", { asOf: 20 - 7_200_000 })),
  ],
  "a rotation that is refused and has changed something": [
    "order",
    history(
      created("s", NOBODY),
      cleared([10, 11], 0),
      asOf(5, rotated([20, 21], "t", "cleared", { user_id: 1 })),
      got([30, 31], null),
    ),
  ],
  "more sessions than a limit allows": [
    "limit",
    limited("end-oldest", 2, A, B, C, listed([40, 41], inA, inB, inC)),
  ],
  "more at any moment, on one shard": [
    "limit",
    limited("end-oldest", 2, A, B, madeAt([30, 50], "c"), sized([40, 41], 3)),
  ],
  "more over several shards, once all logins have returned": [
    "limit",
    overShards(limited("end-oldest", 2, A, B, C, sized([40, 41], 3))),
  ],
  "a login into a full set that rejects": ["limit", limited("reject", 1, A, B)],
  "a login that is refused by a set that is not full": [
    "limit",
    limited("reject", 2, A, refused([20, 21], "full")),
  ],
  "a sign-in that is refused for the session that it would end": [
    "limit",
    limited("reject", 1, created(), signedIn([20, 21], "n", "full")),
  ],
  "a login that is refused and has ended the session before": [
    "order",
    limited(
      "reject",
      1,
      A,
      created("s", NOBODY),
      signedIn([20, 21], "n", "full"),
      got([30, 31], null),
    ),
  ],
  "a limit that ends the youngest": [
    "limit",
    watchedBy(limited("end-oldest", 2, A, B, C, got([40, 41], null, "b")), heard("b", "limit", 30)),
  ],
  "a limit that leaves fewer than it allows": [
    "limit",
    watchedBy(limited("end-oldest", 2, A, B, got([40, 41], null, "a")), heard("a", "limit", 20)),
  ],
  "a limit that ends a session when nothing enters": [
    "order",
    watchedBy(limited("end-oldest", 2, A, B, C, got([50, 51], null, "a")), heard("a", "limit", 40)),
  ],
  "an ending by no call, though limits are full": [
    "order",
    limited("end-oldest", 2, A, B, C, got([35, 36], inB, "b"), got([40, 41], null, "b")),
  ],
  "a change of all sessions of a set that is refused where there is room": [
    "limit",
    limited("reject", 1, X, movedAll([30, 31], "full")),
  ],
  "one that is refused and has changed some": [
    "order",
    limited("reject", 1, X, Y, movedAll([30, 31], "full"), got([40, 41], movedX, "x")),
  ],
  "one that lets in one too many": [
    "limit",
    overShards(limited("reject", 1, X, Y, movedAll([30, 31], 2), sized([40, 41], 2))),
  ],
  "a trim that leaves more than it keeps": [
    "trim",
    history(A, B, C, trimmed([40, 41], 1, 1), listed([50, 51], inB, inC)),
  ],
  "a trim that ends a newer one": [
    "trim",
    watchedBy(
      history(A, B, trimmed([40, 41], 1, 1, "old"), got([50, 51], null, "b")),
      heard("b", "trim", 40, { reason: "old" }),
    ),
  ],
  "a trim that counts wrong": [
    "count",
    history(A, B, trimmed([40, 41], 1, 2), got([50, 51], inB, "b")),
  ],
};

testChecker(good, bad);
