import { fc } from "../../properties.ts";
import { listValues, type Of } from "./model.ts";

/*
 * The steps of a model test, as plain records: they are printed as they are when a sequence
 * fails, and shrunk one by one.
 */

/** Lengths of time by name: each world has its own. */
export type Length = "default" | "short" | "long";

/** When the credentials were read for which a session is made. */
export type AsOf = "now" | "a minute ago" | "two hours ago" | "in an hour";

/** Why a session is ended, as the call says it. */
export interface Cause {
  initiator?: "user" | "admin";
  reason?: string;
}

export type Step =
  | {
      do: "create";
      by: number;
      values: Values;
      idle: Length;
      absolute: Length;
      asOf: AsOf | null;
    }
  | { do: "create many"; by: number; values: Values }
  | { do: "get"; by: number; token: number; fields: string[] | null; touch: boolean }
  | { do: "set"; by: number; token: number; values: Values }
  | { do: "unset"; by: number; token: number; fields: string[] }
  | { do: "touch"; by: number; token: number; idle: Length }
  | {
      do: "rotate";
      by: number;
      token: number;
      values: Values;
      grace: "none" | Length;
      asOf: AsOf | null;
      cause: Cause;
    }
  | { do: "renew often"; by: number; token: number; times: number }
  | {
      do: "sign in";
      by: number;
      token: number | null;
      values: Values;
      keep: string[];
      idle: Length;
      absolute: Length;
      asOf: AsOf | null;
      cause: Cause;
    }
  | { do: "delete"; by: number; token: number; how: "token" | Name; cause: Cause }
  | { do: "set in parallel"; token: number; rotate: boolean }
  | { do: "read set"; by: number; of: Which; token: number; name: Name }
  | { do: "set all"; by: number; of: Of; values: Values }
  | { do: "unset all"; by: number; of: Of; fields: string[] }
  | { do: "delete of set"; by: number; of: Which; token: number; name: Name; cause: Cause }
  | { do: "clear"; by: number; of: Which; except: number | null; name: Name; cause: Cause }
  | { do: "trim"; by: number; of: Which; token: number; keep: number; cause: Cause }
  | { do: "clear while all rotate"; by: number; of: Of }
  | { do: "let time pass"; how: "to the next deadline" | "past it" | "a minute" };

/** Any set, or one that the session of the step's token is in. */
export type Which = Of | "its own";

/** The name of a session, if it isn't a token that leads to it. */
export type Name = "id" | "lineage";

export type Values = Record<string, unknown>;

/** Declared as `{}`, `{ identity: false }` and, where the store has one shard, `as: "set"`. */
export const REFERENCES = ["user_id", "team_ids", "tag"] as const;
const FIELDS = [...REFERENCES, "theme", "a:b", "constructor"];
/** Few, so that sessions meet; and some that are easily confused. */
export const VALUES: readonly Of["value"][] = [1, "1", 2, true, "true", "", "a:b"];

