/*
 * The kinds of requests of one browser, or of one program with a bearer token, each of them
 * with the token that it had when all of them were sent.
 */
import { type Actor, fresh } from "./actors.ts";
import { type Call, type Carried, request } from "./requests.ts";

export interface Kind {
  readonly name: string;
  readonly calls: readonly Call[];
  /** Whom it signs in. */
  readonly signsIn?: number;
  /** Whether it ends other sessions of the user. */
  readonly endsOthers?: boolean;
}

const signIn = (user_id: number): Call => {
  return async ({ session, me, take }) => {
    const values = { n: fresh(me), user_id };
    const { token, session: made } = await session.signIn(values, { keep: ["cart"] });
    take(token);
    return made.data;
  };
};

const signOut: Call = ({ session }) => session.delete();
const write: Call = ({ session, me }) => session.set({ theme: me });

const read: Call = async (hands) => {
  hands.data = await hands.session.get();
  return hands.data;
};
const writeBack: Call = ({ session, me, data }) => session.set({ ...data, theme: me });

const changeCredentials: Call = async ({ session, take }) => {
  const { ended, token } = await session.changeCredentials("user_id");
  take(token);
  return ended;
};

export const KINDS = [
  { name: "sign in", calls: [signIn(1)], signsIn: 1 },
  { name: "sign in as another user", calls: [signIn(2)], signsIn: 2 },
  { name: "sign out", calls: [signOut] },
  { name: "write", calls: [write] },
  { name: "write back", calls: [read, writeBack] },
  { name: "change of password", calls: [changeCredentials], endsOthers: true },
  {
    name: "sign out the others",
    calls: [({ session }) => session.signOutOthers("user_id")],
    endsOthers: true,
  },
  {
    name: "sign out everywhere",
    calls: [({ session }) => session.signOutEverywhere("user_id")],
    endsOthers: true,
  },
] as const satisfies readonly Kind[];

/** Where a browser's requests begin: with which token, and by which carrier it travels. */
export interface Start {
  readonly from: "t3" | "t2" | "v";
  readonly carried: Carried;
}

export const STARTS = {
  "a user's cookie": { from: "t3", carried: "cookie" },
  "a user's old cookie": { from: "t2", carried: "cookie" },
  "nobody's cookie": { from: "v", carried: "cookie" },
  "a user's bearer token": { from: "t3", carried: "bearer" },
  "nobody's bearer token": { from: "v", carried: "bearer" },
} as const satisfies Readonly<Record<string, Start>>;

export type StartName = keyof typeof STARTS;

export function browserRequest(
  { name, calls, endsOthers = false }: Kind,
  { from, carried }: Start,
): Actor {
  return request(`${name}, with ${from} by ${carried}`, from, calls, {
    carried,
    ofSet: false,
    inParts: endsOthers,
  });
}

export const BROWSER: readonly Actor[] = Object.values(STARTS).flatMap((start) =>
  KINDS.map((kind) => browserRequest(kind, start)),
);
