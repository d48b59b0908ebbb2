/* The checker itself: it accepts what can be explained, and refuses what breaks a rule. */
import { describe, expect, test } from "vitest";
import type { Call, History } from "./calls.ts";
import {
  ABSOLUTE,
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
  history,
  IDLE,
  listed,
  rotated,
  set,
  TEAM,
  testChecker,
  USER,
} from "./checker-calls.ts";
import { shrinkHistory } from "./shrink.ts";

const GOOD: Good = {
  "a session that is made, read and ended": history(
    created(),
    got([1, 2], as("s", DATA)),
    ended([3, 4]),
    got([5, 6], null),
  ),
  "a read during a write, that sees it or not": history(
    created(),
    set([10, 20], { theme: "dark" }),
    got([11, 12], as("s", DATA)),
    got([13, 14], as("s", { ...DATA, theme: "dark" })),
  ),
  "a write after a twentieth of the idle timeout, which counts as use": history(
    created(),
    set([60, 61], { theme: "dark" }),
    got([70, 71], as("s", { ...DATA, theme: "dark" }, 60)),
  ),
  "two writes at once, of which either is the last": history(
    created(),
    set([10, 20], { theme: 1 }),
    set([10, 20], { theme: 2 }),
    got([30, 31], as("s", { ...DATA, theme: 1 })),
  ),
  "an old id that leads to the session until its grace is over": history(
    created(),
    rotated([10, 10.5], "t", as("t", DATA, 10)),
    got([60, 60.5], as("t", DATA, 10)),
    got([62, 63], null),
    got([62, 63], as("t", DATA, 10), "t"),
  ),
  "a rotation through an alias, which is not done": history(
    created(),
    rotated([10, 11], "t", as("t", DATA, 10)),
    rotated([20, 21], "u", null),
  ),
  "a session that expires at its idle deadline": history(
    created(),
    got([IDLE, IDLE + 0.5], as("s", DATA)),
    got([IDLE + 2, IDLE + 3], null),
  ),
  "a read that touches, between two moments of which another writes": history(
    created(),
    call([10, 20], {
      do: "get",
      id: "s",
      fields: null,
      touch: true,
      byName: false,
      answer: as("s", DATA, 17),
    }),
    set([14, 15], { theme: 1 }),
    got([30, 31], as("s", { ...DATA, theme: 1 }, 17)),
  ),
  "a failed write that happens later": history(
    created(),
    failed(set([10, 11], { theme: 1 }), 30),
    got([12, 13], as("s", DATA)),
    got([25, 26], as("s", { ...DATA, theme: 1 })),
  ),
  "a write that is carried out twice": history(
    created(),
    call(
      [10, 40],
      { do: "change", id: "s", values: { theme: 1 }, unset: [], idle: null, answer: true },
      { again: true },
    ),
    set([20, 21], { theme: 2 }),
    got([25, 26], as("s", { ...DATA, theme: 2 })),
    got([45, 46], as("s", { ...DATA, theme: 1 })),
  ),
  "a second end of one command, which finds nothing": history(
    created(),
    call([10, 20], { do: "end", id: "s", of: null, byName: false, answer: false }, { again: true }),
  ),
  "a clear that misses a session made meanwhile": history(
    cleared([-5, 5], 0),
    created(),
    listed([6, 7], as("s", DATA)),
  ),
  "a clear that misses a session that has left the set": history(
    created(),
    cleared([10, 20], 0),
    rotated([11, 12], "o", fresh("o", { user_id: 2 }, 11), { user_id: 2 }),
    got([30, 31], fresh("o", { user_id: 2 }, 11), "o"),
  ),
  "a clear that ends a session twice, whose command arrived once more in between": history(
    created(),
    { ...created("o"), end: 15, again: true },
    cleared([10, 20], 3),
  ),
  "a clear that spares the one that rotates": history(
    created(),
    created("o"),
    { ...cleared([10, 30], 1, "s"), knownBy: 15 } as Call,
    rotated([20, 21], "t", as("t", DATA, 20), {}, 0),
    listed([40, 41], as("t", DATA, 20)),
  ),
  "a change of a set, before and after which sessions are read": history(
    created(),
    created("o"),
    call([10, 30], { do: "change all", of: USER, values: { role: 1 }, unset: [], answer: 2 }),
    got([20, 21], as("s", { ...DATA, role: 1 })),
    got([22, 23], as("o", DATA), "o"),
    listed([40, 41], as("s", { ...DATA, role: 1 }), as("o", { ...DATA, role: 1 })),
  ),
  "a count while one is ended": history(
    created(),
    created("o"),
    ended([10, 20]),
    call([12, 13], { do: "size", of: USER, answer: 1 }),
    call([14, 15], { do: "size", of: TEAM, answer: 1 }),
  ),
};

