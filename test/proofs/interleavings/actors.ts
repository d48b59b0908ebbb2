/* The operations of Sessions and SessionSet that run side by side. */

import { toId } from "../../../src/sessions/token.ts";
import { MAX_RENEWALS } from "../../../src/store/contract.ts";
import { HOUR_MS } from "../../../src/testing/steps.ts";
import { type Data, findLineage, make, type Scene } from "./scene.ts";

/** One call. It answers in words that are the same on every store. */
export type Step = () => Promise<unknown>;

export interface Actor {
  readonly name: string;
  /** Whether it does something with a whole set, session by session. */
  readonly ofSet: boolean;
  /** What it does to the sessions of a set, page by page. */
  readonly pages?: "change" | "end";
  /** Whether its calls are those of one request. */
  readonly request?: boolean;
  /** Whether it makes a session that a set's operation may meet beside the one whose place it takes. */
  readonly makes?: boolean;
  /** Whether its calls are made in parts: what they do to their own session, and to others. */
  readonly inParts?: boolean;
  /** Its calls, one after the other; `me` tells it from the others. */
  start(scene: Scene, me: string): Step[];
}

type Call = (scene: Scene, me: string) => Promise<unknown>;

function single(name: string, call: Call): Actor {
  return { name, ofSet: false, start: (scene, me) => [() => call(scene, me)] };
}

function making(name: string, call: Call): Actor {
  return { ...single(name, call), makes: true };
}

function ofSet(name: string, call: Call): Actor {
  return { name, ofSet: true, start: (scene, me) => [() => call(scene, me)] };
}

function paged(pages: "change" | "end", name: string, call: Call): Actor {
  return { ...ofSet(name, call), pages };
}

const token = ({ tokens }: Scene, name: string) => tokens.get(name);
const present = (scene: Scene) => toId(token(scene, "t3"), scene.store.shards) ?? "";

const read = (from: string): Call => {
  return async (scene) => (await scene.sessions.get(token(scene, from)))?.data ?? null;
};

/** The name of a session that takes the place of another, and of the token that leads to it. */
export const fresh = (me: string) => `new ${me}`;

/** The values that are written, by whom. */
type Values = (me: string) => Partial<Data>;

/** A session of a user, or nobody, that takes the place of another. */
const createValues = (user_id: number | null): Values => {
  return (me) => ({ n: fresh(me), user_id, team: 1 });
};

const rotate = (from: string, values: Values, grace?: number): Call => {
  return async (scene, me) => {
    const options = grace === undefined ? {} : { grace };
    const rotated = await scene.sessions.rotate(token(scene, from), values(me), options);
    if (rotated?.session) {
      const { session } = rotated;
      scene.tokens.set(session.data.n === fresh(me) ? fresh(me) : me, rotated.token);
    }
    return rotated && (rotated.session?.data ?? "ended");
  };
};

const signIn = (from: string, user_id: number, keep: readonly ("cart" | "team")[]): Call => {
  return async (scene, me) => {
    const values = { n: fresh(me), user_id, ...(keep.includes("team") ? {} : { team: 1 }) };
    const old = token(scene, from);
    const { token: told, session } = await scene.sessions.signIn(old, values, { keep });
    scene.tokens.set(fresh(me), told);
    return session.data;
  };
};

const peers = ({ sessions }: Scene) => sessions.by("user_id", 1);
const team = ({ sessions }: Scene) => sessions.by("team", 1);

