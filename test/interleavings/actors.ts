/* What is done side by side: the operations of Sessions and SessionSet, each by itself. */

import { idOf } from "../../src/sessions/token.ts";
import { HOUR } from "../../src/testing/steps.ts";
import { type Data, make, type Scene } from "./scene.ts";

/** One call: what it gives is told in words that are the same on every store. */
export type Step = () => Promise<unknown>;

export interface Actor {
  readonly name: string;
  /** Whether it does something with a whole set, session by session. */
  readonly ofSet: boolean;
  /** Whether its calls are those of one request. */
  readonly request?: boolean;
  /** Its calls, one after the other; `me` tells it from the others. */
  start(scene: Scene, me: string): Step[];
}

type Call = (scene: Scene, me: string) => Promise<unknown>;

function single(name: string, call: Call): Actor {
  return { name, ofSet: false, start: (scene, me) => [() => call(scene, me)] };
}

function ofSet(name: string, call: Call): Actor {
  return { name, ofSet: true, start: (scene, me) => [() => call(scene, me)] };
}

const token = ({ tokens }: Scene, name: string) => tokens.get(name);
const present = (scene: Scene) => idOf(token(scene, "t3"), scene.store.shards) ?? "";

const read = (from: string): Call => {
  return async (scene) => (await scene.sessions.get(token(scene, from)))?.data ?? null;
};

const rotate = (from: string, values: Partial<Data>, grace?: number): Call => {
  return async (scene, me) => {
    const options = grace === undefined ? {} : { grace };
    const rotated = await scene.sessions.rotate(token(scene, from), values, options);
    if (rotated) scene.tokens.set(me, rotated.token);
    return rotated?.session.data ?? null;
  };
};

const peers = ({ sessions }: Scene) => sessions.by("user_id", 1);

/** On T alone, or on no session that was there. */
export const SINGLE: readonly Actor[] = [
  single("get", read("t3")),
  single("get over 1 hop", read("t2")),
  single("get over 2 hops", read("t1")),
  single("get over 3 hops", read("t0")),
  single("rotate", rotate("t3", {})),
  single("rotate with changes and without grace", rotate("t3", { theme: "rotated" }, 0)),
  single("rotate to another user", rotate("t3", { user_id: 2 })),
  single("rotate to another user without grace", rotate("t3", { user_id: 2 }, 0)),
  single("rotate to another user through an alias", rotate("t1", { user_id: 3 })),
  single("rotate through an alias", rotate("t2", { theme: "rotated" })),
  single("set", (scene, me) => scene.sessions.set(token(scene, "t3"), { theme: me })),
  single("set through an alias", (scene, me) => {
    return scene.sessions.set(token(scene, "t1"), { cart: me });
  }),
  single("set another user", (scene) => scene.sessions.set(token(scene, "t3"), { user_id: 2 })),
  single("unset", (scene) => scene.sessions.unset(token(scene, "t3"), ["cart", "user_id"])),
  single("touch for longer", (scene) => {
    return scene.sessions.touch(token(scene, "t3"), { idleTimeout: 2 * HOUR });
  }),
  single("delete", (scene) => scene.sessions.delete(token(scene, "t3"))),
  single("delete through an alias", (scene) => scene.sessions.delete(token(scene, "t1"))),
  single("delete of a set", (scene) => peers(scene).delete(present(scene))),
  single("create", async (scene, me) => {
    const made = await make(scene, `new ${me}`, { user_id: "1" }, 0, 3 * HOUR, scene.used);
    scene.tokens.set(`new ${me}`, made);
    return true;
  }),
];

/** On all sessions of user 1. */
export const OF_SETS: readonly Actor[] = [
  ofSet("clear", (scene) => peers(scene).clear()),
  ofSet("clear except T", (scene) => peers(scene).clear({ except: present(scene) })),
  ofSet("clear except T, by its old id", (scene) => {
    const except = idOf(token(scene, "t0"), scene.store.shards);
    return peers(scene).clear({ except });
  }),
  ofSet("set of a set", (scene, me) => peers(scene).set({ theme: me })),
  ofSet("set of a set to another user", (scene) => peers(scene).set({ user_id: 2 })),
  ofSet("unset of a set", (scene) => peers(scene).unset(["cart"])),
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
