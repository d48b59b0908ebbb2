/* Damage at random: to each kind of key and field what is likeliest to hurt there, and anything at times. */
import { fc } from "../../support/properties.ts";
import type { Damage, Type } from "./damage.ts";

/** Texts that are no number of the library's, though some look like one; hex stands for bytes. */
const NUMBERS = [
  ...[
    "",
    "0",
    "1",
    "-1",
    "nan",
    "-nan",
    "inf",
    "-inf",
    "1e999",
    "1e300",
    "1e3",
    "0x10",
    "1.5",
    " 1",
  ],
  ...["9007199254740993", "1000000", "-1000000", "9".repeat(400), "8640000000000001", "abc"],
];
/** Texts that are no list of a session's sets. */
const NAMES = [
  ...[
    "user_id:1",
    "=user_id:1",
    "=team_ids:1 user_id:1",
    "=team_ids:1",
    "user_id",
    "x:y z",
    "a b c",
  ],
  ...[
    ":",
    "=",
    "=:",
    "::",
    " ",
    "*",
    "{x}",
    "user_id:",
    "team_ids:1 ".repeat(2000),
    "hex:fffe00c3",
  ],
];
const TOMBSTONES = ["d", "0", "1", "0 x y", "01", "2", ""];
/** Texts that are no times of a session, or of none that the library has made. */
const TIMES = NUMBERS.flatMap((text) => [
  `${text} 1764000000000 3600000 -`,
  `1764000000000000 ${text} 3600000 1900000000000`,
  `1764000000000000 1764000000000 ${text} 1900000000000`,
  `1764000000000000 1764000000000 3600000 ${text}`,
]);
/** Texts that are no value of a field, and some that no program wrote. */
const VALUES = [
  ...["", "null", "true", "1", "-0", '"', '"x', "[", "{", "[]", "{}", "[[[[", "[".repeat(20_000)],
  ...[
    '{"toString":1}',
    '{"toString":null,"valueOf":1}',
    '[{"toString":1}]',
    '{"__proto__":{"x":1}}',
  ],
  ...[
    '["\\ud800"]',
    '{"then":1}',
    '{"toJSON":1}',
    '{"length":4294967295}',
    "[1,[2]]",
    "[{}]",
    "1e400",
  ],
  ...[
    '{"expires":"x","originalMaxAge":1}',
    '{"expires":"2031-01-01T00:00:00Z","originalMaxAge":1000}',
  ],
  ...[
    '{"expires":"+275760-09-13T00:00:00.000Z","originalMaxAge":1e400}',
    '{"maxAge":-1}',
    '{"path":5}',
  ],
  ...["hex:fffe00c3", "hex:00", "hex:c328", "hex:eda080", "x".repeat(100_000)],
];
/** Texts that are no session of another library. */
const RECORDS = [
  ...[
    "",
    "null",
    "5",
    '"x"',
    "[]",
    "{}",
    "{",
    '{"cookie":null}',
    '{"cookie":{}}',
    '{"cookie":{"expires":5}}',
  ],
  ...[
    '{"cookie":{"expires":"2031-01-01T00:00:00Z"},"__proto__":{"x":1},"@c":1,"":2}',
    '{"userId":"u1"}',
  ],
  ...[
    '{"cookie":{"originalMaxAge":1e400},"user_id":[[1]]}',
    '{"userId":5,"expires":"2031-01-01T00:00:00Z"}',
  ],
  ...[
    '{"userId":"u1","expires":"9999-12-31T23:59:59Z","\\ud800":1}',
    '{"cookie":{"maxAge":-1e308}}',
  ],
  ...['{"cookie":{"originalMaxAge":-1,"expires":"1970-01-01T00:00:00Z"}}', "hex:fffe"],
];
const SCORES = [
  "inf",
  "-inf",
  "0",
  "-1",
  "1",
  "1.5",
  "1e300",
  "9007199254740993",
  "253402300799999",
];