const scalar = fc.constantFrom<unknown>(...VALUES, null);
/** Enough that their names take more room than one field gives them. */
const crowd = fc.nat(40).map((count) => Array.from({ length: count }, (_, i) => `member ${i}`));
const several = fc.oneof(
  { weight: 4, arbitrary: scalar },
  { weight: 4, arbitrary: fc.array(scalar, { maxLength: 4 }) },
  { weight: 1, arbitrary: crowd },
);
const users = fc.oneof(scalar, scalar, fc.array(scalar, { maxLength: 3 }));
const others = {
  team_ids: several,
  tag: fc.oneof(fc.constant(1), several), // often the same, so that its set is seldom empty
  theme: fc.constantFrom<unknown>("dark", "1", 3, { a: [1, "\ud800"] }, "é\0", null, undefined),
  "a:b": fc.constantFrom<unknown>("x", 0, -0.5),
  constructor: fc.constantFrom<unknown>("own", false),
};
const values: fc.Arbitrary<Values> = fc.record({ user_id: users, ...others }, { requiredKeys: [] });
/** Without the user, whom no `set` and no `unset` names. */
const written: fc.Arbitrary<Values> = fc.record(
  { user_id: fc.constant(undefined), ...others },
  { requiredKeys: [] },
);
const signedIn: fc.Arbitrary<Values> = fc.record(
  { user_id: users.filter((user) => listValues(user).length > 0), ...others },
  { requiredKeys: ["user_id"] },
);
const fields = fc.subarray([...FIELDS, "absent"]);
const unset = fc.subarray([...FIELDS.slice(1), "absent"]);
const name = fc.constantFrom<Name>("id", "lineage");
const by = fc.nat(2);
/** Counted from the latest one, so that what still lives is chosen often. */
const token = fc.oneof({ weight: 3, arbitrary: fc.nat(3) }, { weight: 2, arbitrary: fc.nat(30) });
const of: fc.Arbitrary<Of> = fc.record({
  field: fc.constantFrom(...REFERENCES),
  value: fc.constantFrom(...VALUES),
});
const which = fc.oneof(of, fc.constant<Which>("its own"));
const length = fc.constantFrom<Length>("default", "default", "short", "long");
const asOf = fc.oneof(
  { weight: 3, arbitrary: fc.constant(null) },
  {
    weight: 1,
    arbitrary: fc.constantFrom<AsOf>("now", "a minute ago", "two hours ago", "in an hour"),
  },
);
const cause: fc.Arbitrary<Cause> = fc.record(
  {
    initiator: fc.constantFrom("user", "admin"),
    reason: fc.constantFrom("stolen laptop", "a b\n%=-:", ""),
  },
  { requiredKeys: [] },
);

type Parts<Do> = Omit<Extract<Step, { do: Do }>, "do">;

function step<Do extends Step["do"]>(
  name: Do,
  parts: { [Part in keyof Parts<Do>]: fc.Arbitrary<Parts<Do>[Part]> },
): fc.Arbitrary<Step> {
  return fc.record({ do: fc.constant(name), ...parts }) as unknown as fc.Arbitrary<Step>;
}

const weighted: readonly (readonly [weight: number, arbitrary: fc.Arbitrary<Step>])[] = [
  [5, step("create", { by, values, idle: length, absolute: length, asOf })],
  [1, step("create many", { by, values })],
  [4, step("get", { by, token, fields: fc.option(fields), touch: fc.boolean() })],
  [6, step("set", { by, token, values: written })],
  [3, step("unset", { by, token, fields: unset })],
  [3, step("touch", { by, token, idle: length })],
  [
    6,
    step("rotate", {
      by,
      token,
      values: fc.oneof(fc.constant({}), values),
      grace: fc.constantFrom("none", "default", "short", "long"),
      asOf,
      cause,
    }),
  ],
  [1, step("renew often", { by, token, times: fc.integer({ min: 2, max: 36 }) })],
  [
    5,
    step("sign in", {
      by,
      token: fc.oneof({ weight: 9, arbitrary: token }, { weight: 1, arbitrary: fc.constant(null) }),
      values: signedIn,
      keep: unset,
      idle: length,
      absolute: length,
      asOf,
      cause,
    }),
  ],
  [2, step("delete", { by, token, how: fc.constantFrom("token", "id", "lineage"), cause })],
  [1, step("set in parallel", { token, rotate: fc.boolean() })],
  [4, step("read set", { by, of: which, token, name })],
  [2, step("set all", { by, of, values: written })],
  [1, step("unset all", { by, of, fields: unset })],
  [1, step("delete of set", { by, of: which, token, name, cause })],
  [3, step("clear", { by, of: which, except: fc.option(token), name, cause })],
  [2, step("trim", { by, of: which, token, keep: fc.integer({ min: 1, max: 3 }), cause })],
  [1, step("clear while all rotate", { by, of })],
  [
    3,
    step("let time pass", { how: fc.constantFrom("to the next deadline", "past it", "a minute") }),
  ],
];

export const anyStep = fc.oneof(...weighted.map(([weight, arbitrary]) => ({ weight, arbitrary })));