const BAD: Bad = {
  "a session that comes back (I4)": [
    "order",
    history(created(), ended([10, 11]), set([12, 13], { theme: 1 }), got([14, 15], null)),
  ],
  "a session that is read after its end": [
    "order",
    history(created(), ended([10, 11]), got([12, 13], as("s", DATA))),
  ],
  "a lost write (I7)": [
    "order",
    history(
      created(),
      set([10, 11], { theme: 1 }),
      set([12, 13], { note: 1 }),
      got([14, 15], as("s", { ...DATA, note: 1 }, 12)),
    ),
  ],
  "a write seen, and then unseen": [
    "order",
    history(
      created(),
      set([10, 20], { theme: 1 }),
      got([11, 12], as("s", { ...DATA, theme: 1 }, 10)),
      got([13, 14], as("s", DATA)),
    ),
  ],
  "a failed write that happens after its last moment": [
    "order",
    history(
      created(),
      failed(set([10, 11], { theme: 1 }), 20),
      got([22, 23], as("s", DATA)),
      got([30, 31], as("s", { ...DATA, theme: 1 }, 25)),
    ),
  ],
  "a rotation that moves the absolute deadline (I6)": [
    "order",
    history(
      created(),
      rotated([10, 11], "t", as("t", DATA, 10, { absoluteDeadline: ABSOLUTE + 10 })),
    ),
  ],
  "a deadline that is not the nearer one (I6)": [
    "order",
    history(created(), got([10, 11], as("s", DATA, 0, { expiresAt: ABSOLUTE }))),
  ],
  "a session that outlives its idle deadline": [
    "order",
    history(created(), got([IDLE + 2, IDLE + 3], as("s", DATA))),
  ],
  "a session that ends before its deadline": ["order", history(created(), got([10, 11], null))],
  "an alias that outlives its grace": [
    "order",
    history(created(), rotated([10, 11], "t", as("t", DATA, 10)), got([70, 71], as("t", DATA, 10))),
  ],
  "an old id that leads to the session without grace": [
    "order",
    history(
      created(),
      rotated([10, 10.5], "t", as("t", DATA, 10), {}, 0),
      got([10.6, 10.9], as("t", DATA, 10)),
    ),
  ],
  "a rotation that answers with other data": [
    "order",
    history(created(), rotated([10, 11], "t", as("t", { user_id: 1 }, 10))),
  ],
  "a list that gives other data": [
    "order",
    history(created(), listed([10, 11], as("s", { user_id: 1 }))),
  ],
  "an alias that leads to the new token": [
    "order",
    history(
      created(),
      rotated([10, 11], "t", as("t", DATA, 10)),
      rotated([20, 21], "u", as("u", DATA, 20)),
    ),
  ],
  "a session that is not in its set": [
    "order",
    history(created(), call([10, 11], { do: "has", id: "s", of: TEAM, answer: false })),
  ],
  "a session that is in a set it has left (I2)": [
    "order",
    history(
      created(),
      set([10, 11], { team_ids: ["b"] }),
      call([12, 13], {
        do: "list",
        of: TEAM,
        limit: 9,
        answer: [as("s", { ...DATA, team_ids: ["b"] }, 10)],
      }),
    ),
  ],
  "a write that is not seen by a read soon after, however far off the clocks may be": [
    "order",
    {
      ...history(created(), set([10, 11], { theme: 1 }), got([11.5, 12], as("s", DATA))),
      slack: 5,
    },
  ],
  "a list without a session that was in the set all the time (I1)": [
    "order",
    history(created(), created("o"), listed([10, 11], as("o", DATA))),
  ],
  "ids without a session that rotated meanwhile": [
    "order",
    history(
      created(),
      call([10, 20], { do: "ids", of: USER, answer: [] }),
      rotated([12, 13], "t", as("t", DATA, 12)),
    ),
  ],
  "a clear that misses a session that rotates meanwhile (I5)": [
    "order",
    history(
      created(),
      cleared([10, 20], 0),
      rotated([12, 13], "t", as("t", DATA, 12)),
      got([30, 31], as("t", DATA, 12), "t"),
    ),
  ],
  "a clear that ends a session outside of the set (I2)": [
    "order",
    history(created("s", { user_id: 2 }), cleared([10, 20], 1), got([30, 31], null)),
  ],
  "a clear that ends the one to leave alone": [
    "order",
    history(created(), cleared([10, 20], 1, "s"), got([30, 31], null)),
  ],
  "a clear that ends the one to leave alone, under its old id": [
    "order",
    history(
      created(),
      rotated([5, 6], "t", as("t", DATA, 5)),
      cleared([10, 20], 1, "s"),
      got([30, 31], null, "t"),
    ),
  ],
  "a clear that forgets the one to leave alone when it rotates": [
    "order",
    history(
      created(),
      { ...cleared([10, 30], 1, "s"), knownBy: 15 } as Call,
      rotated([20, 21], "t", as("t", DATA, 20), {}, 0),
      got([40, 41], null, "t"),
    ),
  ],
  "a change of a set that leaves a session out": [
    "order",
    history(
      created(),
      call([10, 30], { do: "change all", of: USER, values: { role: 1 }, unset: [], answer: 1 }),
      got([40, 41], as("s", DATA)),
    ),
  ],
  "a write that counts as use too soon": [
    "order",
    history(
      created(),
      set([10, 11], { theme: "dark" }),
      got([20, 21], as("s", { ...DATA, theme: "dark" }, 10)),
    ),
  ],
  "a write that doesn't count as use after a twentieth of the idle timeout": [
    "order",
    history(
      created(),
      set([60, 61], { theme: "dark" }),
      got([70, 71], as("s", { ...DATA, theme: "dark" })),
    ),
  ],
  "a change of a set that slides a deadline": [
    "order",
    history(
      created(),
      call([10, 30], { do: "change all", of: USER, values: { role: 1 }, unset: [], answer: 1 }),
      got([40, 41], as("s", { ...DATA, role: 1 }, 20)),
    ),
  ],
  "a session that is ended twice": ["order", history(created(), ended([10, 20]), ended([10, 20]))],
  "a size that is too small": [
    "count",
    history(created(), created("o"), call([10, 11], { do: "size", of: USER, answer: 1 })),
  ],
  "a size that is too large": [
    "count",
    history(created(), ended([5, 6]), call([10, 11], { do: "size", of: USER, answer: 1 })),
  ],
  "a clear that counts what it has not ended": [
    "count",
    history(created(), cleared([10, 11], 2), listed([20, 21])),
  ],
  "a clear that counts the one it has left alone": [
    "count",
    history(created(), { ...cleared([10, 11], 1, "s"), knownBy: 10.5 } as Call),
  ],
  "a clear that ends a session twice, though its command arrived once more before": [
    "count",
    history(created(), { ...created("o"), again: true }, cleared([10, 20], 3)),
  ],
  "a clear that ends a session three times, whose command arrived once more": [
    "count",
    history(created(), { ...created("o"), end: 15, again: true }, cleared([10, 20], 4)),
  ],
  "a size that counts a session twice, whose command arrived once more": [
    "count",
    history(
      { ...created(), end: 20, again: true },
      call([10, 11], { do: "size", of: USER, answer: 2 }),
    ),
  ],
  "a session that is given twice, though its command arrived once more": [
    "twice",
    history(
      { ...created(), end: 20, again: true },
      call([10, 30], { do: "ids", of: USER, answer: ["s", "s"] }),
      ended([12, 13]),
    ),
  ],
  "a session that is given twice under two ids": [
    "twice",
    history(
      created(),
      call([10, 20], { do: "ids", of: USER, answer: ["s", "t"] }),
      rotated([12, 13], "t", as("t", DATA, 12)),
    ),
  ],
  "a list that is not in the order in which sessions were seen": [
    "sorted",
    history(
      created(),
      created("o"),
      set([5, 6], {}),
      call([10, 11], {
        do: "list",
        of: USER,
        limit: 9,
        answer: [as("o", DATA), as("s", DATA, 5)],
      }),
    ),
  ],
  "a page of a list that is not in the order of deadlines": [
    "sorted",
    history(
      created(),
      created("o"),
      call([10, 11], {
        do: "list",
        of: USER,
        limit: 9,
        order: "expiresAt",
        answer: [as("o", DATA), as("s", DATA, 0, { expiresAt: IDLE + 1 })],
      }),
    ),
  ],
  "a list that is longer than its limit": [
    "sorted",
    history(
      created(),
      created("o"),
      call([10, 11], { do: "list", of: USER, limit: 1, answer: [as("s", DATA), as("o", DATA)] }),
    ),
  ],
  "a session that nobody made": ["stranger", history(created(), listed([10, 11], as("x", DATA)))],
};

testChecker(GOOD, BAD);

describe("Shrinking", () => {
  test("leaves out what the refusal does not need, and nothing that would explain it", () => {
    const needed = [created(), ended([10, 11]), got([12, 13], as("s", DATA))];
    const more = [
      created("o"),
      got([1, 2], as("s", DATA)),
      set([3, 4], { theme: 1 }, true, "o"),
      listed([14, 15], as("o", { ...DATA, theme: 1 }, 3)),
      set([16, 17], { theme: 2 }, false),
    ];
    expect(shrinkHistory(history(...needed, ...more)).calls).toEqual(needed);
  });

  test("keeps what was written, which would explain what was read", () => {
    const [, bad] = BAD["a lost write (I7)"] ?? [];
    expect(shrinkHistory(bad as History).calls.length).toBe(4);
  });

  test("is refused for a history that is good", () => {
    expect(() => shrinkHistory(history(created()))).toThrow("can be explained");
  });
});
