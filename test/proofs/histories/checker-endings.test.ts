/* The checker of histories: what those who watch a session hear of its end. */
import { OVER } from "./calls.ts";
import {
  as,
  type Bad,
  because,
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
  rotated,
  signedIn,
  testChecker,
  watchedBy,
} from "./checker-calls.ts";

const OLD = as("s", DATA);
const REASON = { reason: "1.1" };
const DELETED = because("1.1", ended([10, 11]));

const good: Good = {
  "an ending that is heard": watchedBy(
    history(created(), DELETED),
    heard("s", "delete", 10, REASON),
  ),
  "one that is heard late": watchedBy(
    history(created(), DELETED),
    heard("s", "delete", 10, { ...REASON, heardAt: 9000 }),
  ),
  "one that is heard earlier than it was, as far as clocks may differ": {
    ...watchedBy(
      history(created(), because("1.1", ended([9, 11]))),
      heard("s", "delete", 10, { ...REASON, heardAt: 9.9 }),
    ),
    slack: 0.5,
  },
  "one whose call began later than it was, as far as clocks may differ": {
    ...watchedBy(
      history(created(), because("1.1", ended([11.4, 12]))),
      heard("s", "delete", 10, { ...REASON, heardAt: 12 }),
    ),
    slack: 0.5,
  },
  "one that is only found to have happened": watchedBy(
    history(created(), DELETED),
    heard("s", "unknown", 12),
  ),
  "one whose caller has had no answer": watchedBy(
    history(created(), because("1.1", failed(ended([10, 11]), 30)), got([20, 21], null)),
    heard("s", "delete", 12, REASON),
  ),
  "a clear of a session that was rotated": watchedBy(
    history(
      created(),
      rotated([5, 6], "t", as("t", DATA, 5)),
      because("1.1", cleared([10, 11], 1)),
    ),
    heard("t", "clear", 10, REASON),
  ),
  "a sign-in that ends it": watchedBy(
    history(created(), because("1.1", signedIn([10, 11], "n", fresh("n", { user_id: 1 }, 10)))),
    heard("s", "sign-in", 10, REASON),
  ),
  "what the end of the history has ended": watchedBy(
    history(created(), got([10, 11], OLD)),
    heard("s", "delete", 90, { reason: OVER }),
  ),
  "a session that expires": watchedBy(
    history(created(), got([1500, 1501], null)),
    heard("s", "expire", 1000, { heardAt: 1003 }),
  ),
  "an old name that leads to nothing any more": watchedBy(
    history(
      created(),
      rotated([3, 4], "t", as("t", DATA, 3)),
      rotated([5, 6], "u", as("u", DATA, 5), {}, 0, "t"),
      got([20, 21], as("u", DATA, 5), "u"),
    ),
    heard("t", "unknown", 10, { lineage: "t" }),
  ),
};

const bad: Bad = {
  "an ending that is not heard": [
    "ending",
    watchedBy(history(created(), DELETED), { ...heard("s", "delete", 10), heard: [] }),
  ],
  "one that is heard twice": [
    "ending",
    watchedBy(history(created(), DELETED), {
      ...heard("s", "delete", 10, REASON),
      heard: [...heard("s", "delete", 10, REASON).heard, ...heard("s", "delete", 10, REASON).heard],
    }),
  ],
  "one that is heard earlier than it was, by more than clocks differ": [
    "order",
    {
      ...watchedBy(
        history(created(), because("1.1", ended([9, 11]))),
        heard("s", "delete", 10, { ...REASON, heardAt: 9.4 }),
      ),
      slack: 0.5,
    },
  ],
  "one whose call began later than it was, by more than clocks differ": [
    "order",
    {
      ...watchedBy(
        history(created(), because("1.1", ended([12.2, 13]))),
        heard("s", "delete", 10, { ...REASON, heardAt: 13 }),
      ),
      slack: 0.5,
    },
  ],
  "one of a session that lives on": [
    "order",
    watchedBy(history(created(), got([20, 21], OLD)), heard("s", "unknown", 10)),
  ],
  "one of a session that expires later": [
    "order",
    watchedBy(
      history(created(), got([500, 501], OLD)),
      heard("s", "expire", 400, { heardAt: 402 }),
    ),
  ],
  "one by a call that has ended nothing": [
    "order",
    watchedBy(
      history(
        created(),
        because("1.1", failed(ended([10, 11]), 30)),
        because("1.2", ended([40, 41])),
      ),
      heard("s", "delete", 12, REASON),
    ),
  ],
  "one by a call that comes later": [
    "order",
    watchedBy(history(created(), DELETED), heard("s", "delete", 5, REASON)),
  ],
  "one by a call that there was not": [
    "ending",
    watchedBy(history(created(), DELETED), heard("s", "delete", 10, { reason: "3.7" })),
  ],
  "one by a call that does other things": [
    "ending",
    watchedBy(history(created(), DELETED), heard("s", "clear", 10, REASON)),
  ],
  "one by a limit where there is none": [
    "ending",
    watchedBy(history(created(), DELETED), heard("s", "limit", 10)),
  ],
  "one of another session": [
    "ending",
    watchedBy(history(created(), created("o"), DELETED), {
      ...heard("s", "delete", 10, REASON),
      id: "o",
    }),
  ],
  "two that hear different things": [
    "ending",
    watchedBy(
      history(created(), DELETED, because("1.2", failed(cleared([12, 13], 0), 30))),
      heard("s", "delete", 10, REASON),
      heard("s", "clear", 12, { reason: "1.2" }),
    ),
  ],
};

testChecker(good, bad);