const OF_OWN: Readonly<Record<string, readonly string[]>> = {
  "@": [...TIMES, ...TOMBSTONES.map((text) => `tombstone ${text}`), ...NUMBERS, ...VALUES],
  "@r": [...NUMBERS, ...NAMES],
  "@r1": NAMES,
  "@r2": NAMES,
  "@u": NUMBERS,
  "@z": VALUES,
};
/** Those that hold ids. */
const OF_IDS = ["@l", "@p"];

/** Keys, ids and fields of one kind of world, by the names that it knows them by. */
export interface Damaged {
  readonly keys: readonly string[];
  /** Ids and tokens. */
  readonly texts: readonly string[];
  /** Values as applications keep them. */
  readonly fields: readonly string[];
}

export function damages({ keys, texts, fields }: Damaged): fc.Arbitrary<Damage> {
  const key = fc.constantFrom(...keys);
  const known = fc.constantFrom(...texts).map((name) => `the:${name}`);
  const any = fc.oneof(
    fc.constantFrom(...NUMBERS, ...NAMES, ...VALUES, ...RECORDS),
    fc.string({ unit: "binary", maxLength: 8 }),
    known,
  );
  const id = fc.oneof({ weight: 3, arbitrary: known }, { weight: 1, arbitrary: any });
  const own = fc
    .constantFrom(...Object.keys(OF_OWN))
    .chain((name) => fc.tuple(fc.constant(name), fc.constantFrom(...(OF_OWN[name] ?? []))));
  const ofId = fc.tuple(fc.constantFrom(...OF_IDS), id);
  const ofApp = fc.tuple(
    fc.constantFrom(...fields, "hex:fffe", "", "__proto__"),
    fc.constantFrom(...VALUES),
  );
  const written = fc.oneof(
    { weight: 4, arbitrary: own },
    { weight: 2, arbitrary: ofId },
    { weight: 3, arbitrary: ofApp },
    {
      weight: 1,
      arbitrary: fc.tuple(fc.constantFrom(...Object.keys(OF_OWN), ...OF_IDS, ...fields), any),
    },
  );
  const field = fc.constantFrom("@", "@r", "@l", "@p", ...fields);
  const time = fc.constantFrom("created" as const, "seen", "idle", "absolute");
  const number = fc.constantFrom("-", ...NUMBERS);
  const score = fc.constantFrom(...SCORES, "the:now", "the:later");
  const type = fc.constantFrom<Type>("string", "list", "set", "sorted set", "hash", "stream");
  const is = <Name extends string>(name: Name) => fc.constant(name);
  return fc.oneof(
    {
      weight: 8,
      arbitrary: fc
        .tuple(key, written)
        .map(([at, [name, text]]): Damage => ({ do: "set a field", key: at, field: name, text })),
    },
    { weight: 2, arbitrary: fc.record({ do: is("drop a field"), key, field }) },
    { weight: 2, arbitrary: fc.record({ do: is("drop its deadlines"), key }) },
    { weight: 3, arbitrary: fc.record({ do: is("edit a time"), key, time, text: number }) },
    { weight: 2, arbitrary: fc.record({ do: is("call it an alias"), key, text: id }) },
    { weight: 2, arbitrary: fc.record({ do: is("make it another type"), key, type, text: any }) },
    {
      weight: 2,
      arbitrary: fc.record({ do: is("write a record"), key, text: fc.constantFrom(...RECORDS) }),
    },
    { weight: 3, arbitrary: fc.record({ do: is("add an entry"), key, score, text: id }) },
    {
      weight: 1,
      arbitrary: fc.record({
        do: is("add a crowd"),
        key,
        score,
        text: fc.constantFrom("", "x", "hex:fffe"),
        count: fc.constantFrom(150, 350),
      }),
    },
    { weight: 1, arbitrary: fc.record({ do: is("copy"), key, to: key }) },
    { weight: 2, arbitrary: fc.record({ do: is("add a member"), key, text: id }) },
    { weight: 1, arbitrary: fc.record({ do: is("point to"), key, text: id }) },
    { weight: 3, arbitrary: fc.record({ do: is("make an alias"), key, text: id, before: id }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constantFrom("persist", "delete"), key }) },
  );
}