/** On T alone, or on no session that was there. */
export const SINGLE: readonly Actor[] = [
  single("get", read("t3")),
  single("get over 1 hop", read("t2")),
  single("get over 2 hops", read("t1")),
  single("get over 3 hops", read("t0")),
  single(
    "rotate",
    rotate("t3", () => ({})),
  ),
  single(
    "rotate with changes and without grace",
    rotate("t3", () => ({ theme: "rotated" }), 0),
  ),
  single(
    "rotate of the same user",
    rotate("t3", () => ({ user_id: 1, theme: "same" })),
  ),
  single(
    "rotate of the same user through an alias",
    rotate("t1", () => ({ user_id: 1 })),
  ),
  making("rotate to another user", rotate("t3", createValues(2))),
  making("rotate to another user without grace", rotate("t3", createValues(2), 0)),
  making("rotate to another user through an alias", rotate("t1", createValues(3))),
  making("rotate to nobody", rotate("t3", createValues(null))),
  single(
    "rotate through an alias",
    rotate("t2", () => ({ theme: "rotated" })),
  ),
  single(
    "rotate through an alias without grace",
    rotate("t2", () => ({ theme: "rotated" }), 0),
  ),
  making("sign in again, keeping the cart", signIn("t3", 1, ["cart"])),
  making("sign in again through an alias, keeping the team", signIn("t1", 1, ["cart", "team"])),
  making("sign in as another user, keeping the cart", signIn("t3", 2, ["cart"])),
  making("sign in over a dead token", signIn("none", 1, ["cart"])),
  single("set", (scene, me) => scene.sessions.set(token(scene, "t3"), { theme: me })),
  single("set through an alias", (scene, me) => {
    return scene.sessions.set(token(scene, "t1"), { cart: me });
  }),
  single("set another team", (scene) => scene.sessions.set(token(scene, "t3"), { team: 2 })),
  single("set over 3 hops", (scene, me) => {
    return scene.sessions.set(token(scene, "t0"), { cart: me });
  }),
  single("unset", (scene) => scene.sessions.unset(token(scene, "t3"), ["cart", "team"])),
  single("touch for longer", (scene) => {
    return scene.sessions.touch(token(scene, "t3"), { idleTimeout: 2 * HOUR_MS });
  }),
  single("delete", (scene) => scene.sessions.delete(token(scene, "t3"))),
  single("delete through an alias", (scene) => scene.sessions.delete(token(scene, "t1"))),
  single("delete over 3 hops", (scene) => scene.sessions.delete(token(scene, "t0"))),
  single("delete by lineage", (scene) => scene.sessions.byId(findLineage(scene)).delete()),
  single("delete of a set", (scene) => peers(scene).delete(present(scene))),
  single("delete of a set by lineage", (scene) => peers(scene).delete(findLineage(scene))),
  single("create", async (scene, me) => {
    const draft = { n: fresh(me), user: 1, team: 1, shard: 0, idleTimeout: 3 * HOUR_MS };
    scene.tokens.set(fresh(me), await make(scene, draft, scene.used));
    return true;
  }),
];

/** On all sessions of user 1. */
export const OF_SETS: readonly Actor[] = [
  paged("end", "clear", (scene) => peers(scene).clear()),
  paged("end", "clear except T", (scene) => peers(scene).clear({ except: present(scene) })),
  paged("end", "clear except T, by its old id", (scene) => {
    const except = toId(token(scene, "t1"), scene.store.shards);
    return peers(scene).clear({ except });
  }),
  paged("end", "clear except T, by its lineage", (scene) => {
    return peers(scene).clear({ except: findLineage(scene) });
  }),
  paged("change", "set of a set", (scene, me) => peers(scene).set({ theme: me })),
  paged("change", "set of a set to another team", (scene) => team(scene).set({ team: 2 })),
  paged("change", "unset of a set", (scene) => peers(scene).unset(["cart"])),
  ofSet("ids", async (scene) => {
    const ids = await peers(scene).ids();
    return ids.map((id) => [scene.names.get(id) ?? "T"]).sort();
  }),
  ofSet("list", async (scene) => {
    const sessions = await peers(scene).list();
    return sessions.map(({ data }) => [data.n, data]).sort();
  }),
  ofSet("iteration", async (scene) => {
    const sessions: unknown[][] = [];
    for await (const { data } of peers(scene)) sessions.push([data.n, data]);
    return sessions.sort();
  }),
];

export const ACTORS: readonly Actor[] = [...SINGLE, ...OF_SETS];

/** As often as a session can be rotated within one grace time, and once more; T was, three times. */
const RENEWALS = MAX_RENEWALS - 3 + 1;

/** Too many calls to try them beside every other. */
export const LONG: readonly Actor[] = [
  {
    name: "rotate until it is refused",
    ofSet: false,
    start(scene, me) {
      scene.tokens.set(me, token(scene, "t3") ?? "");
      return Array.from({ length: RENEWALS }, () => () => rotate(me, () => ({}))(scene, me));
    },
  },
];
