/*
 * What the operations are tried on, the same on every store: session T of user 1, which was rotated
 * three times and has its old tokens still, two more of that user, P beside it and Q in another
 * shard where there is one, and O, which is of user 2. A crowded one has R and S of user 1, too.
 */
import { createSessions, type Sessions } from "session-sets";
import { createTokenBeside, idOf } from "../../src/sessions/token.ts";
import type { SessionStore, StoredSession } from "../../src/store/contract.ts";
import { shardPrefix } from "../../src/store/shards.ts";
import {
  change,
  DAY,
  fieldsOf,
  HOUR,
  of,
  referencesOf,
  rotationTo,
} from "../../src/testing/steps.ts";

export interface Data {
  n?: string;
  user_id?: number;
  all?: number;
  theme?: string;
  cart?: string;
}

export interface Scene {
  readonly sessions: Sessions<Data>;
  /** Straight to the client, for setting up and looking. */
  readonly store: SessionStore;
  /** The one that the operations go by. */
  readonly used: SessionStore;
  /** By name: `t0`, `t1` and `t2` are T's old ones, `t3` is its present one. */
  readonly tokens: Map<string, string>;
  /** The sessions' names by the ids they were made with; any other id is T's. */
  readonly names: Map<string, string>;
  /** What was when the scene was set, by name. */
  readonly first: Map<string, StoredSession>;
}

export const REFERENCES = { user_id: {}, all: { identity: false } } as const;

const SESSIONS = [
  { n: "T", user: 1, shard: 0, idleTimeout: HOUR },
  { n: "P", user: 1, shard: 0, idleTimeout: HOUR + 60_000 },
  { n: "Q", user: 1, shard: 1, idleTimeout: HOUR },
  { n: "O", user: 2, shard: 0, idleTimeout: HOUR },
] as const;
const CROWD = [
  { n: "R", user: 1, shard: 0, idleTimeout: HOUR + 120_000 },
  { n: "S", user: 1, shard: 1, idleTimeout: HOUR + 60_000 },
] as const;

const ALL = of("all", "1");
const USERS = [of("user_id", "1"), of("user_id", "2"), of("user_id", "3")];

/** Sets the scene by `direct`; the operations go by `used`. */
export async function setScene(
  direct: SessionStore,
  used: SessionStore,
  crowded = false,
): Promise<Scene> {
  const scene: Scene = {
    sessions: createSessions<Data>({
      store: restless(used),
      references: REFERENCES,
      idleTimeout: HOUR,
      absoluteTimeout: DAY,
      rotationGrace: HOUR,
    }),
    store: direct,
    used,
    tokens: new Map(),
    names: new Map(),
    first: new Map(),
  };
  const [token = ""] = await Promise.all(
    [...SESSIONS, ...(crowded ? CROWD : [])].map(({ n, user, shard, idleTimeout }) =>
      make(scene, n, { user_id: String(user), cart: "tea" }, shard, idleTimeout),
    ),
  );
  const fresh = [1, 2, 3].map(() => createTokenBeside(token));
  for (const [i, one] of [token, ...fresh.map((made) => made.token)].entries()) {
    scene.tokens.set(`t${i}`, one);
  }
  const ids = [idOf(token, direct.shards) ?? "", ...fresh.map(({ id }) => id)];
  const rotate = (id: string, to: string) => change(direct, id, { rotation: rotationTo(to) });
  // One after the other, but sent at once.
  const rotated = ids.slice(1).map((to, i) => rotate(ids[i] ?? "", to));
  const [kept] = await Promise.all([rotated.at(-1)?.then(() => found(direct)), ...rotated]);
  for (const session of kept ?? []) scene.first.set(nameOf(session), session);
  return scene;
}

/** Makes one more session; gives its token. */
export async function make(
  scene: Scene,
  n: string,
  fields: { readonly user_id: string; readonly cart?: string },
  shard: number,
  idleTimeout: number,
  by = scene.store,
): Promise<string> {
  const { token, id } = createTokenBeside(shardPrefix(shard % by.shards));
  scene.names.set(id, n);
  await by.create({
    id,
    fields: fieldsOf({ n, all: "1", ...fields }),
    references: referencesOf({ user_id: [fields.user_id], all: ["1"] }),
    idleTimeout,
    absoluteTimeout: DAY,
  });
  return token;
}

/**
 * A store whose sessions were always last used an hour ago: reading one touches it. New sessions are
 * made in the first shard, so that a schedule can be repeated.
 */
function restless(store: SessionStore): SessionStore {
  return new Proxy(store, {
    get(target, name) {
      if (name === "shards") return 1;
      const member: unknown = Reflect.get(target, name, target);
      if (typeof member !== "function") return member;
      if (name !== "find") return member.bind(target);
      return async (...args: Parameters<SessionStore["find"]>) => {
        const found = await target.find(...args);
        return found.state === "live" ? { ...found, now: found.now + HOUR } : found;
      };
    },
  });
}

/** What there is in the end, in words that are the same on every store. */
export interface State {
  /** Each session with its fields, by its name. */
  readonly sessions: readonly (readonly [name: string, fields: unknown])[];
  /** What each token leads to. */
  readonly tokens: readonly (readonly [name: string, what: string])[];
}

export async function stateOf(scene: Scene): Promise<{ state: State; kept: StoredSession[] }> {
  const { store } = scene;
  const [kept, tokens] = await Promise.all([
    found(store),
    Promise.all(
      [...scene.tokens].map(async ([name, token]) => {
        const lookup = await store.find(idOf(token, store.shards) ?? "");
        return { name, lookup };
      }),
    ),
  ]);
  // One that a request has made is of no set that is looked at.
  const ids = new Set(kept.map(({ id }) => id));
  for (const { lookup } of tokens) {
    if (lookup.state !== "live" || ids.has(lookup.session.id)) continue;
    ids.add(lookup.session.id);
    kept.push(lookup.session);
  }
  const state: State = {
    sessions: kept
      .map((session) => [nameOf(session), Object.fromEntries(session.fields)] as const)
      .sort((a, b) => compare(a, b)),
    tokens: tokens
      .map(({ name, lookup }) => {
        if (lookup.state === "live") return [name, nameOf(lookup.session)] as const;
        const had = lookup.state === "superseded" ? ` ${lookup.hadIdentity}` : "";
        return [name, lookup.state + had] as const;
      })
      .sort((a, b) => compare(a, b)),
  };
  return { state, kept };
}

/** All sessions of the sets, each once. */
async function found(store: SessionStore): Promise<StoredSession[]> {
  const lists = await Promise.all([ALL, ...USERS].map((set) => store.list(set, 500)));
  const byId = new Map<string, StoredSession>();
  for (const session of lists.flat()) byId.set(session.id, session);
  return [...byId.values()];
}

export function nameOf({ fields }: StoredSession): string {
  return fields.get("n") ?? "new";
}

function compare(a: unknown, b: unknown): number {
  return canonical(a) < canonical(b) ? -1 : 1;
}

/** A value as JSON, the fields of objects in the order of their names. */
export function canonical(value: unknown): string {
  return JSON.stringify(value, (_, one: unknown) =>
    typeof one === "object" && one !== null && !Array.isArray(one)
      ? Object.fromEntries(Object.entries(one).sort(([a], [b]) => (a < b ? -1 : 1)))
      : one,
  );
}
